package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;

/** The fields of one ring in one memory map; immutable, made anew when the map changes. */
final class SplitRing {

    private final MemoryMap map;
    private final long avail;
    private final long used;
    private final int mask;
    private final long usedEvent;
    private final long availEvent;
    private final boolean ordered;

    /** The caller has found no defect in the configuration for this map. */
    SplitRing(QueueConfig config, MemoryMap map) {
        this.map = map;
        this.avail = config.availAddress();
        this.used = config.usedAddress();
        this.mask = config.size() - 1;
        this.usedEvent = avail + SplitLayout.availBytes(config.size(), false);
        this.availEvent = used + SplitLayout.usedBytes(config.size(), false);
        this.ordered = map.guestStoresOrdered();
    }

    MemoryMap map() {
        return map;
    }

    /** Whether the driver's stores may be read without a kick that hands them over. */
    boolean isOrdered() {
        return ordered;
    }

    /** Acquire: the ring entries and descriptors before it are read after it (VQ-9). */
    int availIndexAcquire() {
        return map.loadAcquire16(avail + SplitLayout.INDEX);
    }

    int headAt(int availIndex) {
        return map.load16(avail + SplitLayout.RING
                + (long) SplitLayout.AVAIL_ENTRY_BYTES * (availIndex & mask));
    }

    boolean isInterruptSuppressed() {
        return (map.load16(avail + SplitLayout.FLAGS) & SplitLayout.NO_INTERRUPT) != 0;
    }

    int usedEvent() {
        return map.load16(usedEvent);
    }

    /** Written by the device alone; read only when a ring is taken over from another one. */
    int usedIndex() {
        return map.load16(used + SplitLayout.INDEX);
    }

    void storeUsedElement(int usedIndex, int head, int writtenBytes) {
        long at = used + SplitLayout.RING
                + (long) SplitLayout.USED_ENTRY_BYTES * (usedIndex & mask);
        map.store32(at, head);
        map.store32(at + SplitLayout.USED_LENGTH, writtenBytes);
    }

    /** Release: data and used elements are seen by whoever sees the index (VQ-22). */
    void publishUsedIndexRelease(int usedIndex) {
        map.storeRelease16(used + SplitLayout.INDEX, usedIndex);
    }

    void storeUsedFlags(int flags) {
        map.store16(used + SplitLayout.FLAGS, flags);
    }

    void storeAvailEvent(int index) {
        map.store16(availEvent, index);
    }

    void fullFence() {
        map.fullFence();
    }
}
