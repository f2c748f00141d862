package dev.quiesce.virtio.memory;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A memory map over byte buffers: direct, mapped or heap, as many as the guest has stretches of
 * RAM.
 *
 * <pre>{@code
 * MemoryMap map = RegionMap.builder()
 *         .add(0x8000_0000L, lowRam)
 *         .addReadOnly(0xfff0_0000L, firmware)
 *         .add(0x1_0000_0000L, List.of(highRam0, highRam1))   // one after the other, without a gap
 *         .build();
 * }</pre>
 *
 * <p>Any thread. Buffers are sliced at construction; the caller's position and limit say which
 * part is RAM and may change afterwards.
 */
public final class RegionMap implements MemoryMap {

    /*
     * Regions are sorted by unsigned address and do not overlap, so the region of an address is
     * found by bisection, and the region that follows another without a gap is its neighbour in
     * the array. One region never exceeds a buffer (2^31 - 1 bytes); larger RAM is several
     * neighbours, each but the first of which says that it continues the one before. A ring may lie
     * across those, because everything in a ring that has to be accessed at once has two bytes and
     * an even address; it may not lie across RAM that only happens to be side by side (VQ-3).
     */
    private final Region[] regions;
    private final boolean guestStoresOrdered;

    private RegionMap(List<Region> sorted, boolean guestStoresOrdered) {
        this.regions = sorted.toArray(new Region[0]);
        this.guestStoresOrdered = guestStoresOrdered;
    }

