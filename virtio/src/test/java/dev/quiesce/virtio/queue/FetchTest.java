package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.RawRing.INDIRECT;
import static dev.quiesce.virtio.queue.RawRing.NEXT;
import static dev.quiesce.virtio.queue.RawRing.WRITE;
import static dev.quiesce.virtio.queue.RawRing.buffer;
import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Popping what a well-behaved driver offers. */
class FetchTest {

    private final RawRing ring = new RawRing(16);
    private final Chain chain = new Chain();

    @Test
    @Rule("VQ-7")
    @Rule("VQ-10")
    void shouldPopHeadsInTheOrderTheyWereOffered() {
        Virtqueue queue = ring.queue(0);
        for (int head = 0; head < 3; head++) {
            ring.readable(head, 8);
        }

        ring.offer(2, 0, 1);

        assertThat(queue.isEmpty()).isFalse();
        assertThat(queue.pop(chain)).isEqualTo(2);
        assertThat(queue.pop(chain)).isZero();
        assertThat(queue.pop(chain)).isEqualTo(1);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.fault()).isNull();
    }

    @Test
    @Rule("VQ-13")
    @Rule("VQ-18")
    @Rule("RVQ-T09")
    @Rule("VQ-2")
    void shouldSplitAChainIntoItsReadableAndItsWritablePart() {
        Virtqueue queue = ring.queue(0);
        ring.descriptor(3, buffer(0), 16, NEXT, 9)
                .descriptor(9, buffer(1), 8, NEXT, 1)
                .descriptor(1, buffer(2), 4, NEXT | WRITE, 15)
                .descriptor(15, buffer(3), 64, WRITE, 0);

        ring.offer(3);
        int head = queue.pop(chain);

        assertThat(head).isEqualTo(3);
        assertThat(chain.head()).isEqualTo(3);
        assertThat(chain.readableBytes()).isEqualTo(24);
        assertThat(chain.readableSegments()).isEqualTo(2);
        assertThat(chain.writableBytes()).isEqualTo(68);
        assertThat(chain.writableSegments()).isEqualTo(2);
        assertThat(chain.memory()).isSameAs(ring.map);
        assertThat(queue.inFlight()).isOne();
    }

    @Test
    @Rule("VQ-13")
    @Rule("RVQ-T15")
    void shouldTakeAChainThatUsesEveryDescriptor() {
        Virtqueue queue = ring.queue(0);
        for (int i = 0; i < 16; i++) {
            ring.descriptor(i, buffer(i), 8, i < 15 ? NEXT : 0, i + 1);
        }

        ring.offer(0);

        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.readableSegments()).isEqualTo(16);
        assertThat(chain.readableBytes()).isEqualTo(128);
    }

    @Test
    @Rule("VQ-13")
    @Rule("RVQ-T17")
    void shouldFollowAnIndirectTableWhateverItsAlignment() {
        for (int misalignment = 0; misalignment < 16; misalignment++) {
            RawRing fresh = new RawRing(16);
            Virtqueue queue = fresh.queue(QueueConfig.INDIRECT_DESC);
            long table = fresh.table + misalignment;
            fresh.entry(table, 0, buffer(0), 10, NEXT, 2)
                    .entry(table, 2, buffer(1), 20, NEXT | WRITE, 1)
                    .entry(table, 1, buffer(2), 30, WRITE, 7)
                    .descriptor(4, table, 48, INDIRECT, 0);

            fresh.offer(4);

            assertThat(queue.pop(chain)).isEqualTo(4);
            assertThat(chain.readableBytes()).isEqualTo(10);
            assertThat(chain.writableBytes()).isEqualTo(50);
        }
    }

    @Test
    @Rule("VQ-13")
    void shouldReadAnIndirectTableThatCrossesRegions() {
        MemoryMap map = RegionMap.builder()
                .add(RawRing.RAM, ByteBuffer.allocateDirect(0x1000))
                .add(RawRing.RAM + 0x1000, ByteBuffer.allocateDirect(RawRing.RAM_BYTES - 0x1000))
                .build();
        RawRing crossing = new RawRing(16, map);
        Virtqueue queue = crossing.queue(QueueConfig.INDIRECT_DESC);
        long table = RawRing.RAM + 0x1000 - 21;
        crossing.entry(table, 0, buffer(0), 10, NEXT, 1)
                .entry(table, 1, RawRing.RAM + 0x1000 - 5, 12, NEXT | WRITE, 2)
                .entry(table, 2, buffer(2), 30, WRITE, 0)
                .descriptor(0, table, 48, INDIRECT, 0);

        crossing.offer(0);

        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.readableBytes()).isEqualTo(10);
        assertThat(chain.writableBytes()).isEqualTo(42);
        assertThat(chain.writableSegments()).isEqualTo(3);
    }

    @Test
    @Rule("VQ-14")
    @Rule("RVQ-T16")
    void shouldAcceptAnIndirectTableAtTheEndOfAChain() {
        Virtqueue queue = ring.queue(QueueConfig.INDIRECT_DESC);
        ring.tableEntry(0, buffer(1), 20, NEXT, 1)
                .tableEntry(1, buffer(2), 30, WRITE, 0)
                .descriptor(0, buffer(0), 10, NEXT, 1)
                .descriptor(1, ring.table, 32, INDIRECT, 0);

        ring.offer(0);

        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.readableBytes()).isEqualTo(30);
        assertThat(chain.writableBytes()).isEqualTo(30);
    }

    @Test
    @Rule("VQ-15")
    void shouldIgnoreTheWriteFlagOfADescriptorWithATable() {
        Virtqueue queue = ring.queue(QueueConfig.INDIRECT_DESC);
        ring.tableEntry(0, buffer(0), 20, 0, 0).descriptor(0, ring.table, 16, INDIRECT | WRITE, 0);

        ring.offer(0);

        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.readableBytes()).isEqualTo(20);
        assertThat(chain.writableBytes()).isZero();
    }

    @Test
    @Rule("VQ-12")
    @Rule("VQ-42")
    @Rule("MAL-16")
    void shouldNotSeeWhatTheDriverWritesIntoARingAfterThePop() {
        Virtqueue queue = ring.queue(QueueConfig.INDIRECT_DESC);
        ring.tableEntry(0, buffer(1), 20, 0, 0)
                .descriptor(0, buffer(0), 10, NEXT, 1)
                .descriptor(1, ring.table, 16, INDIRECT, 0)
                .write(buffer(0), new byte[] {1, 2, 3})
                .offer(0);
        queue.pop(chain);

        ring.fill(ring.descriptors, 256, 0xff).fill(ring.table, 256, 0xff).availSlot(0, 77);

        byte[] header = new byte[3];
        assertThat(chain.copyFromReadable(0, header, 0, 3)).isTrue();
        assertThat(header).containsExactly(1, 2, 3);
        assertThat(chain.readableBytes()).isEqualTo(30);
        queue.push(0, 0);
        queue.publish();
        assertThat(ring.usedId(0)).isZero();
        assertThat(queue.fault()).isNull();
    }

    @Test
    @Rule("VQ-12")
    void shouldReadEachDescriptorWordOnce() {
        CountingMap counting = new CountingMap(ring.map);
        Virtqueue queue = new SplitVirtqueue(
                ring.config(QueueConfig.INDIRECT_DESC), () -> counting);
        ring.tableEntry(0, buffer(1), 20, 0, 0)
                .descriptor(0, buffer(0), 10, NEXT, 1)
                .descriptor(1, ring.table, 16, INDIRECT, 0)
                .offer(0);

        queue.pop(chain);

        assertThat(counting.loads.values()).containsOnly(1);
        assertThat(counting.loads).containsKeys(
                ring.descriptors, ring.descriptors + 8, ring.descriptors + 16, ring.table + 8);
    }

    @Test
    @Rule("VQ-6")
    void shouldTouchNothingAtConstructionAndWriteOnlyTheUsedRing() {
        byte[] before = ring.fill(ring.used, 6 + 8 * 16, 0x55).wholeRam();

        Virtqueue queue = ring.queue(QueueConfig.INDIRECT_DESC);
        assertThat(ring.wholeRam()).isEqualTo(before);

        ring.tableEntry(0, buffer(1), 20, WRITE, 0).descriptor(0, ring.table, 16, INDIRECT, 0);
        ring.offer(0);
        before = ring.wholeRam();
        queue.disableNotify();
        queue.push(queue.pop(chain), 20);
        queue.publish();
        queue.enableNotify();

        byte[] after = ring.wholeRam();
        int used = (int) (ring.used - RawRing.RAM);
        for (int i = 0; i < after.length; i++) {
            if (i < used || i >= used + 12) {
                assertThat(after[i]).isEqualTo(before[i]);
            }
        }
    }

    @Test
    @Rule("VQ-19")
    @Rule("RVQ-T10")
    void shouldFetchAgainWhatWasGivenBackUnserved() {
        Virtqueue queue = ring.queue(0);
        ring.readable(5, 8).readable(6, 8).offer(5, 6);
        queue.pop(chain);
        queue.pop(chain);

        queue.unpop(6);
        queue.unpop(5);

        assertThat(queue.inFlight()).isZero();
        assertThat(queue.state()).isEqualTo(QueueState.START);
        assertThat(queue.pop(chain)).isEqualTo(5);
        assertThat(queue.pop(chain)).isEqualTo(6);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
    }

    @Test
    @Rule("VQ-19")
    void shouldTakeBackOnlyTheHeadPoppedLast() {
        Virtqueue queue = ring.queue(0);
        ring.readable(5, 8).readable(6, 8).offer(5, 6);
        assertThatThrownBy(() -> queue.unpop(0)).isInstanceOf(IllegalStateException.class);
        queue.pop(chain);
        queue.pop(chain);

        assertThatThrownBy(() -> queue.unpop(5)).isInstanceOf(IllegalStateException.class);
        queue.push(6, 0);
        assertThatThrownBy(() -> queue.unpop(6)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldServeBuffersAboveTheInt32Range() {
        MemoryMap map = RegionMap.builder()
                .add(RawRing.RAM, ByteBuffer.allocateDirect(RawRing.RAM_BYTES))
                .add(0xffff_ffff_0000_0000L, ByteBuffer.allocateDirect(0x1000))
                .build();
        RawRing high = new RawRing(16, map);
        Virtqueue queue = high.queue(0);
        high.descriptor(0, 0xffff_ffff_0000_0800L, 0x800, WRITE, 0).offer(0);

        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.copyToWritable(0x7ff, new byte[] {42}, 0, 1)).isTrue();
        assertThat(high.read(0xffff_ffff_0000_0fffL, 1)).containsExactly(42);
    }
}
