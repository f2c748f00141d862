package dev.quiesce.testkit.guest;

import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.PublishedMemory;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The RAM of a mock guest, with an allocator for its rings and buffers.
 *
 * <pre>{@code
 * GuestRam ram = GuestRam.direct(0x4000_0000L, 16 << 20);
 * long buffer = ram.allocate(4096, 512);
 * }</pre>
 *
 * <p>Any thread: the bytes are shared by vCPUs and devices like real RAM, without order beyond
 * that of {@link MemoryMap}; the allocator has a lock of its own. Misuse by the test (no room, an
 * address that was not allocated) is an {@link IllegalStateException} or {@link
 * IllegalArgumentException}.
 */
public final class GuestRam implements GuestMemory {

    private final PublishedMemory memory;

    /** The map over all of the RAM; {@link #replaceMap} changes only what devices see. */
    private final MemoryMap whole;

    private final Object lock = new Object();

    /** Guarded by lock: free stretches, length by unsigned address, none adjacent. */
    private final TreeMap<Long, Long> free = new TreeMap<>(Long::compareUnsigned);

    /** Guarded by lock: length by address of what is allocated. */
    private final Map<Long, Long> allocated = new HashMap<>();

    private GuestRam(Builder builder) {
        this.whole = builder.regions.build();
        this.memory = new PublishedMemory(whole);
        builder.stretches.forEach(this::giveBack);
    }

    /**
     * RAM in one direct buffer.
     *
     * @param baseAddress guest address of the first byte
     * @param sizeBytes how many
     * @return the RAM, all zero
     */
    public static GuestRam direct(long baseAddress, int sizeBytes) {
        return builder().direct(baseAddress, sizeBytes).build();
    }

    /**
     * RAM in one heap array, as emulators without direct buffers have it.
     *
     * @param baseAddress guest address of the first byte
     * @param sizeBytes how many
     * @return the RAM, all zero
     */
    public static GuestRam heap(long baseAddress, int sizeBytes) {
        return builder().heap(baseAddress, sizeBytes).build();
    }

    /**
     * RAM in several regions.
     *
     * @return a builder, to be used by one thread
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public MemoryMap map() {
        return memory.map();
    }

    /**
     * Shows devices another map from now on: memory that was unplugged, or that throws. The
     * guest's own accesses by this class still see the whole RAM. Any thread.
     *
     * @param seenByDevices the map that {@link #map} answers
     */
    public void replaceMap(MemoryMap seenByDevices) {
        memory.publish(seenByDevices);
    }

    /**
     * The map of the whole RAM, for the guest's side.
     *
     * @return the map made at construction
     */
    public MemoryMap whole() {
        return whole;
    }

    /**
     * Allocates guest memory; its bytes are zero only if nobody used them before.
     *
     * @param bytes how many, above zero
     * @param alignment a power of two
     * @return the guest address
     * @throws IllegalStateException if no free stretch is large enough
     */
    public long allocate(int bytes, int alignment) {
        if (bytes <= 0 || Integer.bitCount(alignment) != 1) {
            throw new IllegalArgumentException(bytes + " bytes aligned to " + alignment);
        }
        synchronized (lock) {
            for (Map.Entry<Long, Long> stretch : free.entrySet()) {
                long start = stretch.getKey();
                long address = (start + alignment - 1) & -alignment;
                long before = address - start;
                if (before >= 0 && before + bytes <= stretch.getValue()) {
                    take(start, stretch.getValue(), address, bytes);
                    return address;
                }
            }
        }
        throw new IllegalStateException("guest RAM has no " + bytes + " free bytes in one piece");
    }

    /**
     * Frees what {@link #allocate} gave.
     *
     * @param address the guest address
     */
    public void free(long address) {
        synchronized (lock) {
            Long length = allocated.remove(address);
            if (length == null) {
                throw new IllegalArgumentException(
                        "nothing was allocated at 0x" + Long.toHexString(address));
            }
            giveBack(address, length);
        }
    }

