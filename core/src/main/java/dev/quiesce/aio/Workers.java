package dev.quiesce.aio;

import dev.quiesce.aio.time.Clock;
import java.util.concurrent.ThreadFactory;

/**
 * Where work that blocks is done, so that a loop does not. Several contexts may share one.
 */
public interface Workers extends AutoCloseable {
    /**
     * Hands an item over: {@link WorkItem#work} runs later, never inside this call, then
     * {@link WorkItem#run} in the home context. Items are begun in the order of their submission.
     * Thread: home context.
     *
     * @param home the submitting context
     * @param item an item that is not in use
     * @throws IllegalStateException if the item is in use, or these workers are closed
     */
    void submit(AioContext home, WorkItem item);

    /**
     * Cancels an item whose work has not begun (AIO-73). Thread: home context of the item.
     *
     * @param item a submitted item
     * @return true if {@link WorkItem#work} will not be called; {@link WorkItem#run} still will,
     *     and finds {@link WorkItem#isCancelled}. False if it has begun, or is over.
     */
    boolean cancel(WorkItem item);

    /**
     * Takes no more items, finishes those it has, and returns when no worker is left. Results
     * still reach their contexts. Idempotent. Thread: any but a worker's own.
     */
    @Override
    void close();

    /**
     * A pool of threads, see {@link WorkerPool}, on the machine's clock. Thread: any.
     *
     * @param factory makes, and names, the threads
     * @param min how many threads stay when idle, 0 or more
     * @param max how many threads there may be, at least {@code min} and at least 1
     * @return a running pool, to be closed
     * @throws IllegalArgumentException if the numbers are out of range
     */
    static WorkerPool pool(ThreadFactory factory, int min, int max) {
        return pool(factory, min, max, Clock.system());
    }

    /**
     * A pool of threads whose idle time is measured on the clock of some seams. Thread: any.
     *
     * @param factory makes, and names, the threads
     * @param min how many threads stay when idle, 0 or more
     * @param max how many threads there may be, at least {@code min} and at least 1
     * @param clock a realtime clock, such as that of the {@link LoopSeams} the pool is for
     * @return a running pool, to be closed
     * @throws IllegalArgumentException if the numbers are out of range, or the clock may stop
     */
    static WorkerPool pool(ThreadFactory factory, int min, int max, Clock clock) {
        if (clock.kind() != Clock.Kind.REALTIME) {
            throw new IllegalArgumentException(
                    "the clock of a worker pool must be realtime, not " + clock.kind());
        }
        return new WorkerPool(factory, min, max, clock);
    }

    /**
     * Workers for machines without threads: an item's work is done by its home context, in its
     * next turn, immediately before {@link WorkItem#run}. Thread: any.
     *
     * @return workers that need not be closed
     */
    static Workers inline() {
        return new WorkItem.Inline();
    }
}
