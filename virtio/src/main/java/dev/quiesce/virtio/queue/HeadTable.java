package dev.quiesce.virtio.queue;

import java.util.Arrays;

/** Which heads the device holds, and in which order it fetched them; as large as the ring. */
final class HeadTable {

    private static final char NEVER = 0xffff; // heads are below 32768

    private final int size;
    private final long[] outstanding;

    /** Head fetched at an available index, by slot. */
    private final char[] fetched;

    private int count;

    HeadTable(int size) {
        this.size = size;
        this.outstanding = new long[(size + Long.SIZE - 1) / Long.SIZE];
        this.fetched = new char[size];
        Arrays.fill(fetched, NEVER);
    }

    int count() {
        return count;
    }

    boolean isOutstanding(int head) {
        return head >= 0 && head < size && (outstanding[head / Long.SIZE] & bit(head)) != 0;
    }

    /** The device holds the head from now on. */
    void take(int head) {
        assert head < size && !isOutstanding(head);
        outstanding[head / Long.SIZE] |= bit(head);
        count++;
    }

    void recordFetch(int availIndex, int head) {
        fetched[availIndex & (size - 1)] = (char) head;
    }

    boolean wasFetchedAt(int availIndex, int head) {
        return size > 0 && fetched[availIndex & (size - 1)] == head;
    }

    /** The device gave the head back. */
    void release(int head) {
        if (!isOutstanding(head)) {
            throw new IllegalArgumentException(
                    "head " + head + " is not outstanding on this queue of " + size);
        }
        outstanding[head / Long.SIZE] &= ~bit(head);
        count--;
    }

    private static long bit(int head) {
        return 1L << head; // the shift counts modulo 64
    }
}
