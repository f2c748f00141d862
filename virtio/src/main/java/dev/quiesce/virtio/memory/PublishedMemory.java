package dev.quiesce.virtio.memory;

import java.util.concurrent.atomic.AtomicReference;

/**
 * A guest memory whose map can be replaced while the machine exists.
 *
 * <p>Replacing is a step of the embedder's control side: settle the devices that use the old map,
 * {@link #publish} the new one, let them go on. A device that still holds a chain resolved
 * against the old map goes on using that map's buffers; it is the garbage collector that frees
 * them.
 */
public final class PublishedMemory implements GuestMemory {

    /** Written release by control, read acquire by any. */
    private final AtomicReference<MemoryMap> current;

    /**
     * Makes a memory.
     *
     * @param first the map valid from the start
     */
    public PublishedMemory(MemoryMap first) {
        this.current = new AtomicReference<>(first);
    }

    @Override
    public MemoryMap map() {
        return current.getAcquire(); // pairs with publish: the map's contents are seen
    }

    /**
     * Replaces the map. Any thread; the caller has settled every device that reads this memory.
     *
     * @param next the map valid from now on
     */
    public void publish(MemoryMap next) {
        current.setRelease(next); // pairs with map
    }
}
