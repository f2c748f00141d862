package dev.quiesce.aio;

import org.jspecify.annotations.Nullable;

/**
 * How a loop falls asleep and how others wake it. A simulation replaces this seam to run other
 * contexts where a thread would block.
 */
public interface Parker {
    /**
     * Puts the loop to sleep until it is unparked, the time has passed, or for no reason at all.
     * An {@link #unpark} that came since the loop last woke makes it return at once. An interrupt
     * of the thread neither is lost nor keeps later sleeps from sleeping. Called in the home
     * context, with the context marked as asleep.
     *
     * @param context the loop that has nothing to do
     * @param maxNanos the longest sleep; {@link Long#MAX_VALUE} means without bound; never 0
     */
    void park(AioContext context, long maxNanos);

    /**
     * Wakes the loop, or makes its next sleep return at once. Thread: any.
     *
     * @param context the loop to wake
     * @param owner the thread that holds the context's lease, or null if nobody does
     */
    void unpark(AioContext context, @Nullable Thread owner);

    /**
     * Whether this parker itself runs the given context when its turn comes, as a simulation does,
     * so that a wait may count on its progress whoever holds its lease. Thread: any.
     *
     * @param context the context asked about
     * @return true if the context is served without a thread of its own
     */
    default boolean serves(AioContext context) {
        return false;
    }
}
