package dev.quiesce.virtio.queue;

/**
 * Keeps a record, outside of the ring, of the chains that the device holds, from which another
 * device can go on if this one is killed. Given to a queue by a {@link Resumption}.
 *
 * <p>The queue calls it in this order, as of one chain: {@link #fetched} before anybody sees the
 * chain; {@link #pushed} after its used element was written, before the driver sees that; {@link
 * #published} after the driver sees it, before the device asks whether to interrupt, hence before a
 * full fence. A queue that breaks, or is retired, says nothing more: what it held is unfinished.
 *
 * <p>Confined as the queue is: the queue's owner calls, one at a time. What an implementation
 * throws breaks the queue as a failure of guest memory does.
 */
public interface HeadJournal {

    /**
     * A chain is about to be handed out for the first time. The queue's owner.
     *
     * @param head its head, below the ring's size
     */
    void fetched(int head);

    /**
     * The chain fetched last goes back unserved, as if it had not been fetched. The queue's owner.
     *
     * @param head its head
     */
    void unfetched(int head);

    /**
     * A chain was finished: it belongs to the batch that is published next. The queue's owner.
     *
     * @param head its head
     */
    void pushed(int head);

    /**
     * The batch was published: the driver may use its heads again. The queue's owner.
     *
     * @param usedIndex the used index as the driver sees it now, 0 to 65535
     */
    void published(int usedIndex);
}
