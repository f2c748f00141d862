package dev.quiesce.aio.source;

import java.util.concurrent.TimeUnit;

/**
 * How long a loop polls before it sleeps, and how it learns how long that pays (AIO-46). Every
 * handler has a time of its own, which follows how long the loop last had to wait for it.
 *
 * @param maxNanos the longest time; 0 turns polling off
 * @param grow the factor by which a time that was too short grows; 0 means 2
 * @param shrink the divisor by which a time that was too long shrinks; 0 means to nothing
 */
public record PollParameters(long maxNanos, long grow, long shrink) {
    /** No polling, nor offering the core: what a context has unless told otherwise. */
    public static final PollParameters OFF = new PollParameters(0, 0, 0);

    /**
     * What a loop that has a thread, and a core, of its own uses: 32768 ns (IOT-1). By default,
     * where there is a single core, it offers that instead before it sleeps (AIO-50a).
     */
    public static final PollParameters DEFAULT = new PollParameters(32_768, 0, 0);

    private static final long FIRST_NANOS = TimeUnit.MICROSECONDS.toNanos(4);
    private static final long GROW_UNLESS_SET = 2;

    /**
     * Checks the values (IOT-1, IOT-2).
     *
     * @param maxNanos the longest time
     * @param grow the factor
     * @param shrink the divisor
     * @throws IllegalArgumentException if one is negative, naming it
     */
    public PollParameters {
        check("maxNanos", maxNanos);
        check("grow", grow);
        check("shrink", shrink);
    }

    /** {@return whether a loop with these polls at all} */
    public boolean isOn() {
        return maxNanos > 0;
    }

    /**
     * What a handler's polling time becomes once the handler has been served (AIO-48).
     *
     * @param timeNanos what it is
     * @param blockNanos how long the loop had to wait, polling and asleep
     * @return what it is from now on, at most {@link #maxNanos}
     */
    public long next(long timeNanos, long blockNanos) {
        if (blockNanos <= timeNanos) {
            return timeNanos;
        }
        if (blockNanos > maxNanos) {
            return shrink == 0 ? 0 : timeNanos / shrink;
        }
        if (timeNanos >= maxNanos || blockNanos == maxNanos) {
            return timeNanos;
        }
        return Math.min(maxNanos, timeNanos == 0 ? FIRST_NANOS : grown(timeNanos));
    }

    private long grown(long timeNanos) {
        long factor = grow == 0 ? GROW_UNLESS_SET : grow;
        return timeNanos > maxNanos / factor ? maxNanos : timeNanos * factor;
    }

    private static void check(String name, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(
                    "polling parameter " + name + " must not be negative, but thread "
                            + Thread.currentThread().getName() + " wants " + value + " (IOT-1)");
        }
    }
}
