package dev.quiesce.aio.source;

import java.util.concurrent.TimeUnit;

/**
 * Before which sleeps a loop that may not poll lets others have its core (AIO-50a). The loop asks
 * {@link #precedes} before each sleep, offers if told to, and says with {@link #ended} what came
 * of it. Home context only.
 */
public final class CoreOffer {
    /*
     * An offer that finds something spares the loop the sleep and its poster the wake-up, about a
     * microsecond. It can go wrong in two ways; for each there is a number of sleeps that the loop
     * then passes over.
     *
     * In vain: nobody else was ready, or nobody did anything for this loop. That costs less than a
     * microsecond. The number doubles, and is forgotten as soon as an offer pays.
     *
     * Slow: somebody used up a time slice, some milliseconds. Had the loop slept, an event would
     * have woken it into that slice; but who is ready to run waits for its end. The loop passes
     * over a sleep for each PRICE_NANOS of it, so whatever others do, slow offers cost less than
     * that a sleep on average, a tenth of what an offer that pays saves. While slow ones come
     * without a quick find between them the number doubles at least: a hog that uses up every
     * slice it gets, such as the CPU of a busy guest, soon gets one in a million sleeps.
     *
     * A JVM that has just started is full of hogs, the threads of the compiler. A number that only
     * grew would keep its loops from offering long after these have finished: with 16 times as
     * many sleeps after each slow offer, to be forgotten after 64 quick finds, pairs of loops had
     * no gain for seconds (RoundTripBenchmark, pinned, 3.2 instead of 1.9 us). As it is, the last
     * pause is hardly longer than the hogs were there.
     */

    /** The most sleeps to pass over; even short ones, of 5 us, make that five seconds. */
    static final int PASSED_MAX = 1 << 20;

    /** More than a loop's tasks usually take, less than the time slice of any scheduler. */
    static final long SLOW_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    /** What slow offers may cost a sleep on average; of slices up to 67 ms, see PASSED_MAX. */
    static final long PRICE_NANOS = 64;

    /** So many sleeps are passed over before the next offer. */
    private int left;

    /** So many were passed over after the last offer in vain; 0 if one has paid since. */
    private int vain;

    /** So many were passed over after the last slow offer; 0 if a quick one has paid since. */
    private int slow;

    /** A loop that has not slept yet, and offers before its first sleep. */
    public CoreOffer() {
    }

    /**
     * A sleep is about to begin.
     *
     * @return whether to offer the core before it
     */
    public boolean precedes() {
        if (left == 0) {
            return true;
        }
        left--;
        return false;
    }

    /**
     * An offer is over.
     *
     * @param tookNanos how long others had the core
     * @param found whether there is something for the loop to do now
     */
    public void ended(long tookNanos, boolean found) {
        vain = found ? 0 : Math.min(PASSED_MAX, Math.max(1, 2 * vain));
        left = vain;
        if (tookNanos > SLOW_NANOS) {
            long price = Math.max(2L * slow, tookNanos / PRICE_NANOS);
            slow = (int) Math.min(PASSED_MAX, price);
            left = Math.max(vain, slow);
        } else if (found) {
            slow = 0;
        }
    }
}
