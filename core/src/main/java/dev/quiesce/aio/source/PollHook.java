package dev.quiesce.aio.source;

/**
 * How a loop may ask whether an event has happened, instead of waiting to be told: a ring that has
 * something available, for instance. Given to an event together with the handler that runs if it
 * has (AIO-22). All methods are called in the home context of the loop, never from within one
 * another, and must not poll the loop: that is refused (AIO-39). What they queue or arm there is
 * looked at before the loop sleeps or is closed.
 *
 * <p>While the loop polls, nobody needs to tell it: between {@link #pollBegins} and
 * {@link #pollEnds} the notifications of the event may be suppressed. Each begin is followed by
 * exactly one end: before the loop sleeps, or when the handler is detached (AIO-28, AIO-31). After
 * an end the loop asks once more, so an event that came before notifications were back is seen
 * (AIO-32).
 */
@FunctionalInterface
public interface PollHook {
    /**
     * Looks. Cheap, since it is called over and over, and without a side effect.
     *
     * @return whether there is something for the handler to do
     */
    boolean poll();

    /** From now on the loop asks, and need not be told. */
    default void pollBegins() {
        // Notifications that go on do no harm.
    }

    /** The loop stops asking, and must be told again of what comes after this has returned. */
    default void pollEnds() {
        // See pollBegins.
    }
}
