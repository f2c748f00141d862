package dev.quiesce.aio.watch;

/**
 * Hears of callbacks and turns of a loop that took long. As long as a loop has an observer it reads
 * its clock twice for each turn and each callback; what an observer throws is reported.
 */
public interface LoopObserver {
    /**
     * How long a callback may take. Asked after each callback: any thread's changes hold at once.
     * Called in the home context.
     *
     * @return a number of nanoseconds; {@link Long#MAX_VALUE} if nothing is slow
     */
    long slowCallbackNanos();

    /**
     * How long a turn may take. Asked after each turn. Called in the home context.
     *
     * @return a number of nanoseconds; {@link Long#MAX_VALUE} if nothing is long
     */
    long longTurnNanos();

    /**
     * A callback took at least {@link #slowCallbackNanos}. Called in the home context, immediately
     * after the callback. It should return soon.
     *
     * @param loop the name of the loop
     * @param callback what it was
     * @param tookNanos how long it took, without turns that it took itself by polling
     */
    void onSlowCallback(String loop, String callback, long tookNanos);

    /**
     * A turn took at least {@link #longTurnNanos}. Called in the home context at the end of the
     * turn. It should return soon.
     *
     * @param loop the name of the loop
     * @param tasks how many tasks it ran
     * @param tookNanos how long it took, without its sleep and without turns nested in it
     */
    void onLongTurn(String loop, long tasks, long tookNanos);
}
