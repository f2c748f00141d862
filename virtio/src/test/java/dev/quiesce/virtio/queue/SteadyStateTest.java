package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.RawRing.INDIRECT;
import static dev.quiesce.virtio.queue.RawRing.NEXT;
import static dev.quiesce.virtio.queue.RawRing.WRITE;
import static dev.quiesce.virtio.queue.RawRing.buffer;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.SegmentSink;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** What runs for every request must not allocate (I8). */
class SteadyStateTest {

    private static final int ROUNDS = 20_000;

    @Test
    @Rule("I8")
    void shouldAllocateNothingPerChain() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        RawRing ring = new RawRing(64);
        SplitVirtqueue queue = ring.queue(QueueConfig.INDIRECT_DESC | QueueConfig.EVENT_IDX);
        Chain chain = new Chain();
        byte[] header = new byte[51];
        long[] seen = {0};
        SegmentSink sink = (base, offset, length) -> {
            seen[0] += length;
            return true;
        };
        for (int i = 0; i < 12; i++) {
            int flags = (i < 11 ? NEXT : 0) | (i >= 6 ? WRITE : 0);
            ring.tableEntry(i, buffer(i), 64, flags, i + 1);
        }
        ring.descriptor(0, ring.table, 12 * 16, INDIRECT, 0);

        long least = Long.MAX_VALUE;
        for (int batch = 0; batch < 5; batch++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < ROUNDS; i++) {
                ring.availSlot(ring.availIndex(), 0).availIndex(ring.availIndex() + 1);
                queue.disableNotify();
                int head = queue.pop(chain);
                chain.copyFromReadable(0, header, 0, header.length);
                chain.writable(0, 100, sink);
                chain.copyToWritable(0, header, 0, 12);
                queue.push(head, 12);
                queue.publish();
                queue.enableNotify();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }

        assertThat(queue.fault()).isNull();
        assertThat(seen[0]).isEqualTo(5L * ROUNDS * 100);
        assertThat(least).as("bytes in %s rounds", ROUNDS).isLessThan(ROUNDS);
    }
}
