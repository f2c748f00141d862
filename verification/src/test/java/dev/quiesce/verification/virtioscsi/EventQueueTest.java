package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.testkit.guest.HostileRing;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The buffers of the event queue, most of them written into the ring by hand. */
class EventQueueTest {
    private static final int RING = 16;
    private static final int WRITE = 2;
    private static final int NO_EVENT_MISSED = 0x8000_0000;
    private static final int TRANSPORT_RESET = 1;
    private static final int REASON_RESCAN = 1;
    private static final int REASON_REMOVED = 2;

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

    @Test
    @Rule("VSCSI-41")
    @Rule("VSCSI-48")
    @Rule("SCHED-22")
    void shouldSayOnceThatSomethingWasMissedWhenABufferComes() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            HostileRing events = HostileGuest.begin(machine, RING).get(VirtioScsi.EVENT_QUEUE);
            plugAnother(machine);
            assertThat(events.usedIndex()).as("there is no buffer").isZero();

            long first = offer(machine, events, 0);
            assertThat(events.usedIndex()).isEqualTo(1);
            assertThat(event(machine, first).getInt(0)).isEqualTo(NO_EVENT_MISSED);
            long second = offer(machine, events, 1);
            assertThat(events.usedIndex()).as("nothing was missed").isEqualTo(1);
            machine.await(machine.bus.unplug(new ScsiAddress(1, 0)));

            assertThat(events.usedIndex()).isEqualTo(2);
            assertThat(event(machine, second).getInt(0)).isEqualTo(TRANSPORT_RESET);
            assertThat(event(machine, second).getInt(12)).isEqualTo(REASON_REMOVED);
        }
    }

    @Test
    @Rule("VSCSI-48")
    @Rule("DP-18")
    @Rule("SBUG-6")
    void shouldLetALoopThatPollsSleepThoughTheGuestKeepsBuffersPosted() {
        PausingParker parker = new PausingParker();
        LoopSeams seams = LoopSeams.system().withClock(() -> parker.nowNanos).withParker(parker);
        GuestRam ram = GuestRam.direct(1 << 20, 8 << 20);
        try (ScsiMachine machine = new ScsiMachine(seams, 1, 0, ram).plugged(1).begun().settled()) {
            long posted = machine.hba.queue(VirtioScsi.EVENT_QUEUE).availAddress() + 2;
            assertThat(ram.whole().loadAcquire16(posted)).isPositive();
            machine.main.setPolling(new PollParameters(TimeUnit.MICROSECONDS.toNanos(32), 0, 0));
            for (int i = 0; i < 4; i++) {
                parker.whenParked = () -> machine.hba.kickFromGuest(VirtioScsi.EVENT_QUEUE);
                machine.main.poll(Long.MAX_VALUE);
                machine.main.poll(0);
            }
            int[] looks = new int[1];
            ram.replaceMap(new ForwardingMap(ram.whole()) {
                @Override
                public int loadAcquire16(long address) {
                    looks[0] += address == posted ? 1 : 0;
                    return super.loadAcquire16(address);
                }
            });
            parker.reset();

            machine.main.poll(Long.MAX_VALUE);
            assertThat(parker.parks).isEqualTo(1);
            machine.drain(0).close();
            machine.turn();
            parker.reset();
            machine.main.poll(Long.MAX_VALUE);

            assertThat(parker.parks).as("after a section too").isEqualTo(1);
            assertThat(looks[0]).isZero();
            ram.replaceMap(ram.whole());
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

    /** The only descriptor of a buffer, made available and announced; returns the buffer. */
    private static long offer(ScsiMachine machine, HostileRing ring, int head) {
        long buffer = machine.ram.allocate(16, 8);
        ring.descriptor(head, HostileRing.Descriptor.last(buffer, 16, HostileRing.WRITE));
        ring.offer(head);
        machine.hba.kickFromGuest(VirtioScsi.EVENT_QUEUE);
        machine.turn();
        return buffer;
    }

    private static int usedIndex(ScsiMachine machine, QueueSetup ring) {
        return machine.ram.whole().loadAcquire16(ring.usedAddress() + 2);
    }

    private static ByteBuffer event(ScsiMachine machine, long buffer) {
        return ByteBuffer.wrap(machine.ram.read(buffer, 16)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
