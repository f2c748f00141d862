package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;

/** Another map, with something added by a test. */
abstract class ForwardingMap implements MemoryMap {

    private final MemoryMap map;

    ForwardingMap(MemoryMap map) {
        this.map = map;
    }

    /** Called before each access of bytes. */
    void onLoad(long address) {
    }

    /** Called before each access of bytes. */
    void onStore(long address) {
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
        onLoad(address);
        return map.load16(address);
    }

    @Override
    public int load32(long address) {
        onLoad(address);
        return map.load32(address);
    }

    @Override
    public long load64(long address) {
        onLoad(address);
        return map.load64(address);
    }

    @Override
    public void store16(long address, int value) {
        onStore(address);
        map.store16(address, value);
    }

    @Override
    public void store32(long address, int value) {
        onStore(address);
        map.store32(address, value);
    }

    @Override
    public void store64(long address, long value) {
        onStore(address);
        map.store64(address, value);
    }

    @Override
    public int loadAcquire16(long address) {
        onLoad(address);
        return map.loadAcquire16(address);
    }

    @Override
    public void storeRelease16(long address, int value) {
        onStore(address);
        map.storeRelease16(address, value);
    }

    @Override
    public void fullFence() {
        map.fullFence();
    }

    @Override
    public boolean copyFromGuest(long address, byte[] target, int offset, int length) {
        onLoad(address);
        return map.copyFromGuest(address, target, offset, length);
    }

    @Override
    public boolean copyToGuest(long address, byte[] source, int offset, int length) {
        onStore(address);
        return map.copyToGuest(address, source, offset, length);
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
