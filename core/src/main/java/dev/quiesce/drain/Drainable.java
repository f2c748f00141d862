package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;

/**
 * Something that can be brought to rest and set going again: a backend, a node, a data plane.
 *
 * <p>All methods but {@link #main()} and {@link #name()} are control: the caller owns the main
 * context. They are hooks of a drained section, so they <em>post and hold, never wait</em>
 * (DRAIN-9, I9): work that must happen in another context is posted there under a {@link Hold}
 * taken before the post, and the one wait of the section covers it. A hook never polls, never
 * begins a section and never changes the graph: polling the main context, and waiting there, throw.
 *
 * <p>Calls nest: {@code n} calls of {@link #quiesce()} need {@code n} calls of {@link #resume()},
 * in whatever order sections end (DRAIN-45). Callbacks to others happen on the transitions 0 to 1
 * and 1 to 0 only (DRAIN-8).
 */
public interface Drainable {
    /**
     * Stops the sources: from now on nothing new is admitted. Control; never waits. Does not throw
     * once it has counted; if it throws, nothing was counted and {@link #resume()} is not called.
     */
    void quiesce();

    /**
     * Tells whether something admitted earlier still runs, or may still submit. Control; never
     * polls. Whatever makes the answer turn to {@code false} must
     * {@linkplain AioContext#wake() wake} the main context afterwards (DRAIN-50).
     *
     * @return whether a section has to go on waiting
     */
    boolean isBusy();

    /**
     * Throws {@link IllegalStateException} if the caller is inside a hook of those who share their
     * hooks with this object: waiting there would poll in the middle of their transition. Asked by
     * the blocking forms before they begin. Control; without hooks of others there is nothing to
     * check.
     */
    default void checkMayWait() {
    }

    /**
     * Takes one {@link #quiesce()} back. Control; never waits. On the transition to zero, what was
     * parked is replayed by posted tasks, never inside this call (DRAIN-21, DRAIN-26).
     */
    void resume();

    /**
     * Names the context whose owner is "control" for this object. Any thread.
     *
     * @return the main context; the same for the life of the object
     */
    AioContext main();

    /**
     * Reports who keeps this object busy, for a wait that takes long or cannot end. Control.
     *
     * @param out where to report
     */
    void describe(WaitReport out);

    /**
     * Names this object in reports. Any thread.
     *
     * @return the name
     */
    String name();
}
