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

    /**
     * Has an action made once when nothing runs in this loop any more, because it was closed or has
     * ended: by the thread that ends it, as its last act, so that the action sees whatever the loop
     * did, and what has not run by then never will. At once, on the calling thread, if that is over
     * already. Several are made in the order in which they were given. The action is short and
     * posts nothing to this loop; what it throws is reported.
     *
     * @param action what to do; remembered by identity until {@link #notAtEnd}
     */
    void atEnd(Runnable action);

    /**
     * Takes an {@link #atEnd} back.
     *
     * @param action what was given to it
     * @return whether the action will not be made; false if it was made or is being made, or is not
     *     known
     */
    boolean notAtEnd(Runnable action);
}