    /**
     * Starts an empty map.
     *
     * @return a builder, to be used by one thread
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public boolean covers(long address, long lengthBytes, boolean forWrite) {
        int at = indexOf(address);
        if (at < 0 || lengthBytes <= 0) {
            return false;
        }
        long left = lengthBytes - regions[at].bytesFrom(address);
        boolean allowed = !(forWrite && regions[at].readOnly);
        while (allowed && left > 0) {
            if (!isFollowedByNeighbour(at)) {
                return false;
            }
            at++;
            left -= regions[at].bytesFrom(regions[at].first);
            allowed = !(forWrite && regions[at].readOnly);
        }
        return allowed;
    }

    @Override
    public boolean holdsRing(long address, long lengthBytes, boolean forWrite) {
        int at = indexOf(address);
        boolean holds = at >= 0 && lengthBytes > 0 && regions[at].holdsRingFrom(address, forWrite);
        long left = holds ? lengthBytes - regions[at].bytesFrom(address) : 0;
        while (holds && left > 0) {
            at++;
            holds = at < regions.length
                    && regions[at].continues
                    && regions[at].holdsRingFrom(address, forWrite);
            left = holds ? left - regions[at].bytesFrom(regions[at].first) : 0;
        }
        return holds;
    }

    @Override
    public int load16(long address) {
        Region region = findWhole(address, Short.BYTES);
        return region == null
                ? (int) loadBytes(address, Short.BYTES)
                : region.bytes.getShort(region.indexOf(address)) & 0xffff;
    }

    @Override
    public int load32(long address) {
        Region region = findWhole(address, Integer.BYTES);
        return region == null
                ? (int) loadBytes(address, Integer.BYTES)
                : region.bytes.getInt(region.indexOf(address));
    }

    @Override
    public long load64(long address) {
        Region region = findWhole(address, Long.BYTES);
        return region == null
                ? loadBytes(address, Long.BYTES)
                : region.bytes.getLong(region.indexOf(address));
    }

    @Override
    public void store16(long address, int value) {
        Region region = findWhole(address, Short.BYTES);
        if (region == null || region.readOnly) {
            storeBytes(address, Short.BYTES, value);
        } else {
            region.bytes.putShort(region.indexOf(address), (short) value);
        }
    }

    @Override
    public void store32(long address, int value) {
        Region region = findWhole(address, Integer.BYTES);
        if (region == null || region.readOnly) {
            storeBytes(address, Integer.BYTES, value);
        } else {
            region.bytes.putInt(region.indexOf(address), value);
        }
    }

    @Override
    public void store64(long address, long value) {
        Region region = findWhole(address, Long.BYTES);
        if (region == null || region.readOnly) {
            storeBytes(address, Long.BYTES, value);
        } else {
            region.bytes.putLong(region.indexOf(address), value);
        }
    }

    @Override
    public int loadAcquire16(long address) {
        Region region = ringRegion(address, false);
        return region.loadAcquire16(region.indexOf(address));
    }

    @Override
    public void storeRelease16(long address, int value) {
        Region region = ringRegion(address, true);
        region.storeRelease16(region.indexOf(address), value);
    }

    @Override
    public void fullFence() {
        VarHandle.fullFence(); // StoreLoad between publishing and asking whether to tell
    }

    @Override
    public boolean copyFromGuest(long address, byte[] target, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, target.length);
        if (length == 0) {
            return true;
        }
        if (!covers(address, length, false)) {
            return false;
        }
        int at = indexOf(address);
        long from = address;
        int done = 0;
        while (done < length) {
            Region region = regions[at++];
            int part = Math.min(length - done, region.bytesFrom(from));
            region.bytes.get(region.indexOf(from), target, offset + done, part);
            done += part;
            from += part;
        }
        return true;
    }

    @Override
    public boolean copyToGuest(long address, byte[] source, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        if (length == 0) {
            return true;
        }
        if (!covers(address, length, true)) {
            return false;
        }
        int at = indexOf(address);
        long to = address;
        int done = 0;
        while (done < length) {
            Region region = regions[at++];
            int part = Math.min(length - done, region.bytesFrom(to));
            region.bytes.put(region.indexOf(to), source, offset + done, part);
            done += part;
            to += part;
        }
        return true;
    }

    @Override
    public boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
        if (!covers(address, lengthBytes, forWrite)) {
            return false;
        }
        int at = indexOf(address);
        long from = address;
        long left = lengthBytes;
        while (left > 0) {
            Region region = regions[at++];
            int part = (int) Math.min(left, region.bytesFrom(from));
            if (!sink.accept(region.bytes, region.indexOf(from), part)) {
                return false;
            }
            left -= part;
            from += part;
        }
        return true;
    }

    @Override
    public boolean guestStoresOrdered() {
        return guestStoresOrdered;
    }

    private boolean isFollowedByNeighbour(int at) {
        return at + 1 < regions.length && regions[at].last + 1 == regions[at + 1].first;
    }

    private @Nullable Region find(long address) {
        int at = indexOf(address);
        return at < 0 ? null : regions[at];
    }

    /**
     * The region that has all bytes of a scalar, or null: then it crosses a border or is not
     * covered.
     */
    private @Nullable Region findWhole(long address, int length) {
        Region region = find(address);
        return region != null && region.bytesFrom(address) >= length ? region : null;
    }

    private Region ringRegion(long address, boolean forWrite) {
        Region region = find(address);
        if (region == null || !holdsRing(address, Short.BYTES, forWrite)) {
            throw notCovered(address, Short.BYTES);
        }
        return region;
    }

