package dev.quiesce.driver.memory;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of a memory driver by their number, as many as {@link MemoryConfig} allows. Any
 * thread.
 */
final class ChunkTable {
    /*
     * Two levels, because the table grows while others use it: a segment, once made, never moves,
     * so a chunk published in it is seen by everybody who looks there later. Only the directory is
     * replaced by a longer one, under the monitor, which every new segment needs as well: so none
     * gets lost between the old directory and the new one. That is once per 1024 chunks.
     */
    private static final int SEGMENT_CHUNKS = 1 << 10;

    /** Replaced, and its slots filled, under the monitor; read by any. */
    private volatile AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable ByteBuffer>>
            directory = new AtomicReferenceArray<>(1);

    /** The chunk of this number, or null if it reads as zeroes. */
    @Nullable ByteBuffer get(int index) {
        AtomicReferenceArray<@Nullable ByteBuffer> segment = segmentOrNull(index / SEGMENT_CHUNKS);
        return segment == null ? null : segment.get(index % SEGMENT_CHUNKS);
    }

    /** Publishes a zeroed chunk unless another was first; returns the one that counts. */
    ByteBuffer publish(int index, ByteBuffer fresh) {
        // Sequentially consistent: publishes the zeroed chunk; of two writers one wins.
        ByteBuffer winner = segment(index / SEGMENT_CHUNKS)
                .compareAndExchange(index % SEGMENT_CHUNKS, null, fresh);
        return winner == null ? fresh : winner;
    }

    /** Drops a chunk, if it is there. */
    void drop(int index) {
        AtomicReferenceArray<@Nullable ByteBuffer> segment = segmentOrNull(index / SEGMENT_CHUNKS);
        if (segment != null) {
            segment.set(index % SEGMENT_CHUNKS, null);
        }
    }

    /** Drops all chunks from a number on. */
    void dropFrom(int first) {
        AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable ByteBuffer>> all = directory;
        for (int i = first / SEGMENT_CHUNKS; i < all.length(); i++) {
            AtomicReferenceArray<@Nullable ByteBuffer> segment = all.get(i);
            int from = i == first / SEGMENT_CHUNKS ? first % SEGMENT_CHUNKS : 0;
            for (int at = from; segment != null && at < SEGMENT_CHUNKS; at++) {
                segment.set(at, null);
            }
        }
    }

    /** How many chunks exist now. */
    long count() {
        AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable ByteBuffer>> all = directory;
        long count = 0;
        for (int i = 0; i < all.length(); i++) {
            AtomicReferenceArray<@Nullable ByteBuffer> segment = all.get(i);
            for (int at = 0; segment != null && at < SEGMENT_CHUNKS; at++) {
                count += segment.get(at) == null ? 0 : 1;
            }
        }
        return count;
    }

    private @Nullable AtomicReferenceArray<@Nullable ByteBuffer> segmentOrNull(int number) {
        AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable ByteBuffer>> all = directory;
        return number < all.length() ? all.get(number) : null;
    }

    private AtomicReferenceArray<@Nullable ByteBuffer> segment(int number) {
        AtomicReferenceArray<@Nullable ByteBuffer> known = segmentOrNull(number);
        return known == null ? makeSegment(number) : known;
    }

    private synchronized AtomicReferenceArray<@Nullable ByteBuffer> makeSegment(int number) {
        AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable ByteBuffer>> all = directory;
        if (number >= all.length()) {
            AtomicReferenceArray<@Nullable AtomicReferenceArray<@Nullable ByteBuffer>> more =
                    new AtomicReferenceArray<>(Math.max(number + 1, 2 * all.length()));
            for (int i = 0; i < all.length(); i++) {
                more.set(i, all.get(i));
            }
            directory = more;
            all = more;
        }
        if (all.get(number) == null) {
            all.set(number, new AtomicReferenceArray<>(SEGMENT_CHUNKS));
        }
        return Objects.requireNonNull(all.get(number));
    }
}
