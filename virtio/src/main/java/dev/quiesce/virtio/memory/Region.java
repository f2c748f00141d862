package dev.quiesce.virtio.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One stretch of guest RAM behind one buffer. Indices are offsets within the region; the map has
 * checked them.
 */
abstract sealed class Region {

    /** Unsigned; {@code last} is included, so that a region may end at 2^64. */
    final long first;

    final long last;
    final boolean readOnly;

    /** Whether it is one stretch of RAM with the one before, cut only because buffers are short. */
    final boolean continues;

    /** Little-endian, position 0, used by absolute index only. */
    final ByteBuffer bytes;

    private final boolean hostAligned;

    private Region(Stretch stretch, ByteBuffer bytes, boolean hostAligned) {
        this.first = stretch.first();
        this.last = first + bytes.limit() - 1;
        this.readOnly = stretch.readOnly();
        this.continues = stretch.continues();
        this.bytes = bytes;
        this.hostAligned = hostAligned;
    }

    /**
     * Where a region is, and what it is.
     *
     * @param first guest address of its first byte
     * @param readOnly whether devices may only read it
     * @param continues whether it continues the region before
     */
    record Stretch(long first, boolean readOnly, boolean continues) {
    }

    /** Picks the access that works for buffers of this kind on this JVM. */
    static Region of(Stretch stretch, ByteBuffer buffer) {
        ByteBuffer slice = buffer.slice();
        boolean aligned = isHostAligned(slice);
        ByteBuffer bytes = (stretch.readOnly() ? slice.asReadOnlyBuffer() : slice)
                .order(ByteOrder.LITTLE_ENDIAN);
        if (Viewed.works(buffer.isDirect())) {
            return new Viewed(stretch, bytes, aligned);
        }
        return new Fenced(stretch, bytes, aligned);
    }

    /**
     * Whether index 0 has an even host address. A heap array's first byte has one; how far into its
     * array a read-only heap buffer starts cannot be asked, so that one counts as misaligned.
     */
    private static boolean isHostAligned(ByteBuffer slice) {
        if (slice.isDirect()) {
            return slice.alignmentOffset(0, Short.BYTES) == 0;
        }
        return slice.hasArray() && (slice.arrayOffset() & 1) == 0;
    }

    final boolean contains(long address) {
        return Long.compareUnsigned(address, first) >= 0
                && Long.compareUnsigned(address, last) <= 0;
    }

    /** Bytes from an address that this region contains up to its end: 1 to 2^31 - 1. */
    final int bytesFrom(long address) {
        return (int) (last - address + 1);
    }

    final int indexOf(long address) {
        return (int) (address - first);
    }

    /** Whether a ring with that address, here or before, may have a part of itself here. */
    final boolean holdsRingFrom(long address, boolean forWrite) {
        return hostAligned && ((address - first) & 1) == 0 && !(forWrite && readOnly);
    }

    abstract int loadAcquire16(int index);

    abstract void storeRelease16(int index, int value);

    /** Direct memory, and heap memory on JVMs that allow it: ordered accesses by a view handle. */
    static final class Viewed extends Region {

        private static final VarHandle SHORTS =
                MethodHandles.byteBufferViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
        private static final short PROBE = 0x1234;

        private Viewed(Stretch stretch, ByteBuffer bytes, boolean hostAligned) {
            super(stretch, bytes, hostAligned);
        }

        /**
         * Tries both ordered accesses on a fresh buffer of the same kind: guest RAM stays
         * untouched.
         */
        static boolean works(boolean direct) {
            ByteBuffer probe = direct
                    ? ByteBuffer.allocateDirect(Long.BYTES)
                    : ByteBuffer.allocate(Long.BYTES);
            try {
                SHORTS.setRelease(probe, 0, PROBE);
                return (short) SHORTS.getAcquire(probe, 0) == PROBE;
            } catch (IllegalStateException | UnsupportedOperationException refused) {
                return false; // heap buffers on newer JVMs: Fenced serves them
            }
        }

        @Override
        int loadAcquire16(int index) {
            return (short) SHORTS.getAcquire(bytes, index) & 0xffff;
        }

        @Override
        void storeRelease16(int index, int value) {
            SHORTS.setRelease(bytes, index, (short) value);
        }
    }

    /** Heap memory: a plain access of an aligned short is a single one; the fence orders it. */
    static final class Fenced extends Region {

        private Fenced(Stretch stretch, ByteBuffer bytes, boolean hostAligned) {
            super(stretch, bytes, hostAligned);
        }

        @Override
        int loadAcquire16(int index) {
            int value = bytes.getShort(index) & 0xffff;
            VarHandle.acquireFence(); // nothing later moves before the load
            return value;
        }

        @Override
        void storeRelease16(int index, int value) {
            VarHandle.releaseFence(); // nothing earlier moves behind the store
            bytes.putShort(index, (short) value);
        }
    }
}
