package dev.quiesce.virtio.queue;

import static dev.quiesce.virtio.queue.QueueConfig.EVENT_IDX;
import static dev.quiesce.virtio.queue.QueueConfig.INDIRECT_DESC;
import static dev.quiesce.virtio.queue.QueueConfig.NOTIFY_ON_EMPTY;
import static dev.quiesce.virtio.queue.RawRing.INDIRECT;
import static dev.quiesce.virtio.queue.RawRing.NEXT;
import static dev.quiesce.virtio.queue.RawRing.WRITE;
import static dev.quiesce.virtio.queue.RawRing.buffer;
import static dev.quiesce.virtio.queue.Virtqueue.NOTHING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory that throws breaks the queue; nothing it throws gets out of it. */
class FailingMemoryTest {

    @TempDir private Path directory;

    @Test
    @Rule("MAL-17")
    void shouldBreakWhicheverAccessThrows() {
        Throwable[] failures = {new InternalError("a fault occurred in an unsafe access"),
            new GuestMemoryFault("gone"), new IllegalStateException("closed")};
        for (long events : new long[] {0, EVENT_IDX, NOTIFY_ON_EMPTY}) {
            for (Throwable failure : failures) {
                int accesses = 0;
                while (breaksAfter(accesses, events, failure)) {
                    accesses++;
                }
                assertThat(accesses).as("accesses of one round").isBetween(15, 40);
            }
        }
    }

    @Test
    @Rule("MAL-17")
    void shouldBeBrokenFromTheStartWhenMemoryHasNoMap() {
        IllegalStateException closed = new IllegalStateException("closed");
        GuestMemory memory = () -> {
            throw closed;
        };
        Virtqueue queue = new SplitVirtqueue(new RawRing(16).config(0), memory);

        assertThat(queue.fault()).isEqualTo(QueueFault.MEMORY_FAULT);
        assertThat(queue.faultCause()).isSameAs(closed);
        assertThat(queue.pop(new Chain())).isEqualTo(NOTHING);
    }

    @Test
    @Rule("MAL-17")
    void shouldBreakWhenAMappedFileIsTruncated() throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(directory.resolve("ram").toFile(), "rw")) {
            file.setLength(RawRing.RAM_BYTES);
            MemoryMap map = RegionMap.builder()
                    .add(RawRing.RAM,
                            file.getChannel().map(MapMode.READ_WRITE, 0, RawRing.RAM_BYTES))
                    .mayBeTruncated(true)
                    .build();
            RawRing ring = new RawRing(16, map);
            Virtqueue queue = ring.readable(0, 8).offer(0).queue(0);
            Chain chain = new Chain();
            assertThat(queue.pop(chain)).isZero();

            file.setLength(0);

            assertThat(queue.pop(chain)).isEqualTo(NOTHING);
            assertThat(queue.fault()).isEqualTo(QueueFault.MEMORY_FAULT);
            assertThat(queue.faultCause()).isInstanceOf(InternalError.class);
            queue.push(0, 0);
            assertThat(queue.publish()).isFalse();
        }
    }

    /** Runs one round of everything; false if it ended before the failure was due. */
    private static boolean breaksAfter(int accesses, long events, Throwable failure) {
        RawRing ring = new RawRing(16);
        FailingMap map = new FailingMap(ring.map);
        Virtqueue queue = new SplitVirtqueue(ring.config(events | INDIRECT_DESC), () -> map);
        ring.tableEntry(0, buffer(1), 20, WRITE, 0)
                .descriptor(0, buffer(0), 10, NEXT, 1)
                .descriptor(1, ring.table, 16, INDIRECT, 0)
                .readable(2, 8)
                .offer(0, 2);
        Chain chain = new Chain();

        map.failAfter(accesses, failure);
        queue.isEmpty();
        queue.disableNotify();
        int popped = 0;
        for (int head = queue.pop(chain); head != NOTHING; head = queue.pop(chain)) {
            popped++;
            queue.push(head, 1);
        }
        boolean interrupt = queue.publish();
        boolean pending = queue.enableNotify();

        assertThat(queue.inFlight()).isZero();
        if (map.hasFailed()) {
            assertThat(interrupt && pending).isFalse();
            assertThat(queue.fault()).isEqualTo(QueueFault.MEMORY_FAULT);
            assertThat(queue.faultCause()).isSameAs(failure);
            assertThat(queue.pop(chain)).isEqualTo(NOTHING);
            return true;
        }
        assertThat(popped).isEqualTo(2);
        assertThat(queue.fault()).isNull();
        return false;
    }
}
