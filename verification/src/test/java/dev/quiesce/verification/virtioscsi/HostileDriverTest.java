package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.testkit.guest.HostileRing;
import dev.quiesce.testkit.guest.HostileRing.Descriptor;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a hostile driver writes into a ring breaks that device, and no other. */
class HostileDriverTest {
    private static final int RING = 16;

    private enum Malice {
        INDEX_THAT_JUMPS,
        INDEX_THAT_GOES_BACK,
        HEAD_OUT_OF_RANGE,
        NEXT_OUT_OF_RANGE,
        LOOP,
        EMPTY_BUFFER,
        BUFFER_OUTSIDE_OF_RAM,
        BUFFER_THAT_WRAPS,
        TABLE_THAT_WAS_NOT_NEGOTIATED;

        void writeInto(HostileRing ring, long buffer) {
            int more = HostileRing.WRITE | HostileRing.NEXT;
            switch (this) {
                case INDEX_THAT_JUMPS -> ring.availIndex(1000);
                case INDEX_THAT_GOES_BACK -> ring.availIndex(-1);
                case HEAD_OUT_OF_RANGE -> ring.offer(99);
                case NEXT_OUT_OF_RANGE -> offer(ring, new Descriptor(buffer, 16, more, 99));
                case LOOP -> offer(ring, new Descriptor(buffer, 16, more, 0));
                case EMPTY_BUFFER ->
                    offer(ring, Descriptor.last(buffer, 0, HostileRing.WRITE));
                case BUFFER_OUTSIDE_OF_RAM ->
                    offer(ring, Descriptor.last(1L << 50, 16, HostileRing.WRITE));
                case BUFFER_THAT_WRAPS ->
                    offer(ring, Descriptor.last(-8, 0xFFFF_FFFFL, HostileRing.WRITE));
                case TABLE_THAT_WAS_NOT_NEGOTIATED ->
                    offer(ring, Descriptor.last(buffer, 16, HostileRing.INDIRECT));
            }
        }

        private static void offer(HostileRing ring, Descriptor descriptor) {
            ring.descriptor(0, descriptor).offer(0);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Rule("MAL-2")
    @Rule("MAL-3")
    @Rule("MAL-5")
    @Rule("MAL-6")
    @Rule("MAL-7")
    @Rule("MAL-8")
    @Rule("MAL-11")
    void shouldBreakOnlyTheDeviceWhoseRingIsHostile(Malice malice) {
        for (int queue = 0; queue <= VirtioScsi.FIRST_REQUEST_QUEUE + 1; queue++) {
            try (ScsiMachine machine = ScsiMachine.withDisks(1, 2, 0);
                    ScsiMachine bystander = ScsiMachine.withDisks(1).begun().settled()) {
                List<HostileRing> rings = HostileGuest.begin(machine, RING);
                malice.writeInto(rings.get(queue), machine.ram.allocate(4096, 16));

                machine.hba.kickFromGuest(queue);
                machine.plug(machine.newDisk(new MemoryDriver(1 << 20)), new ScsiAddress(1, 0));
                machine.turn();

                assertThat(machine.hba.status() & DeviceStatus.NEEDS_RESET).isNotZero();
                assertThat(machine.interrupts.configChanges()).isEqualTo(1);
                assertThat(rings.get(queue).usedIndex()).isZero();
                assertThat(bystander.hba.isBroken()).isFalse();
                try (GuestSession session = bystander.session()) {
                    session.read(0, 0, GuestCdb.read10(0, 1), 512);
                    assertThat(session.answer().isGood()).isTrue();
                }
                HostileGuest.worksAfterAReset(machine);
            }
        }
    }
}
