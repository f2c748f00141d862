package dev.quiesce.aio;

/**
 * What a {@link ControlWait} waits for.
 */
public interface WaitTarget {
    /**
     * Whether the wait is over. Evaluated after every turn of the waiting context; whoever makes
     * it true wakes that context afterwards. Called in the waiting context.
     *
     * @return true if there is nothing left to wait for
     */
    boolean isDone();

    /**
     * Names everything that keeps the wait from ending. Called in the waiting context, when it has
     * nothing else to do.
     *
     * @param out where to name it
     */
    void describe(WaitReport out);
}
