package dev.quiesce.verification.virtioscsi;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;

/** Another map, with something changed by a test. */
abstract class ForwardingMap implements MemoryMap {
    private final MemoryMap rest;

    ForwardingMap(MemoryMap rest) {
        this.rest = rest;
    }

    /** The map that answers an access; a test may refuse here. */
    MemoryMap live() {
        return rest;
    }

    @Override
    public boolean covers(long address, long lengthBytes, boolean forWrite) {
        return live().covers(address, lengthBytes, forWrite);
    }

    @Override
    public boolean holdsRing(long address, long lengthBytes, boolean forWrite) {
        return live().holdsRing(address, lengthBytes, forWrite);
    }

    @Override
    public int load16(long address) {
        return live().load16(address);
    }

    @Override
    public int load32(long address) {
        return live().load32(address);
    }

    @Override
    public long load64(long address) {
        return live().load64(address);
    }

    @Override
    public void store16(long address, int value) {
        live().store16(address, value);
    }

    @Override
    public void store32(long address, int value) {
        live().store32(address, value);
    }

    @Override
    public void store64(long address, long value) {
        live().store64(address, value);
    }

    @Override
    public int loadAcquire16(long address) {
        return live().loadAcquire16(address);
    }

    @Override
    public void storeRelease16(long address, int value) {
        live().storeRelease16(address, value);
    }

    @Override
    public void fullFence() {
        live().fullFence();
    }

    @Override
    public boolean copyFromGuest(long address, byte[] target, int offset, int length) {
        return live().copyFromGuest(address, target, offset, length);
    }

    @Override
    public boolean copyToGuest(long address, byte[] source, int offset, int length) {
        return live().copyToGuest(address, source, offset, length);
    }

    @Override
    public boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
        return live().resolve(address, lengthBytes, forWrite, sink);
    }

    @Override
    public boolean guestStoresOrdered() {
        return live().guestStoresOrdered();
    }

    @Override
    public void surfaceFaults() {
        live().surfaceFaults();
    }
}
