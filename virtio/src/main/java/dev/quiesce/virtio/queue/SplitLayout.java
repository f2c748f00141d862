package dev.quiesce.virtio.queue;

/**
 * Where the fields of a split virtqueue lie (VirtIO 1.2, 2.7), and what their bits mean.
 *
 * <pre>
 * descriptor table  16 N bytes, aligned 16   { addr64, len32, flags16, next16 } [N]
 * available ring     6 + 2 N,   aligned 2    { flags16, idx16, ring16 [N], used_event16 }
 * used ring          6 + 8 N,   aligned 4    { flags16, idx16, { id32, len32 } [N], avail_event16 }
 * </pre>
 *
 * The event fields exist only with EVENT_IDX; the areas are two bytes shorter without.
 */
final class SplitLayout {

    static final int DESCRIPTOR_BYTES = 16;
    static final int DESCRIPTOR_ALIGNMENT = 16;
    static final int AVAIL_ALIGNMENT = 2;
    static final int USED_ALIGNMENT = 4;

    /** Within a descriptor read as two little-endian words: addr, then len, flags, next. */
    static final int SECOND_WORD = 8;

    static final int FLAGS_SHIFT = 32;
    static final int NEXT_SHIFT = 48;

    static final int DESC_NEXT = 1;
    static final int DESC_WRITE = 2;
    static final int DESC_INDIRECT = 4;

    static final int FLAGS = 0;
    static final int INDEX = 2;
    static final int RING = 4;
    static final int AVAIL_ENTRY_BYTES = 2;
    static final int USED_ENTRY_BYTES = 8;
    static final int USED_LENGTH = 4;
    static final int EVENT_BYTES = 2;

    /** Bit 0 of the available ring's flags: the driver asks for no interrupts. */
    static final int NO_INTERRUPT = 1;

    /** Bit 0 of the used ring's flags: the device asks for no kicks. */
    static final int NO_NOTIFY = 1;

    static final int INDEX_MASK = 0xffff;

    private SplitLayout() {
    }

    static long descriptorBytes(int size) {
        return (long) DESCRIPTOR_BYTES * size;
    }

    static long availBytes(int size, boolean eventIdx) {
        return RING + (long) AVAIL_ENTRY_BYTES * size + (eventIdx ? EVENT_BYTES : 0);
    }

    static long usedBytes(int size, boolean eventIdx) {
        return RING + (long) USED_ENTRY_BYTES * size + (eventIdx ? EVENT_BYTES : 0);
    }

    /** Distance from one free-running index to another. */
    static int distance(int from, int to) {
        return (to - from) & INDEX_MASK;
    }

    static int advance(int index, int by) {
        return (index + by) & INDEX_MASK;
    }
}
