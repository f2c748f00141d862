package dev.quiesce.testkit.guest;

import dev.quiesce.virtio.memory.MemoryMap;

/**
 * The fields of a split ring as the driver's side reaches them. Written from the standard, apart
 * from the device's own layout on purpose: a mistake in one of the two shows.
 */
final class RingMemory {

    static final int DESCRIPTOR_BYTES = 16;
    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;

    private static final int INDEX_AT = 2;
    private static final int ENTRIES_AT = 4;

    private final MemoryMap map;
    private final int size;
    private final long descriptors;
    private final long avail;
    private final long used;

    /** Allocates the three areas, zeroed, in one block as a legacy driver lays them out. */
    RingMemory(GuestRam ram, int size) {
        this.map = ram.whole();
        this.size = size;
        int availBytes = 6 + 2 * size;
        int usedBytes = 6 + 8 * size;
        this.descriptors = ram.allocate(DESCRIPTOR_BYTES * size, 16);
        this.avail = ram.allocate(availBytes, 2);
        this.used = ram.allocate(usedBytes, 4);
        ram.fill(descriptors, DESCRIPTOR_BYTES * size, 0);
        ram.fill(avail, availBytes, 0);
        ram.fill(used, usedBytes, 0);
    }

    MemoryMap map() {
        return map;
    }

    int size() {
        return size;
    }

    long descriptorAddress() {
        return descriptors;
    }

    long availAddress() {
        return avail;
    }

    long usedAddress() {
        return used;
    }

    void storeDescriptor(long table, int index, long address, long lengthAndFlags) {
        long at = table + (long) DESCRIPTOR_BYTES * index;
        map.store64(at, address);
        map.store64(at + 8, lengthAndFlags);
    }

    /** The second word of a descriptor. */
    static long lengthAndFlags(int length, int flags, int next) {
        return (length & 0xffff_ffffL) | ((flags & 0xffffL) << 32) | ((next & 0xffffL) << 48);
    }

    void storeAvailFlags(int flags) {
        map.store16(avail, flags);
    }

    int availIndex() {
        return map.load16(avail + INDEX_AT);
    }

    /** Release: descriptors and the entry are seen by whoever sees the index. */
    void publishAvailIndexRelease(int index) {
        map.storeRelease16(avail + INDEX_AT, index);
    }

    void storeAvailEntry(int index, int head) {
        map.store16(avail + ENTRIES_AT + 2L * (index & (size - 1)), head);
    }

    void storeUsedEvent(int index) {
        map.store16(avail + ENTRIES_AT + 2L * size, index);
    }

    int usedFlags() {
        return map.load16(used);
    }

    /** Acquire: used elements and data are read after the index that covers them. */
    int usedIndexAcquire() {
        return map.loadAcquire16(used + INDEX_AT);
    }

    int usedId(int index) {
        return map.load32(used + ENTRIES_AT + 8L * (index & (size - 1)));
    }

    int usedLength(int index) {
        return map.load32(used + ENTRIES_AT + 8L * (index & (size - 1)) + 4);
    }

    int availEvent() {
        return map.load16(used + ENTRIES_AT + 8L * size);
    }

    void storeUsedIndexRelease(int index) {
        map.storeRelease16(used + INDEX_AT, index);
    }

    void fullFence() {
        map.fullFence();
    }

    void free(GuestRam ram) {
        ram.free(descriptors);
        ram.free(avail);
        ram.free(used);
    }
}
