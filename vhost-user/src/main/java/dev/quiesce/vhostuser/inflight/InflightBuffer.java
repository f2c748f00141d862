package dev.quiesce.vhostuser.inflight;

import dev.quiesce.virtio.memory.MemoryMap;
import org.jspecify.annotations.Nullable;

/**
 * The buffer of one front end: one part per queue, one behind the other. Session thread.
 */
public final class InflightBuffer {
    private final MemoryMap map;
    private final int entries;
    private final @Nullable InflightQueue[] used;

    /**
     * Looks at a buffer, without touching it.
     *
     * @param map has the buffer at address 0, {@link #bytes} of it at least
     * @param queues how many queues it is for
     * @param entries the largest ring it is for
     */
    public InflightBuffer(MemoryMap map, int queues, int entries) {
        this.map = map;
        this.entries = entries;
        this.used = new InflightQueue[queues];
        if (!map.covers(0, bytes(queues, entries), true)) {
            throw new IllegalArgumentException(
                    "less memory than " + queues + " queues of " + entries + " need");
        }
    }

    /**
     * How long a buffer is. Any thread.
     *
     * @param queues number of queues
     * @param entries the largest ring
     * @return bytes
     */
    public static long bytes(int queues, int entries) {
        return queues * InflightQueue.bytes(entries);
    }

    /**
     * How many queues it is for. Session thread.
     *
     * @return the number
     */
    public int queues() {
        return used.length;
    }

    /**
     * The part of a queue that is about to run: reads and puts in order what the buffer says.
     * Session thread; nothing else uses the queue.
     *
     * @param index the queue
     * @param ringEntries the size of its ring
     * @param ringUsed the used index in its ring
     * @return the part
     * @throws InflightException if the buffer has no such queue or cannot be what a back end left
     */
    public InflightQueue resume(int index, int ringEntries, int ringUsed)
            throws InflightException {
        if (index >= used.length) {
            throw new InflightException("queue " + index + " is none of its " + used.length);
        }
        InflightQueue queue =
                new InflightQueue(map, index * InflightQueue.bytes(entries), entries);
        try {
            queue.resume(ringEntries, ringUsed);
        } catch (InternalError gone) {
            throw new InflightException("it was truncated", gone);
        } catch (InflightException e) {
            throw new InflightException("queue " + index + ": " + e.getMessage());
        }
        used[index] = queue;
        return queue;
    }

    /**
     * The device was reset: nothing that ran on this connection is in flight any more. What an
     * earlier back end left and nobody has resumed stays. Session thread; no queue runs.
     *
     * @throws InflightException if the buffer is not there any more
     */
    public void forget() throws InflightException {
        for (int i = 0; i < used.length; i++) {
            InflightQueue queue = used[i];
            if (queue != null) {
                used[i] = null;
                try {
                    queue.forget();
                } catch (InternalError gone) {
                    throw new InflightException("it was truncated", gone);
                }
            }
        }
    }
}
