package dev.quiesce.virtio.memory;

/**
 * The memory of a guest: whoever holds it can ask for the map that is valid now.
 *
 * <p>Embedders implement this, or use {@link #fixed} for a machine whose memory never changes and
 * {@link PublishedMemory} for one whose memory does.
 */
@FunctionalInterface
public interface GuestMemory {

    /**
     * The current map. Any thread; one acquire load, so that everything written before the map was
     * published is seen by whoever reads it. The same object is returned until the memory changes:
     * devices compare references.
     *
     * @return the map valid now, an immutable snapshot
     */
    MemoryMap map();

    /**
     * A guest memory that never changes.
     *
     * @param map its only map
     * @return a memory that always answers {@code map}
     */
    static GuestMemory fixed(MemoryMap map) {
        return () -> map;
    }
}
