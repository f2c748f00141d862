package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** The buffers of the event queue, written into the ring by hand. */
class EventQueueTest {
    private static final int RING = 16;
    private static final int WRITE = 2;
    private static final int NO_EVENT_MISSED = 0x8000_0000;
    private static final int TRANSPORT_RESET = 1;
    private static final int REASON_RESCAN = 1;

    @Test
    @Rule("VSCSI-41")
    @Rule("VQ-26")
    @Rule("VSCSI-47")
    void shouldUseABufferThatComesWhileItAsksToBeToldOfOne() {
        for (boolean eventIdx : new boolean[] {false, true}) {
            try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
                GuestScsi driver = begin(machine, eventIdx);
                QueueSetup ring = machine.hba.queue(VirtioScsi.EVENT_QUEUE);
                long buffer = machine.ram.allocate(16, 8);
                boolean[] offered = {false};
                machine.ram.replaceMap(new ForwardingMap(machine.ram.whole()) {
                    @Override
                    public void fullFence() {
                        super.fullFence();
                        if (!offered[0]) {
                            offered[0] = true;
                            offer(machine, ring, buffer, 16);
                        }
                    }
                });

                plugAnother(machine);
                machine.turn();

                assertThat(offered[0]).isTrue();
                assertThat(usedIndex(machine, ring)).isEqualTo(1);
                ByteBuffer event = event(machine, buffer);
                assertThat(event.getInt(0)).isEqualTo(TRANSPORT_RESET);
                assertThat(event.getInt(12)).isEqualTo(REASON_RESCAN);
                end(machine, driver);
            }
        }
    }

    @Test
    @Rule("VSCSI-43")
    void shouldSayThatSomethingWasMissedInABufferThatIsTooSmall() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            GuestScsi driver = begin(machine, true);
            QueueSetup ring = machine.hba.queue(VirtioScsi.EVENT_QUEUE);
            long buffer = machine.ram.allocate(16, 8);
            machine.ram.fill(buffer, 16, 0x55);
            offer(machine, ring, buffer, 8);

            plugAnother(machine);

            assertThat(usedIndex(machine, ring)).isEqualTo(1);
            assertThat(machine.ram.whole().load32(ring.usedAddress() + 8)).isEqualTo(8);
            assertThat(event(machine, buffer).getInt(0)).isEqualTo(NO_EVENT_MISSED);
            assertThat(event(machine, buffer).getInt(8)).isEqualTo(0x5555_5555);
            assertThat(machine.hba.isBroken()).isFalse();
            end(machine, driver);
        }
    }

    @Test
    @Rule("MAL-17")
    void shouldBreakOnlyItsDeviceWhenTheMemoryOfABufferIsGone() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            GuestScsi driver = begin(machine, true);
            QueueSetup ring = machine.hba.queue(VirtioScsi.EVENT_QUEUE);
            long page = 1L << 30;
            machine.ram.replaceMap(new VanishingMap(machine.ram.whole(), page,
                    ByteBuffer.allocateDirect(4096).asReadOnlyBuffer()));
            offer(machine, ring, page, 16);

            plugAnother(machine);

            assertThat(machine.hba.status() & DeviceStatus.NEEDS_RESET).isNotZero();
            assertThat(usedIndex(machine, ring)).isZero();
            assertThat(machine.bus.find(1, 0)).isSameAs(machine.disks.get(1));
            machine.ram.replaceMap(machine.ram.whole());
            end(machine, driver);
        }
    }

    private static GuestScsi begin(ScsiMachine machine, boolean eventIdx) {
        GuestScsi driver = new GuestScsi(machine.hba, machine.ram,
                new GuestScsiConfig(RING, true, eventIdx, 0), machine.main.clock());
        machine.hba.startDataplane(machine.allOnMain());
        GuestSession.begin(driver, machine.guest, ScsiMachine.LIMIT_NANOS);
        return driver;
    }

    private static void end(ScsiMachine machine, GuestScsi driver) {
        machine.await(driver.reset());
        driver.forget();
    }

    private static void plugAnother(ScsiMachine machine) {
        machine.plug(machine.newDisk(new MemoryDriver(MemoryConfig.direct(1 << 20))),
                new ScsiAddress(1, 0));
    }

    /** Descriptor 0, published as the first available one; nobody kicks. */
    private static void offer(ScsiMachine machine, QueueSetup ring, long buffer, int bytes) {
        MemoryMap memory = machine.ram.whole();
        memory.store64(ring.descriptorAddress(), buffer);
        memory.store64(ring.descriptorAddress() + 8, bytes | (long) WRITE << Integer.SIZE);
        memory.store16(ring.availAddress() + 4, 0);
        memory.storeRelease16(ring.availAddress() + 2, 1);
    }

    private static int usedIndex(ScsiMachine machine, QueueSetup ring) {
        return machine.ram.whole().loadAcquire16(ring.usedAddress() + 2);
    }

    private static ByteBuffer event(ScsiMachine machine, long buffer) {
        return ByteBuffer.wrap(machine.ram.read(buffer, 16)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
