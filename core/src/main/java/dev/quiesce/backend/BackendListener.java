package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;

/**
 * A device's ear on its backend. All methods are control, and none may poll, begin a section, or
 * change the graph, which is refused (DRAIN-9); what has to happen in another context is posted
 * there under a hold of the backend's gate, and the section's one wait covers it.
 */
public interface BackendListener {
    /** A section begins: stop the sources (DRAIN-51). Post and hold, do not wait. */
    default void drainedBegin() {}

    /**
     * Asked while a section waits, besides the gate: whether the device has work that may still
     * submit (DRAIN-22). Whoever makes the answer false wakes the main context.
     *
     * @return true if the section must go on waiting
     */
    default boolean drainedPoll() {
        return false;
    }

    /**
     * The last section ends: sources may run again, and look once at what they missed (DRAIN-51).
     * Called before parked requests are replayed; what is submitted from here parks behind them
     * (DRAIN-25).
     */
    default void drainedEnd() {}

    /**
     * The backend has another context. Called inside the section, when everybody in the component
     * has moved.
     *
     * @param now the new context
     */
    default void contextChanged(AioContext now) {}

    /**
     * The length has changed, or there is a medium now, or none. Called inside the section; after a
     * truncate that was submitted as a request, between requests (BB-65): whoever drains after that
     * request has completed drains after this call.
     */
    default void resized() {}
}
