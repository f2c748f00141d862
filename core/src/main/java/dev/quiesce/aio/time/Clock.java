package dev.quiesce.aio.time;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A time line that timers are armed on. Every event loop has one of its own, of the kind
 * {@link Kind#REALTIME}: graces and bounded waits read that one and no other.
 *
 * <p>A clock is asked for its time, and whether it runs, under locks of the loop that its watchers
 * take too. So {@link #nanoTime} and {@link #isRunning} only look: they take a short lock of the
 * clock's own at most, call nothing that waits for a loop, and arm no timer. And whoever changes
 * the clock tells the {@linkplain #watch watchers} when it holds no lock that these two take: first
 * the change, then, all locks released, the telling.
 */
public interface Clock {
    /** What a clock shows; the timers of a loop run in this order of their clocks (AIO-54). */
    enum Kind {
        /** Time that passes, always and evenly, from an arbitrary origin. */
        REALTIME,
        /** The time of a machine: stands still while the machine does, and may be set. */
        VIRTUAL,
        /** The host's wall clock, since 1970. Whoever administers the host may set it. */
        HOST,
        /** A second time line of a machine, for what must not disturb the first. */
        VIRTUAL_RT
    }

    /**
     * The current time, in nanoseconds from the clock's origin. Values are compared as signed
     * numbers. A realtime clock never goes backwards. Thread: any; called under a lock.
     *
     * @return nanoseconds since the clock's origin
     */
    long nanoTime();

    /**
     * What this clock shows. Thread: any.
     *
     * @return the kind, always the same
     */
    default Kind kind() {
        return Kind.REALTIME;
    }

    /**
     * Whether timers of this clock run at all (AIO-56). Thread: any; a snapshot, and called under a
     * lock.
     *
     * @return false while the clock is stopped
     */
    default boolean isRunning() {
        return true;
    }

    /**
     * How long a loop may sleep until an instant of this clock may have passed. Thread: any.
     *
     * @param deadlineNanos an instant on this clock
     * @return 0 if it has passed, though the clock may be stopped; {@link Long#MAX_VALUE} if it
     *     cannot pass without the watchers being told
     */
    default long nanosUntil(long deadlineNanos) {
        long now = nanoTime();
        if (deadlineNanos <= now) {
            return 0;
        }
        long left = deadlineNanos - now;
        return left < 0 ? Long.MAX_VALUE : left;
    }

    /**
     * Has a watcher told of every change of this clock other than the passing of time, from now
     * on. Thread: any.
     *
     * @param watcher whom to tell
     */
    default void watch(Watcher watcher) {
        // Nothing but the passing of time ever changes this clock.
    }

    /**
     * Ends what {@link #watch} began. Thread: any.
     *
     * @param watcher whom not to tell any more
     */
    default void unwatch(Watcher watcher) {
        // See watch.
    }

    /**
     * The machine's monotonic clock. Thread: any.
     *
     * @return a clock that reads the host's monotonic time
     */
    static Clock system() {
        return System::nanoTime;
    }

    /**
     * The host's wall clock, in nanoseconds since 1970 and in steps of a millisecond. It may be
     * set; a loop that sleeps for a timer of this clock therefore looks at it once a second.
     * Thread: any.
     *
     * @return a clock that reads the host's time of day
     */
    static Clock host() {
        return HostClock.INSTANCE;
    }

    /**
     * Who has timers of a clock: a loop's list of them. It takes the lock under which it asks the
     * clock: who calls it holds none that {@link Clock#nanoTime} or {@link Clock#isRunning} takes.
     */
    interface Watcher {
        /** The clock was started, or set to another time. Called by any thread; does not block. */
        void onClockChange();

        /**
         * The clock was stopped. Called by any thread; does not block.
         *
         * @return a stage that completes when no callback of this clock's timers is running; null
         *     if none is
         */
        @Nullable CompletionStage<@Nullable Void> onClockStop();
    }
}
