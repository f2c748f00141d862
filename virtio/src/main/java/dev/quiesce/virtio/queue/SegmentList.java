package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.SegmentSink;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** The host segments of one part of a chain; its arrays grow to what the driver sends and stay. */
final class SegmentList implements SegmentSink {

    private static final int INITIAL_CAPACITY = 4;

    private ByteBuffer[] bases = new ByteBuffer[INITIAL_CAPACITY];
    private int[] offsets = new int[INITIAL_CAPACITY];
    private int[] lengths = new int[INITIAL_CAPACITY];
    private int count;
    private long bytes;
    private int limit = Chain.SEGMENTS_MAX;

    /** Forgets the segments, and the buffers with them. */
    void clear() {
        Arrays.fill(bases, 0, count, null);
        count = 0;
        bytes = 0;
    }

    /** At most this many segments from now on: {@link #accept} says stop beyond. */
    void limitTo(int segments) {
        limit = segments;
    }

    int count() {
        return count;
    }

    long bytes() {
        return bytes;
    }

    boolean isFull() {
        return count == limit;
    }

    @Override
    public boolean accept(ByteBuffer base, int offset, int length) {
        if (count == limit) {
            return false;
        }
        if (count == bases.length) {
            grow();
        }
        bases[count] = base;
        offsets[count] = offset;
        lengths[count] = length;
        count++;
        bytes += length;
        return true;
    }

    boolean contains(long offset, long length) {
        return offset >= 0 && length >= 0 && offset <= bytes && length <= bytes - offset;
    }

    /** A sub-range, segment by segment; the caller asked {@link #contains}. */
    boolean forEach(long offset, long length, SegmentSink sink) {
        long skip = offset;
        long left = length;
        for (int i = 0; left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(left, lengths[i] - skip);
            if (!sink.accept(bases[i], offsets[i] + (int) skip, part)) {
                return false;
            }
            left -= part;
            skip = 0;
        }
        return true;
    }

    /** Copies a sub-range out; the caller asked {@link #contains}. */
    void copyTo(long offset, byte[] target, int at, int length) {
        long skip = offset;
        int done = 0;
        for (int i = 0; done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(length - done, lengths[i] - skip);
            bases[i].get(offsets[i] + (int) skip, target, at + done, part);
            done += part;
            skip = 0;
        }
    }

    /** Copies into a sub-range; the caller asked {@link #contains}. */
    void copyFrom(long offset, byte[] source, int at, int length) {
        long skip = offset;
        int done = 0;
        for (int i = 0; done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(length - done, lengths[i] - skip);
            bases[i].put(offsets[i] + (int) skip, source, at + done, part);
            done += part;
            skip = 0;
        }
    }

    private void grow() {
        int capacity = bases.length * 2;
        bases = Arrays.copyOf(bases, capacity);
        offsets = Arrays.copyOf(offsets, capacity);
        lengths = Arrays.copyOf(lengths, capacity);
    }
}
