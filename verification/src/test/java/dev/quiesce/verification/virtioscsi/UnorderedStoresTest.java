package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.scsi.VirtioScsi;
import org.junit.jupiter.api.Test;

/** A machine whose CPU stores into guest memory without any order that others can see. */
class UnorderedStoresTest {
    private static final int STALE = 0x7FFF;

    @Test
    @Rule("VQ-9")
    @Rule("VQ-26")
    void shouldReadARingNoFurtherThanItsDriverHadKicked() {
        try (ScsiMachine machine = machine()) {
            QueueSetup ring = machine.hba.queue(VirtioScsi.FIRST_REQUEST_QUEUE);
            MemoryMap memory = machine.ram.whole();
            int next = memory.load16(ring.availAddress() + 2);
            memory.store16(entry(ring, next), STALE);
            memory.storeRelease16(ring.availAddress() + 2, next + 1);

            machine.await(machine.hba.stopDataplane());
            machine.await(machine.hba.startDataplane(machine.allOnMain()));
            machine.turn();
            assertThat(machine.hba.isBroken()).as("the entry was not there yet").isFalse();
            GuestCommand command = machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.until(() -> !command.isOutstanding());

            assertThat(command.isGood()).isTrue();
            assertThat(machine.driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VSCSI-41")
    void shouldServeEveryQueueOfSuchAMachine() {
        try (ScsiMachine machine = machine()) {
            assertThat(machine.hba.negotiatedFeatures() & VirtioFeatures.EVENT_IDX).isZero();
            machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                    new ScsiAddress(1, 0));
            machine.turn();
            assertThat(machine.driver.nextEvent()).isNotNull();
            machine.await(machine.driver.reset());
            machine.driver.forget();
            machine.driverUp();
            machine.settled();

            try (GuestSession session = machine.session()) {
                session.read(1, 0, GuestCdb.read10(0, 8), 4096);
                assertThat(session.answer().isGood()).isTrue();
            }
        }
    }

    @Test
    @Rule("I7")
    void shouldThrowNothingAtTheCpuThatKicksWhenItsMemoryIsGone() {
        try (ScsiMachine machine = machine()) {
            machine.ram.replaceMap(new VanishingMap(machine.ram.whole(), 0, null) {
                @Override
                public boolean guestStoresOrdered() {
                    return false;
                }
            });

            machine.hba.kickFromGuest(VirtioScsi.FIRST_REQUEST_QUEUE);

            assertThat(machine.hba.isBroken()).isTrue();
            machine.ram.replaceMap(machine.ram.whole());
        }
    }

    private static ScsiMachine machine() {
        GuestRam ram = GuestRam.builder().guestStoresOrdered(false)
                .heap(1 << 20, 8 << 20).build();
        ScsiMachine machine = new ScsiMachine(1, 0, ram);
        machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                new ScsiAddress(0, 0));
        return machine.begun().settled();
    }

    private static long entry(QueueSetup ring, int index) {
        return ring.availAddress() + 4 + 2L * (index & (ring.sizeEntries() - 1));
    }
}