    /** Index of the region with this address, or -1. */
    private int indexOf(long address) {
        int low = 0;
        int high = regions.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Region region = regions[middle];
            if (region.contains(address)) {
                return middle;
            }
            if (Long.compareUnsigned(address, region.first) < 0) {
                high = middle - 1;
            } else {
                low = middle + 1;
            }
        }
        return -1;
    }

    private long loadBytes(long address, int length) {
        if (!covers(address, length, false)) {
            throw notCovered(address, length);
        }
        long value = 0;
        for (int i = length - 1; i >= 0; i--) {
            Region region = regions[indexOf(address + i)];
            value = (value << Byte.SIZE) | (region.bytes.get(region.indexOf(address + i)) & 0xff);
        }
        return value;
    }

    private void storeBytes(long address, int length, long value) {
        if (!covers(address, length, true)) {
            throw notCovered(address, length);
        }
        for (int i = 0; i < length; i++) {
            Region region = regions[indexOf(address + i)];
            region.bytes.put(region.indexOf(address + i), (byte) (value >>> (i * Byte.SIZE)));
        }
    }

    private static GuestMemoryFault notCovered(long address, int length) {
        return new GuestMemoryFault(
                length + " bytes at guest address 0x" + Long.toHexString(address)
                        + " are outside of RAM, read-only, or misaligned for a ring index");
    }

    /** Collects regions; each call returns the builder itself. One thread. */
    public static final class Builder {

        private final List<Region> regions = new ArrayList<>();
        private boolean ordered = true;
        private boolean truncatable;

        private Builder() {
        }

        /**
         * Adds RAM. A read-only buffer becomes read-only RAM.
         *
         * @param baseAddress guest address of the first byte
         * @param ram the bytes from its position to its limit, at least one
         * @return this
         */
        public Builder add(long baseAddress, ByteBuffer ram) {
            return add(new Region.Stretch(baseAddress, ram.isReadOnly(), false), ram);
        }

        /**
         * Adds RAM larger than one buffer: the buffers follow each other without a gap, and are one
         * region to the guest, anywhere in which a ring may lie.
         *
         * @param baseAddress guest address of the first byte
         * @param consecutive the parts, in address order
         * @return this
         */
        public Builder add(long baseAddress, List<ByteBuffer> consecutive) {
            long address = baseAddress;
            for (ByteBuffer part : consecutive) {
                add(new Region.Stretch(
                        address, part.isReadOnly(), address != baseAddress), part);
                address += part.remaining();
            }
            return this;
        }

        /**
         * Adds RAM that devices may read only.
         *
         * @param baseAddress guest address of the first byte
         * @param ram the bytes from its position to its limit, at least one
         * @return this
         */
        public Builder addReadOnly(long baseAddress, ByteBuffer ram) {
            return add(new Region.Stretch(baseAddress, true, false), ram);
        }

        /**
         * Says what {@link MemoryMap#guestStoresOrdered} answers; true unless said otherwise.
         *
         * @param guestStoresOrdered whether ring indices may be read without a kick
         * @return this
         */
        public Builder guestStoresOrdered(boolean guestStoresOrdered) {
            this.ordered = guestStoresOrdered;
            return this;
        }

        /**
         * Says that buffers map a file which somebody outside of this process may truncate (the
         * memory of a vhost-user front end); false unless said otherwise. Such a truncation then
         * shows at the access that meets it, on every JVM; on some that costs an allocation per
         * access.
         *
         * @param mayBeTruncated whether the memory behind the buffers can go away
         * @return this
         */
        public Builder mayBeTruncated(boolean mayBeTruncated) {
            this.truncatable = mayBeTruncated;
            return this;
        }

        /**
         * Makes the map.
         *
         * @return a map of all regions added so far
         */
        public MemoryMap build() {
            List<Region> sorted = new ArrayList<>(regions);
            sorted.sort((a, b) -> Long.compareUnsigned(a.first, b.first));
            for (int i = 1; i < sorted.size(); i++) {
                if (sorted.get(i).contains(sorted.get(i - 1).last)
                        || sorted.get(i - 1).contains(sorted.get(i).first)) {
                    throw new IllegalArgumentException("regions overlap at guest address 0x"
                            + Long.toHexString(sorted.get(i).first));
                }
            }
            MemoryMap map = new RegionMap(sorted, ordered);
            return truncatable ? new TruncatableMap(map) : map;
        }

        private Builder add(Region.Stretch stretch, ByteBuffer ram) {
            long baseAddress = stretch.first();
            long last = baseAddress + ram.remaining() - 1;
            if (!ram.hasRemaining() || Long.compareUnsigned(last, baseAddress) < 0) {
                throw new IllegalArgumentException("a region of " + ram.remaining()
                        + " bytes at guest address 0x" + Long.toHexString(baseAddress)
                        + " is empty or passes 2^64");
            }
            regions.add(Region.of(stretch, ram));
            return this;
        }
    }
}
