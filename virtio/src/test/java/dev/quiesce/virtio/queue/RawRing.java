package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A ring and some RAM that a test writes field by field. Offsets are from the standard, not from
 * main.
 */
final class RawRing {

    static final int NEXT = 1;
    static final int WRITE = 2;
    static final int INDIRECT = 4;

    static final long RAM = 0x10_0000;

    /** Above the rings and the table, also those of the largest size. */
    static final long BUFFERS = RAM + 0x18_0000;

    static final int RAM_BYTES = 0x20_0000;

    final int size;
    final long descriptors;
    final long avail;
    final long used;
    final long table;
    final MemoryMap map;
    GuestMemory memory;

    RawRing(int size) {
        this(size, RegionMap.builder().add(RAM, ByteBuffer.allocateDirect(RAM_BYTES)).build());
    }

    RawRing(int size, MemoryMap map) {
        this.size = size;
        this.descriptors = RAM;
        this.avail = descriptors + 16L * size;
        this.used = (avail + 6 + 2L * size + 3) & ~3L;
        this.table = (used + 6 + 8L * size + 15) & ~15L;
        this.map = map;
        this.memory = GuestMemory.fixed(map);
    }

    QueueConfig config(long features) {
        return new QueueConfig(size, descriptors, avail, used, features);
    }

    SplitVirtqueue queue(long features) {
        return new SplitVirtqueue(config(features), memory);
    }

    /** A queue that starts at an index other than zero, in memory as well. */
    SplitVirtqueue queueAt(int index, long features) {
        map.store16(avail + 2, index);
        map.store16(used + 2, index);
        return SplitVirtqueue.restore(config(features), memory, new QueueState(index, index));
    }

    RawRing descriptor(int index, long address, long length, int flags, int next) {
        return entry(descriptors, index, address, length, flags, next);
    }

    /** An entry of the indirect table at {@link #table}. */
    RawRing tableEntry(int index, long address, long length, int flags, int next) {
        return entry(table, index, address, length, flags, next);
    }

    RawRing entry(long at, int index, long address, long length, int flags, int next) {
        long where = at + 16L * index;
        map.store64(where, address);
        map.store32(where + 8, (int) length);
        map.store16(where + 12, flags);
        map.store16(where + 14, next);
        return this;
    }

    /** A chain of one readable buffer per head, at the buffer of that number. */
    RawRing readable(int index, int length) {
        return descriptor(index, buffer(index), length, 0, 0);
    }

    static long buffer(int number) {
        return BUFFERS + 0x100L * (number & 0x3ff);
    }

    RawRing availIndex(int index) {
        map.storeRelease16(avail + 2, index);
        return this;
    }

    int availIndex() {
        return map.load16(avail + 2);
    }

    RawRing availSlot(int index, int head) {
        map.store16(avail + 4 + 2L * (index & (size - 1)), head);
        return this;
    }

    /** Appends heads and publishes them. */
    RawRing offer(int... heads) {
        int index = availIndex();
        for (int head : heads) {
            availSlot(index++, head);
        }
        return availIndex(index);
    }

    RawRing availFlags(int flags) {
        map.store16(avail, flags);
        return this;
    }

    RawRing usedEvent(int index) {
        map.store16(avail + 4 + 2L * size, index);
        return this;
    }

    int usedFlags() {
        return map.load16(used);
    }

    int usedIndex() {
        return map.loadAcquire16(used + 2);
    }

    int usedId(int index) {
        return map.load32(used + 4 + 8L * (index & (size - 1)));
    }

    int usedLength(int index) {
        return map.load32(used + 8 + 8L * (index & (size - 1)));
    }

    int availEvent() {
        return map.load16(used + 4 + 8L * size);
    }

    byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        if (!map.copyFromGuest(address, bytes, 0, length)) {
            throw new IllegalArgumentException("outside of RAM");
        }
        return bytes;
    }

    RawRing write(long address, byte... bytes) {
        if (!map.copyToGuest(address, bytes, 0, bytes.length)) {
            throw new IllegalArgumentException("outside of RAM");
        }
        return this;
    }

    RawRing fill(long address, int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return write(address, bytes);
    }

    byte[] wholeRam() {
        return read(RAM, RAM_BYTES);
    }
}
