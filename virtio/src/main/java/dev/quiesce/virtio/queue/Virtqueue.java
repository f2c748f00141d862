package dev.quiesce.virtio.queue;

import org.jspecify.annotations.Nullable;

/**
 * The device side of one virtqueue.
 *
 * <pre>{@code
 * do {
 *     queue.disableNotify();
 *     for (int head = queue.pop(chain); head != Virtqueue.NOTHING; head = queue.pop(chain)) {
 *         int written = serve(chain);
 *         queue.push(head, written);
 *     }
 *     if (queue.fault() != null) {
 *         breakDevice(queue.fault());
 *         return;
 *     }
 *     if (queue.publish()) {
 *         interrupt.raise();
 *     }
 * } while (queue.enableNotify());
 * }</pre>
 *
 * <p>Pushes may come later than pops and in any order; publish once per batch. A queue belongs to
 * one enabling of the ring: after a reset the device retires it ({@code breakWith(RETIRED)}) and
 * makes a new one, so that nothing late reaches the new ring (VQ-37).
 *
 * <p><b>Thread.</b> Confined: one owner at a time, for all methods; whoever hands a queue over
 * gives the happens-before edge. The device that owns it checks the thread.
 *
 * <p><b>Failure.</b> What the driver or its memory does wrong becomes {@link #fault}; no method
 * throws for it. After a fault {@code pop} answers {@link #NOTHING} and nothing is written to the
 * guest any more.
 */
public sealed interface Virtqueue permits SplitVirtqueue {

    /** What {@link #pop} answers when there is no chain. */
    int NOTHING = -1;

    /**
     * Number of entries of the ring; heads are below it.
     *
     * @return a power of two, or 0 if the driver's size was refused
     */
    int size();

    /**
     * Fetches the next chain the driver made available, if any (VQ-7 to VQ-18).
     *
     * @param into receives the chain; left empty when nothing was popped
     * @return its head, which {@link #push} wants back exactly once, or {@link #NOTHING}: the
     *     ring is empty or the queue is broken
     */
    int pop(Chain into);

    /**
     * Says how far the driver had come when it kicked, in a memory whose stores are not ordered:
     * there the available index may be seen before the entries it covers, unless the driver's own
     * thread has read it and handed it over. From the first call on the queue does not read the
     * index itself. Ignored where stores are ordered.
     *
     * @param availIndex the available index that the driver's thread read; not trusted
     */
    void availableUpTo(int availIndex);

    /**
     * Writes the used element of a chain; the driver sees it after {@link #publish}. On a broken
     * queue only the accounting is done (MAL-30).
     *
     * @param head what {@link #pop} answered
     * @param writtenBytes bytes written into the chain's writable part, contiguous from its
     *     start; may be too small, never too large (VQ-21)
     * @throws IllegalArgumentException if the head is not outstanding or the count is negative
     */
    void push(int head, int writtenBytes);

    /**
     * Publishes everything pushed so far: the used index by a release store, a full fence, then the
     * question whether the driver wants to be told (VQ-20 to VQ-24).
     *
     * @return true if the device must interrupt the driver; false also when nothing had been pushed
     */
    boolean publish();

    /**
     * Asks the driver for kicks, then looks again (VQ-26 to VQ-28).
     *
     * @return true if chains are pending: the caller must pop again, no kick may come for them
     */
    boolean enableNotify();

    /**
     * Tells the driver that kicks are not needed. Advisory: they may come all the same (VQ-29).
     * With EVENT_IDX an index that the driver is still to cross moves behind it (VQ-26).
     */
    void disableNotify();

    /**
     * Whether kicks are asked for; they are when a queue is new.
     *
     * @return whether the last word was {@link #enableNotify}
     */
    boolean notifyEnabled();

    /**
     * Whether {@link #pop} would find nothing. Looking never breaks the queue (MAL-32); a ring that
     * would break it counts as not empty, a broken queue as empty.
     *
     * @return whether there is nothing to pop
     */
    boolean isEmpty();

    /**
     * Whether chains that an earlier life of the ring left unfinished have not been popped yet:
     * they come before anything new.
     *
     * @return whether there are; false on a broken queue
     */
    boolean hasUnfinished();

    /**
     * Chains popped whose used elements have not been published.
     *
     * @return 0 to {@link #size}
     */
    int inFlight();

    /**
     * Gives back the chain popped last, unserved: the next {@link #pop} fetches it again. May be
     * repeated for the one before (VQ-19). Not for one that an earlier life of the ring had
     * fetched.
     *
     * @param head the head popped last
     * @throws IllegalStateException if it is not the one popped last, or not outstanding
     */
    void unpop(int head);

    /**
     * Forgets a chain without a used element; the driver never gets it back. Only on a broken or
     * retired queue (VQ-19, VQ-34).
     *
     * @param head what {@link #pop} answered
     * @throws IllegalStateException if the queue works
     * @throws IllegalArgumentException if the head is not outstanding
     */
    void drop(int head);

    /**
     * Breaks the queue; the first fault stays. Elements pushed and not yet published are never
     * published.
     *
     * @param why the fault
     */
    void breakWith(QueueFault why);

    /**
     * Why the queue is broken.
     *
     * @return the first fault, or null while the queue works
     */
    @Nullable QueueFault fault();

    /**
     * What guest memory threw, for the embedder's error handler.
     *
     * @return the cause of a {@link QueueFault#MEMORY_FAULT}, or null
     */
    @Nullable Throwable faultCause();

    /**
     * Where the queue stands, to save it or to tell an operator. Reads nothing from the guest
     * (MAL-32).
     *
     * @return the indices; elements pushed and not published are not in them
     */
    QueueState state();
}
