package dev.quiesce.virtio.dataplane;

import dev.quiesce.virtio.queue.Chain;

/** What a device does with a chain that its pump has popped. */
public interface QueueClient {
    /**
     * Takes a chain. Home context of the queue. The client owns {@code popped} until it has pushed
     * the head back with {@link QueuePump#push}; it may do so before returning. A memory fault may
     * be thrown only before anything else was done with the head: the pump then breaks the device
     * and drops the head.
     *
     * @param head the chain's head index, 0 based, outstanding until pushed
     * @param popped the chain
     * @return another chain for the next pop: typically the one that the head's record held before
     */
    Chain onChain(int head, Chain popped);

    /**
     * The ring is gone and every chain was given back: forget what still points into guest memory,
     * so that memory which was taken away is not kept. Control, while nothing serves the queue.
     */
    default void onRetired() {
    }
}
