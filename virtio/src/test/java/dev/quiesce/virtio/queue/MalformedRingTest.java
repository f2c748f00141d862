package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.RawRing.INDIRECT;
import static dev.quiesce.virtio.queue.RawRing.NEXT;
import static dev.quiesce.virtio.queue.RawRing.WRITE;
import static dev.quiesce.virtio.queue.RawRing.buffer;
import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** What a driver must not do, one defect each: the queue breaks and nothing is written any more. */
class MalformedRingTest {

    private static final long ROM = 0x9000_0000L;
    private static final int ROM_BYTES = 0x1000;
    private static final long HUGE = 0x10_0000_0000L;

    private final RawRing ring = new RawRing(16, RegionMap.builder()
            .add(RawRing.RAM, ByteBuffer.allocateDirect(RawRing.RAM_BYTES))
            .addReadOnly(ROM, ByteBuffer.allocateDirect(ROM_BYTES))
            .build());
    private final Chain chain = new Chain();

    @Test
    @Rule("MAL-2")
    @Rule("VQ-8")
    void shouldBreakWhenTheAvailableIndexJumps() {
        assertThat(popAfter(ring.availIndex(17))).isEqualTo(QueueFault.INDEX_JUMP);
    }

    @Test
    @Rule("MAL-2")
    @Rule("RVQ-T07")
    void shouldBreakWhenTheAvailableIndexGoesBackwards() {
        Virtqueue queue = ring.queue(0);
        ring.readable(0, 8).readable(1, 8).readable(2, 8).offer(0, 1, 2);
        for (int i = 0; i < 3; i++) {
            queue.push(queue.pop(chain), 0);
        }
        queue.publish();

        ring.availIndex(1);

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.fault()).isEqualTo(QueueFault.INDEX_JUMP);
        assertThat(ring.usedIndex()).isEqualTo(3);
    }

    @Test
    @Rule("VQ-8")
    @Rule("VQ-30")
    @Rule("RVQ-T08")
    void shouldJudgeTheDistanceAndNotTheIndexAtTheWrap() {
        for (int available = 0; available <= 3; available++) {
            RawRing small = new RawRing(2);
            Virtqueue queue = small.queueAt(65535, 0);
            small.readable(0, 8).readable(1, 8).availSlot(65535, 1).availSlot(0, 0);

            small.availIndex(65535 + available);

            int head = queue.pop(chain);
            assertThat(head).isEqualTo(available == 0 || available == 3 ? NOTHING : 1);
            assertThat(queue.fault()).isEqualTo(available == 3 ? QueueFault.INDEX_JUMP : null);
        }
    }

    @Test
    @Rule("MAL-3")
    @Rule("RVQ-T14")
    void shouldBreakWhenAHeadIsOutOfRange() {
        assertThat(popAfter(ring.offer(16))).isEqualTo(QueueFault.HEAD_OUT_OF_RANGE);
        assertThat(popAfter(new RawRing(16).offer(65535)))
                .isEqualTo(QueueFault.HEAD_OUT_OF_RANGE);
    }

    @Test
    @Rule("MAL-4")
    void shouldBreakWhenAHeadIsOfferedAgainBeforeItCameBack() {
        Virtqueue queue = ring.queue(0);
        ring.readable(7, 8).offer(7, 7);

        assertThat(queue.pop(chain)).isEqualTo(7);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.fault()).isEqualTo(QueueFault.HEAD_IN_USE);
    }

    @Test
    @Rule("MAL-4")
    @Rule("VQ-11")
    @Rule("SBUG-31")
    void shouldBreakWhenMoreChainsAreOutstandingThanTheRingHas() {
        Virtqueue queue = ring.queue(0);
        for (int head = 0; head < 16; head++) {
            ring.readable(head, 8).offer(head);
            assertThat(queue.pop(chain)).isEqualTo(head);
        }
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.fault()).isNull();
        assertThat(queue.inFlight()).isEqualTo(16);

        ring.offer(3);

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.fault()).isEqualTo(QueueFault.QUEUE_OVERFULL);
    }

    @Test
    @Rule("VQ-11")
    void shouldCountPushedHeadsAsOutstandingUntilTheyArePublished() {
        RawRing small = new RawRing(2);
        Virtqueue queue = small.queue(0);
        small.readable(0, 8).readable(1, 8).offer(0, 1);
        queue.push(queue.pop(chain), 0);
        queue.push(queue.pop(chain), 0);
        assertThat(queue.inFlight()).isEqualTo(2);

        small.offer(0);

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.fault()).isEqualTo(QueueFault.QUEUE_OVERFULL);
    }

    @Test
    @Rule("MAL-5")
    @Rule("RVQ-T14")
    void shouldBreakWhenTheNextIndexIsOutOfRange() {
        assertThat(popAfter(ring.descriptor(0, buffer(0), 8, NEXT, 16).offer(0)))
                .isEqualTo(QueueFault.NEXT_OUT_OF_RANGE);
        RawRing inTable = new RawRing(16);
        inTable.tableEntry(0, buffer(0), 8, NEXT, 2).descriptor(0, inTable.table, 32, INDIRECT, 0);
        assertThat(popAfter(inTable.offer(0))).isEqualTo(QueueFault.NEXT_OUT_OF_RANGE);
    }

    @Test
    @Rule("MAL-6")
    @Rule("SBUG-11")
    void shouldBreakWhenADescriptorIsEmpty() {
        assertThat(popAfter(ring.descriptor(0, buffer(0), 0, 0, 0).offer(0)))
                .isEqualTo(QueueFault.EMPTY_DESCRIPTOR);
        RawRing writable = new RawRing(16);
        writable.descriptor(0, buffer(0), 8, NEXT, 1).descriptor(1, buffer(1), 0, WRITE, 0);
        assertThat(popAfter(writable.offer(0))).isEqualTo(QueueFault.EMPTY_DESCRIPTOR);
    }

    @Test
    @Rule("MAL-7")
    @Rule("RVQ-T10")
    void shouldBreakWhenAChainHasALoop() {
        assertThat(popAfter(ring.descriptor(0, buffer(0), 8, NEXT, 0).offer(0)))
                .isEqualTo(QueueFault.CHAIN_LOOP);
        RawRing inTable = new RawRing(16);
        inTable.tableEntry(0, buffer(0), 8, NEXT, 1)
                .tableEntry(1, buffer(0), 8, NEXT, 0)
                .descriptor(0, inTable.table, 32, INDIRECT, 0);
        assertThat(popAfter(inTable.offer(0))).isEqualTo(QueueFault.CHAIN_LOOP);
    }

    @Test
    @Rule("MAL-8")
    @Rule("VQ-15")
    void shouldBreakWhenATableWasNotNegotiated() {
        ring.tableEntry(0, buffer(0), 8, 0, 0).descriptor(0, ring.table, 16, INDIRECT, 0).offer(0);
        Virtqueue queue = ring.queue(0);

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.fault()).isEqualTo(QueueFault.INDIRECT_NOT_NEGOTIATED);
    }

    @Test
    @Rule("MAL-8")
    @Rule("RVQ-T18")
    void shouldBreakWhenATableHasABadLength() {
        for (long length : new long[] {0, 1, 15, 17, 33, 16 * 17, 1 << 20, 0xffff_fff0L}) {
            RawRing fresh = new RawRing(16);
            fresh.descriptor(0, fresh.table, length, INDIRECT, 0).offer(0);

            assertThat(popAfter(fresh)).as("length %s", length)
                    .isEqualTo(QueueFault.INDIRECT_LENGTH);
        }
    }

    @Test
    @Rule("MAL-8")
    void shouldBreakWhenATableIsNotRam() {
        for (long table : new long[] {0, RawRing.RAM - 16, RawRing.RAM + RawRing.RAM_BYTES - 16,
                -16L, 0x7fff_ffff_ffff_fff0L}) {
            RawRing fresh = new RawRing(16);
            fresh.descriptor(0, table, 32, INDIRECT, 0).offer(0);

            assertThat(popAfter(fresh)).isEqualTo(QueueFault.INDIRECT_UNMAPPED);
        }
    }

    @Test
    @Rule("MAL-8")
    @Rule("VQ-14")
    @Rule("RVQ-T16")
    @Rule("RVQ-T18")
    void shouldBreakWhenATableIsNestedOrFollowed() {
        ring.tableEntry(0, ring.table, 16, INDIRECT, 0).descriptor(0, ring.table, 16, INDIRECT, 0);
        assertThat(popAfter(ring.offer(0))).isEqualTo(QueueFault.INDIRECT_NESTED);

        RawRing followed = new RawRing(16);
        followed.tableEntry(0, buffer(0), 8, 0, 0)
                .descriptor(0, followed.table, 16, INDIRECT | NEXT, 1)
                .descriptor(1, buffer(1), 8, 0, 0);
        assertThat(popAfter(followed.offer(0))).isEqualTo(QueueFault.INDIRECT_WITH_NEXT);
    }

    @Test
    @Rule("MAL-9")
    void shouldBreakWhenAReadableDescriptorFollowsAWritableOne() {
        ring.descriptor(0, buffer(0), 8, NEXT | WRITE, 1).descriptor(1, buffer(1), 8, 0, 0);
        assertThat(popAfter(ring.offer(0))).isEqualTo(QueueFault.READABLE_AFTER_WRITABLE);
    }

    @Test
    @Rule("MAL-10")
    @Rule("VQ-16")
    void shouldBreakWhenAChainHasTooManySegments() {
        RawRing large = new RawRing(2048);
        for (int i = 0; i < 1024; i++) {
            int flags = (i < 1023 ? NEXT : 0) | (i >= 700 ? WRITE : 0);
            large.descriptor(i, buffer(i), 1, flags, i + 1);
        }
        Virtqueue queue = large.offer(0).queue(0);
        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.readableSegments() + chain.writableSegments()).isEqualTo(1024);

        large.descriptor(1024, buffer(0), 1, NEXT | WRITE, 0).availIndex(0);
        large.descriptor(1023, buffer(1023), 1, NEXT | WRITE, 1024);

        assertThat(popAfter(large.offer(0))).isEqualTo(QueueFault.TOO_MANY_SEGMENTS);
    }

    @Test
    @Rule("MAL-11")
    @Rule("MAL-12")
    void shouldBreakWhenABufferIsNotRam() {
        long end = RawRing.RAM + RawRing.RAM_BYTES;
        long[][] buffers = {{0, 1}, {RawRing.RAM - 1, 2}, {end - 1, 2}, {end, 1}, {-1, 1},
            {-8, 16}, {RawRing.RAM, 0xffff_0000L}, {Long.MIN_VALUE, 8}};
        for (long[] buffer : buffers) {
            RawRing fresh = new RawRing(16);
            fresh.descriptor(0, buffer(0), 8, NEXT, 1)
                    .descriptor(1, buffer[0], buffer[1], WRITE, 0)
                    .offer(0);

            assertThat(popAfter(fresh)).isEqualTo(QueueFault.BUFFER_UNMAPPED);
        }
    }

    @Test
    @Rule("MAL-11")
    void shouldBreakWhenAWritableBufferIsInReadOnlyMemory() {
        Virtqueue readable = ring.descriptor(0, ROM, 16, 0, 0).offer(0).queue(0);
        assertThat(readable.pop(chain)).isZero();

        ring.availIndex(0).descriptor(0, ROM, 16, WRITE, 0);

        assertThat(popAfter(ring.offer(0))).isEqualTo(QueueFault.BUFFER_UNMAPPED);
    }

    @Test
    @Rule("MAL-13")
    @Rule("RVQ-T10")
    void shouldBreakWhenAChainIsLongerThanTheStandardAllows() {
        MemoryMap vast = new RepeatingMap(ring.map, HUGE, 1L << 33);
        RawRing fits = new RawRing(16, vast);
        fits.descriptor(0, HUGE, 0xffff_ffffL, NEXT, 1).descriptor(1, HUGE, 1, WRITE, 0);
        Virtqueue queue = fits.offer(0).queue(0);
        assertThat(queue.pop(chain)).isZero();
        assertThat(chain.readableBytes() + chain.writableBytes()).isEqualTo(1L << 32);

        fits.availIndex(0).descriptor(1, HUGE, 2, WRITE, 0);

        assertThat(popAfter(fits.offer(0))).isEqualTo(QueueFault.CHAIN_TOO_LONG);
    }

    @Test
    @Rule("VQ-17")
    @Rule("VQ-20")
    @Rule("MAL-30")
    void shouldWriteNothingToTheGuestAfterADefect() {
        Virtqueue queue = ring.queue(QueueConfig.EVENT_IDX);
        ring.readable(0, 8).readable(1, 8).readable(2, 8).offer(0, 1, 2, 99);
        queue.pop(chain);
        queue.pop(chain);
        queue.pop(chain);
        queue.push(0, 4);
        byte[] before = ring.wholeRam();

        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        queue.push(1, 4);
        queue.drop(2);
        queue.disableNotify();

        assertThat(queue.publish()).isFalse();
        assertThat(queue.enableNotify()).isFalse();
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.isEmpty()).isTrue();
        assertThat(queue.inFlight()).isZero();
        assertThat(chain.head()).isEqualTo(NOTHING);
        assertThat(ring.wholeRam()).isEqualTo(before);
    }

    @Test
    @Rule("VQ-17")
    void shouldLeaveNothingInFlightForAChainThatWasRefused() {
        Virtqueue queue = ring.queue(0);
        ring.readable(0, 8).offer(0, 16);
        queue.pop(chain);

        queue.pop(chain);

        assertThat(queue.fault()).isEqualTo(QueueFault.HEAD_OUT_OF_RANGE);
        assertThat(queue.inFlight()).isOne();
        assertThat(chain.head()).isEqualTo(NOTHING);
        assertThat(chain.readableSegments()).isZero();
        assertThat(chain.memory()).isNull();
    }

    @Test
    void shouldKeepTheFirstFault() {
        Virtqueue queue = ring.queue(0);

        queue.breakWith(QueueFault.HEADER_TOO_SHORT);
        queue.breakWith(QueueFault.DEVICE_BROKEN);

        assertThat(queue.fault()).isEqualTo(QueueFault.HEADER_TOO_SHORT);
        assertThat(queue.fault().rule()).isEqualTo("MAL-14");
        assertThat(queue.faultCause()).isNull();
    }

    @Test
    @Rule("MAL-32")
    void shouldNotBreakARingByLookingAtIt() {
        Virtqueue queue = ring.queue(0);
        ring.availIndex(1000);

        assertThat(queue.isEmpty()).isFalse();
        assertThat(queue.state()).isEqualTo(QueueState.START);
        assertThat(queue.inFlight()).isZero();
        assertThat(queue.notifyEnabled()).isTrue();
        assertThat(queue.fault()).isNull();
    }

    private QueueFault popAfter(RawRing prepared) {
        byte[] before = prepared.wholeRam();
        Virtqueue queue = prepared.queue(QueueConfig.INDIRECT_DESC);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(queue.pop(chain)).isEqualTo(NOTHING);
        assertThat(chain.head()).isEqualTo(NOTHING);
        assertThat(queue.inFlight()).isZero();
        assertThat(prepared.wholeRam()).isEqualTo(before);
        return queue.fault();
    }
}
