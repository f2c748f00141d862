package dev.quiesce.aio.watch;

import org.jspecify.annotations.Nullable;

/**
 * A loop, for whoever watches it from outside. Thread: any, for all of it.
 */
public interface WatchedLoop {
    /** {@return the name of the loop} */
    String name();

    /** {@return the thread that holds the loop's lease, or null} A snapshot. */
    @Nullable Thread owner();

    /** {@return what the loop has done so far} A snapshot. */
    LoopStats stats();

    /**
     * {@return what runs in the loop at this moment, or null} Known only while the loop is observed
     * or {@linkplain #nameCallbacks named}. A snapshot.
     */
    @Nullable String running();

    /**
     * Tells an observer of slow callbacks and long turns, instead of the one before: from the next
     * turn on at the latest.
     *
     * @param observer who wants to hear, or null for nobody
     */
    void observe(@Nullable LoopObserver observer);

    /**
     * Has the loop note what runs, from the next turn on at the latest, until
     * {@link #forgetCallbacks} was called as often as this.
     */
    void nameCallbacks();

    /**
     * Takes one {@link #nameCallbacks} back.
     *
     * @throws IllegalStateException if there is none
     */
    void forgetCallbacks();
}
