package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** A device that one of its queues, or its memory, has broken. */
class BrokenDeviceTest {
    private static final int QUEUE_0 = VirtioScsi.FIRST_REQUEST_QUEUE;
    private static final int QUEUE_1 = QUEUE_0 + 1;
    private static final long RAM_BEGIN = 1 << 20;
    private static final int RAM_BYTES = 8 << 20;

    @Test
    @Rule("MAL-30")
    void shouldLeaveTheOtherRingsOfABrokenDeviceAlone() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0)) {
            GuestScsi driver = begun(machine);
            makeJump(machine, QUEUE_0);
            machine.hba.kickFromGuest(QUEUE_0);
            machine.until(machine.hba::isBroken);
            byte[] before = usedRing(machine, QUEUE_1);

            submit(driver, 1);
            machine.turn();

            assertThat(usedRing(machine, QUEUE_1)).isEqualTo(before);
            assertThat(machine.disks.get(0).listedRequests()).isZero();
            worksAfterAReset(machine, driver);
        }
    }

    @Test
    @Rule("MAL-30")
    @Rule("SCHED-36")
    void shouldPublishNothingMoreOfABrokenDevice() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0)) {
            GuestScsi driver = begun(machine);
            long interrupts = machine.interrupts.raised();
            GuestCommand command = submit(driver, 1);
            makeJump(machine, QUEUE_0);
            machine.hba.kickFromGuest(QUEUE_0);
            machine.turn();
            driver.poll();

            assertThat(machine.hba.status() & DeviceStatus.NEEDS_RESET).isNotZero();
            assertThat(command.isOutstanding()).isTrue();
            assertThat(machine.interrupts.configChanges()).isEqualTo(1);
            assertThat(machine.interrupts.raised()).isEqualTo(interrupts + 1);
            worksAfterAReset(machine, driver);
        }
    }

    @Test
    @Rule("MAL-17")
    @Rule("VQ-12")
    void shouldShareNoChainBetweenTwoHeadsAfterAMemoryFault() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0)) {
            GuestScsi driver = begun(machine);
            machine.ram.replaceMap(new ForwardingMap(machine.ram.whole()) {
                @Override
                public boolean resolve(
                        long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
                    return sink.accept(ByteBuffer.allocateDirect(1), 0, (int) lengthBytes);
                }
            });
            submit(driver, 0);
            machine.until(machine.hba::isBroken);
            machine.ram.replaceMap(machine.ram.whole());
            worksAfterAReset(machine, driver);
            machine.gates.get(0).shut();

            GuestCommand first = read(machine, driver, 8);
            GuestCommand second = read(machine, driver, 16);
            driver.kick();
            machine.until(() -> machine.gates.get(0).heldCount() == 2);
            machine.gates.get(0).open();
            machine.until(() -> {
                driver.poll();
                return driver.outstanding() == 0;
            });

            assertThat(first.isGood()).isTrue();
            assertThat(second.isGood()).isTrue();
            assertThat(driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VSCSI-51")
    void shouldDiscardWhatAResetCancelsInABrokenDevice() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0)) {
            GuestScsi driver = begun(machine);
            machine.gates.get(0).shut();
            long data = machine.ram.allocate(512, 512);
            GuestCommand hung = driver.newCommand(null).cdb(0, 0, GuestCdb.read10(0, 1))
                    .dataIn(data, 512);
            assertThat(driver.submit(0, hung)).isTrue();
            driver.kick();
            machine.until(() -> machine.gates.get(0).heldCount() == 1);
            makeJump(machine, QUEUE_1);
            machine.hba.kickFromGuest(QUEUE_1);
            machine.until(machine.hba::isBroken);
            byte[] memory = machine.ram.read(RAM_BEGIN, RAM_BYTES);
            long interrupts = machine.interrupts.raised();

            machine.await(driver.reset());
            machine.turn();

            assertThat(machine.disks.get(0).listedRequests()).isZero();
            assertThat(machine.ram.read(RAM_BEGIN, RAM_BYTES)).isEqualTo(memory);
            assertThat(machine.interrupts.raised()).isEqualTo(interrupts);
            driver.forget();
            worksAfterAReset(machine, driver);
        }
    }

    /** A driver without event indices and tables: what the device writes is easy to see. */
    private static GuestScsi begun(ScsiMachine machine) {
        GuestScsi driver = new GuestScsi(machine.hba, machine.ram,
                new GuestScsiConfig(16, false, false, 0), machine.main.clock());
        machine.hba.startDataplane(machine.allOnMain());
        GuestSession.begin(driver, machine.guest, ScsiMachine.LIMIT_NANOS);
        try (GuestSession session = new GuestSession(
                driver, machine.guest, 4096, ScsiMachine.LIMIT_NANOS)) {
            session.execute(0, 0, GuestCdb.testUnitReady());
        }
        return driver;
    }

    private static void worksAfterAReset(ScsiMachine machine, GuestScsi driver) {
        machine.await(driver.reset());
        driver.forget();
        GuestSession.begin(driver, machine.guest, ScsiMachine.LIMIT_NANOS);
        try (GuestSession session = new GuestSession(
                driver, machine.guest, 4096, ScsiMachine.LIMIT_NANOS)) {
            assertThat(session.execute(0, 0, GuestCdb.testUnitReady()).isGood()).isTrue();
        }
    }

    private static GuestCommand submit(GuestScsi driver, int queue) {
        GuestCommand command =
                driver.newCommand(null).cdb(0, 0, GuestCdb.testUnitReady());
        assertThat(driver.submit(queue, command)).isTrue();
        driver.kick();
        return command;
    }

    private static GuestCommand read(ScsiMachine machine, GuestScsi driver, int block) {
        GuestCommand command = driver.newCommand(null).cdb(0, 0, GuestCdb.read10(block, 1))
                .dataIn(machine.ram.allocate(512, 512), 512);
        assertThat(driver.submit(0, command)).isTrue();
        return command;
    }

    private static void makeJump(ScsiMachine machine, int queue) {
        long index = machine.hba.queue(queue).availAddress() + 2;
        MemoryMap memory = machine.ram.whole();
        memory.storeRelease16(index, memory.loadAcquire16(index) + 1000);
    }

    private static byte[] usedRing(ScsiMachine machine, int queue) {
        return machine.ram.read(machine.hba.queue(queue).usedAddress(), 6 + 8 * 16);
    }
}
