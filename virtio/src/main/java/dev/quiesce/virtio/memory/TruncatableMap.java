package dev.quiesce.virtio.memory;

/**
 * A map over mapped files that somebody else may truncate: each access that fails throws itself.
 */
final class TruncatableMap implements MemoryMap {

    /*
     * Where a mapping lost its pages, the JVM skips the access and remembers an InternalError.
     * JVMs before 25 throw it when the thread next enters the runtime from Java code: perhaps much
     * later, in whatever runs then, and if that is a class being initialised, the class is unusable
     * for the rest of the process. Newer ones throw it where the compiled method returns that made
     * the access, which may be far out. One guest could so break what belongs to all.
     *
     * Hence each access is followed by a step that certainly enters the
     * runtime: an array of arrays whose lengths the compiler cannot know. It costs some ten
     * nanoseconds and an allocation, which is why this is a map of its own and not a habit of all
     * maps. Calls of native methods do not do: returning from them leaves the error pending.
     */
    private final MemoryMap map;

    /** Volatile so that no compiler knows the length; never written again. */
    private volatile int one = 1;

    TruncatableMap(MemoryMap map) {
        this.map = map;
    }

    @Override
    public void surfaceFaults() {
        byte[][] entered = new byte[one][one];
        assert entered.length == one;
    }

    @Override
    public boolean covers(long address, long lengthBytes, boolean forWrite) {
        return map.covers(address, lengthBytes, forWrite);
    }

    @Override
    public boolean holdsRing(long address, long lengthBytes, boolean forWrite) {
        return map.holdsRing(address, lengthBytes, forWrite);
    }

    @Override
    public int load16(long address) {
        int value = map.load16(address);
        surfaceFaults();
        return value;
    }

    @Override
    public int load32(long address) {
        int value = map.load32(address);
        surfaceFaults();
        return value;
    }

    @Override
    public long load64(long address) {
        long value = map.load64(address);
        surfaceFaults();
        return value;
    }

    @Override
    public void store16(long address, int value) {
        map.store16(address, value);
        surfaceFaults();
    }

    @Override
    public void store32(long address, int value) {
        map.store32(address, value);
        surfaceFaults();
    }

    @Override
    public void store64(long address, long value) {
        map.store64(address, value);
        surfaceFaults();
    }

    @Override
    public int loadAcquire16(long address) {
        int value = map.loadAcquire16(address);
        surfaceFaults();
        return value;
    }

    @Override
    public void storeRelease16(long address, int value) {
        map.storeRelease16(address, value);
        surfaceFaults();
    }

    @Override
    public void fullFence() {
        map.fullFence();
    }

    @Override
    public boolean copyFromGuest(long address, byte[] target, int offset, int length) {
        boolean copied = map.copyFromGuest(address, target, offset, length);
        surfaceFaults();
        return copied;
    }

    @Override
    public boolean copyToGuest(long address, byte[] source, int offset, int length) {
        boolean copied = map.copyToGuest(address, source, offset, length);
        surfaceFaults();
        return copied;
    }

    @Override
    public boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
        return map.resolve(address, lengthBytes, forWrite, sink);
    }

    @Override
    public boolean guestStoresOrdered() {
        return map.guestStoresOrdered();
    }
}
