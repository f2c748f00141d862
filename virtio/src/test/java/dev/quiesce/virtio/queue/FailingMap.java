package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;

/** Throws from some access on, as memory behind an embedder's map or a truncated mapping does. */
final class FailingMap extends ForwardingMap {

    private int accessesLeft = Integer.MAX_VALUE;
    private Throwable failure = new InternalError();

    FailingMap(MemoryMap map) {
        super(map);
    }

    /** After this many accesses, counted from now, each one throws. */
    void failAfter(int accesses, Throwable with) {
        accessesLeft = accesses;
        failure = with;
    }

    /** Whether an access has thrown since {@link #failAfter}. */
    boolean hasFailed() {
        return accessesLeft < 0;
    }

    @Override
    void onLoad(long address) {
        access();
    }

    @Override
    void onStore(long address) {
        access();
    }

    private void access() {
        if (accessesLeft-- > 0) {
            return;
        }
        accessesLeft = -1;
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }
}
