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
     * have woken it into that slice; but who is ready to run waits for its end. A slice is as dear
     * as some thousand offers that pay, so this number grows by 16, whether there was something
     * after it or not. It is forgotten after as many quick finds as it says, but no more than
     * TRIAL_MAX, with no slow offer between them. A hog that uses up every slice it gets takes
     * five, with 16, 256, 4096 and 65536 sleeps between them, and from then on one in a million
     * sleeps; one that gets every fiftieth offer, about one in 200,000. A rarer one is not learnt:
     * slices of 4 ms then cost up to 6 us a sleep on average, the most at one offer in 500, where
     * an offer that pays saves one. If one find were enough to forget, it would be 65 us. If slow
     * offers were dearer from the first (65536 sleeps), or took as many finds as the number says,
     * the compiler's threads would keep a JVM that has just started there (measured: no gain left).
     */

    /** The most sleeps to pass over; even short ones, of 5 us, make that five seconds. */
    static final int PASSED_MAX = 1 << 20;

    /** More than a loop's tasks usually take, less than the time slice of any scheduler. */
    static final long SLOW_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    /** The most quick finds in a row that it takes to forget slow offers. */
    static final int TRIAL_MAX = 64;

    private static final int VAIN_GROWTH = 2;
    private static final int SLOW_GROWTH = 16;

    /** So many sleeps are passed over before the next offer. */
    private int left;

    /** So many were passed over after the last offer in vain; 0 if one has paid since. */
    private int vain;

    /** So many were passed over after the last slow offer; 0 if that is forgotten. */
    private int slow;

    /** So many quick finds before that is forgotten. */
    private int trial;

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
        vain = found ? 0 : grown(vain, 1, VAIN_GROWTH);
        left = vain;
        if (tookNanos > SLOW_NANOS) {
            slow = grown(slow, SLOW_GROWTH, SLOW_GROWTH);
            trial = Math.min(TRIAL_MAX, slow);
            left = Math.max(vain, slow);
        } else if (found && trial > 0) {
            trial--;
            slow = trial == 0 ? 0 : slow;
        }
    }

    private static int grown(int sleeps, int first, int factor) {
        return sleeps == 0 ? first : Math.min(PASSED_MAX, sleeps * factor);
    }
}
