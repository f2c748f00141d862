package dev.quiesce.vhostuser.inflight;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;

/** Memory whose writer is killed before its n-th store, counted over all memory it writes. */
final class SteppedMap implements MemoryMap {
    private final MemoryMap map;
    private final Steps steps;

    SteppedMap(MemoryMap map, Steps steps) {
        this.map = map;
        this.steps = steps;
    }

    /** How many stores a writer has left, and how many it has made. */
    static final class Steps {
        private int left;
        private int made;

        Steps(int left) {
            this.left = left;
        }

        int made() {
            return made;
        }

        private void store() {
            if (left == 0) {
                throw new Killed();
            }
            left--;
            made++;
        }
    }

    /** The end of a process. Not an exception: nothing that serves may catch it. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    @Override
    public void store16(long address, int value) {
        steps.store();
        map.store16(address, value);
    }

    @Override
    public void store32(long address, int value) {
        steps.store();
        map.store32(address, value);
    }

    @Override
    public void store64(long address, long value) {
        steps.store();
        map.store64(address, value);
    }

    @Override
    public void storeRelease16(long address, int value) {
        steps.store();
        map.storeRelease16(address, value);
    }

    @Override
    public boolean copyToGuest(long address, byte[] source, int offset, int length) {
        steps.store();
        return map.copyToGuest(address, source, offset, length);
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
        return map.load16(address);
    }

    @Override
    public int load32(long address) {
        return map.load32(address);
    }

    @Override
    public long load64(long address) {
        return map.load64(address);
    }

    @Override
    public int loadAcquire16(long address) {
        return map.loadAcquire16(address);
    }

    @Override
    public void fullFence() {
        map.fullFence();
    }

    @Override
    public boolean copyFromGuest(long address, byte[] target, int offset, int length) {
        return map.copyFromGuest(address, target, offset, length);
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