    /**
     * Bytes allocated now, for tests that look for leaks.
     *
     * @return the sum of all allocations
     */
    public long allocatedBytes() {
        synchronized (lock) {
            long sum = 0;
            for (long length : allocated.values()) {
                sum += length;
            }
            return sum;
        }
    }

    /**
     * Stores bytes, as the guest does.
     *
     * @param address first guest byte
     * @param bytes what to store
     */
    public void write(long address, byte[] bytes) {
        if (!whole.copyToGuest(address, bytes, 0, bytes.length)) {
            throw outside(address, bytes.length);
        }
    }

    /**
     * Loads bytes, as the guest does.
     *
     * @param address first guest byte
     * @param length how many
     * @return a copy
     */
    public byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        if (!whole.copyFromGuest(address, bytes, 0, length)) {
            throw outside(address, length);
        }
        return bytes;
    }

    /**
     * Fills a range with one byte.
     *
     * @param address first guest byte
     * @param length how many
     * @param value the byte
     */
    public void fill(long address, int length, int value) {
        boolean filled = whole.resolve(address, length, true, (base, offset, part) -> {
            for (int i = 0; i < part; i++) {
                base.put(offset + i, (byte) value);
            }
            return true;
        });
        if (!filled) {
            throw outside(address, length);
        }
    }

    private static GuestMemoryFault outside(long address, int length) {
        return new GuestMemoryFault(
                length + " bytes at 0x" + Long.toHexString(address) + " are outside of guest RAM");
    }

    private void take(long start, long length, long address, long bytes) {
        free.remove(start);
        allocated.put(address, bytes);
        long before = address - start;
        long after = length - before - bytes;
        if (before > 0) {
            free.put(start, before);
        }
        if (after > 0) {
            free.put(address + bytes, after);
        }
    }

    private void giveBack(long address, long length) {
        long start = address;
        long total = length;
        Map.Entry<Long, Long> below = free.lowerEntry(address);
        if (below != null && below.getKey() + below.getValue() == address) {
            start = below.getKey();
            total += below.getValue();
        }
        Long above = free.remove(address + length);
        free.put(start, above == null ? total : total + above);
    }

    /** Collects regions; each call returns the builder itself. One thread. */
    public static final class Builder {

        private final RegionMap.Builder regions = RegionMap.builder();
        private final Map<Long, Long> stretches = new HashMap<>();

        private Builder() {
        }

        /**
         * Adds a region in a direct buffer.
         *
         * @param baseAddress guest address of the first byte
         * @param sizeBytes how many
         * @return this
         */
        public Builder direct(long baseAddress, int sizeBytes) {
            return add(baseAddress, ByteBuffer.allocateDirect(sizeBytes));
        }

        /**
         * Adds a region in a heap array.
         *
         * @param baseAddress guest address of the first byte
         * @param sizeBytes how many
         * @return this
         */
        public Builder heap(long baseAddress, int sizeBytes) {
            return add(baseAddress, ByteBuffer.allocate(sizeBytes));
        }

        /**
         * Adds a region in a buffer that others may share, for example a mapped file.
         *
         * @param baseAddress guest address of the first byte
         * @param buffer its bytes, from position to limit
         * @return this
         */
        public Builder add(long baseAddress, ByteBuffer buffer) {
            regions.add(baseAddress, buffer);
            stretches.put(baseAddress, (long) buffer.remaining());
            return this;
        }

        /**
         * Says whether the guest's stores are ordered for other threads; true unless said
         * otherwise.
         *
         * @param guestStoresOrdered what the map answers
         * @return this
         */
        public Builder guestStoresOrdered(boolean guestStoresOrdered) {
            regions.guestStoresOrdered(guestStoresOrdered);
            return this;
        }

        /**
         * Makes the RAM.
         *
         * @return RAM with all regions added so far
         */
        public GuestRam build() {
            return new GuestRam(this);
        }
    }
}
