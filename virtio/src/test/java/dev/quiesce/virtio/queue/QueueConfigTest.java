package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** What a driver wrote into the registers: judged when the queue is enabled, never thrown about. */
class QueueConfigTest {

    private static final long ROM = 0x9000_0000L;
    private static final MemoryMap MAP = RegionMap.builder()
            .add(0x1000, ByteBuffer.allocateDirect(0x1000))
            .add(0x2000, ByteBuffer.allocateDirect(0x1000))
            .addReadOnly(ROM, ByteBuffer.allocateDirect(0x1000))
            .add(-0x1000L, ByteBuffer.allocateDirect(0x1000))
            .build();

    @Test
    @Rule("VQ-1")
    @Rule("VQ-38")
    @Rule("RVQ-T01")
    @Rule("RVQ-T12")
    void shouldAcceptPowersOfTwoUpToTheLargest() {
        MemoryMap large = RegionMap.builder().add(0, ByteBuffer.allocate(1 << 20)).build();
        for (int size = 1; size <= QueueConfig.SIZE_MAX; size *= 2) {
            assertThat(config(size, 0, 0x9_0000, 0xb_0000).defect(large)).isNull();
        }
        for (int size : new int[] {0, -1, 3, 11, 15, 17, 32767, 65536, Integer.MIN_VALUE}) {
            assertThat(config(size, 0, 0x9_0000, 0xb_0000).defect(large))
                    .isEqualTo(QueueFault.RING_SIZE);
        }
    }

    @Test
    @Rule("VQ-1")
    @Rule("MAL-1")
    @Rule("RVQ-T01")
    @Rule("RVQ-T12")
    void shouldRefuseMisalignedAreas() {
        assertThat(config(4, 0x1000, 0x1100, 0x1200).defect(MAP)).isNull();
        for (long off = 1; off < 16; off++) {
            assertThat(config(4, 0x1000 + off, 0x1100, 0x1200).defect(MAP))
                    .isEqualTo(QueueFault.RING_MISALIGNED);
        }
        assertThat(config(4, 0x1000, 0x1101, 0x1200).defect(MAP))
                .isEqualTo(QueueFault.RING_MISALIGNED);
        assertThat(config(4, 0x1000, 0x1102, 0x1202).defect(MAP))
                .isEqualTo(QueueFault.RING_MISALIGNED);
        assertThat(config(4, 0x1000, 0x1102, 0x1204).defect(MAP)).isNull();
    }

    @Test
    @Rule("VQ-3")
    @Rule("MAL-1")
    @Rule("RVQ-T01")
    void shouldRefuseAreasThatAreNotRamInOneRegion() {
        assertThat(config(4, 0x3000, 0x1100, 0x1200).defect(MAP))
                .isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(config(4, 0x1000, 0x3000, 0x1200).defect(MAP))
                .isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(config(4, 0x1000, 0x1100, 0x3000).defect(MAP))
                .isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(config(4, 0x1fd0, 0x1100, 0x1200).defect(MAP)).as("straddles")
                .isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(config(4, 0x1000, -8, 0x1200).defect(MAP)).as("wraps")
                .isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(config(4, -64, 0x1100, 0x1200).defect(MAP)).as("ends at 2^64").isNull();
    }

    @Test
    @Rule("VQ-3")
    @Rule("VQ-6")
    void shouldDemandWritableMemoryForTheUsedRingOnly() {
        assertThat(config(4, ROM, ROM + 0x100, 0x1200).defect(MAP)).isNull();
        assertThat(config(4, 0x1000, 0x1100, ROM).defect(MAP)).isEqualTo(QueueFault.RING_UNMAPPED);
    }

    @Test
    @Rule("VQ-1")
    void shouldDemandRoomForTheEventFieldsWhenTheyWereNegotiated() {
        long availWithout = 0x3000 - (4 + 2 * 4);
        long usedWithout = 0x3000 - (4 + 8 * 4);
        QueueConfig avail = config(4, 0x1000, availWithout, 0x1200);
        QueueConfig used = config(4, 0x1000, 0x1100, usedWithout);

        assertThat(avail.defect(MAP)).isNull();
        assertThat(used.defect(MAP)).isNull();
        assertThat(withEvents(avail).defect(MAP)).isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(withEvents(used).defect(MAP)).isEqualTo(QueueFault.RING_UNMAPPED);
        assertThat(withEvents(config(4, 0x1000, availWithout - 2, usedWithout - 4)).defect(MAP))
                .isNull();
    }

    @Test
    @Rule("VQ-7")
    @Rule("MAL-1")
    @Rule("RVQ-T11")
    @Rule("RVQ-T13")
    void shouldMakeAQueueThatIsBrokenFromTheStart() {
        for (QueueConfig bad : new QueueConfig[] {config(0, -1, -1, -1), config(11, 0, 0, 0),
                config(16, 0xf, 0x1100, 0x1200), config(32768, 0x1000, 0x1100, 0x1200)}) {
            SplitVirtqueue queue = new SplitVirtqueue(bad, GuestMemory.fixed(MAP));
            Chain chain = new Chain();

            assertThat(queue.fault()).isEqualTo(bad.defect(MAP)).isNotNull();
            assertThat(queue.size()).isZero();
            assertThat(queue.pop(chain)).isEqualTo(NOTHING);
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue.publish()).isFalse();
            assertThat(queue.enableNotify()).isFalse();
            queue.disableNotify();
            assertThat(queue.inFlight()).isZero();
            assertThat(queue.state()).isEqualTo(QueueState.START);
        }
    }

    @Test
    @Rule("VQ-41")
    void shouldSizeItsTablesByTheDriversChoice() {
        MemoryMap large = RegionMap.builder().add(0, ByteBuffer.allocate(1 << 20)).build();
        Virtqueue queue = new SplitVirtqueue(
                config(32768, 0, 0x9_0000, 0xb_0000), GuestMemory.fixed(large));
        large.store64(16 * 32767L, 0xe_0000);
        large.store64(16 * 32767L + 8, 8);
        large.store16(0x9_0004, 32767);
        large.storeRelease16(0x9_0002, 1);

        assertThat(queue.size()).isEqualTo(32768);
        assertThat(queue.pop(new Chain())).isEqualTo(32767);
    }

    private static QueueConfig config(int size, long descriptors, long avail, long used) {
        return new QueueConfig(size, descriptors, avail, used, 0);
    }

    private static QueueConfig withEvents(QueueConfig c) {
        return new QueueConfig(c.size(), c.descriptorAddress(), c.availAddress(), c.usedAddress(),
                QueueConfig.EVENT_IDX);
    }
}
