package dev.quiesce.aio;

/**
 * The time as a loop sees it: timers, graces and bounded waits read no other.
 */
public interface Clock {
    /**
     * The current time, in nanoseconds from an arbitrary origin. It never goes backwards. Values
     * are compared as signed numbers. Thread: any.
     *
     * @return nanoseconds since the clock's origin
     */
    long nanoTime();

    /**
     * The machine's monotonic clock. Thread: any.
     *
     * @return a clock that reads the host's monotonic time
     */
    static Clock system() {
        return System::nanoTime;
    }
}
