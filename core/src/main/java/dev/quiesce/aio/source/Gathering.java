package dev.quiesce.aio.source;

import java.util.concurrent.TimeUnit;

/**
 * How long a loop that polls lets tasks gather before it takes them (AIO-50b). The loop asks
 * {@link #pauses} when it begins to poll, says with {@link #took} what that turn has taken, and
 * with {@link #forget} that it was not busy. Home context only.
 */
public final class Gathering {
    /*
     * A loop needs less time for a task than a poster on another core does. So it catches up, and
     * from then on takes tasks by ones and twos as they come. Each look takes the cache line of
     * slots away from the poster who is writing to it, and both wait for it (HandOverBenchmark).
     *
     * The sign of that are looks, many in a row, that find something at once, and little. Then the
     * loop waits a little before each, for twice as long while it still finds few tasks, for half
     * as long when it finds many. What it finds says when to leave off, whatever a pause takes on
     * this machine. If not even the longest wait brings as many tasks as a line has slots, the
     * posters are not in its way; if it brings little more than no wait did, they wait for answers
     * in their turn, many of them. The loop then leaves them alone for a while.
     *
     * Who sends a task and waits for its answer, alone, is never kept waiting: until the next task
     * comes there are looks that find nothing, and one of those is enough to begin anew.
     */

    /** So many looks in a row find something at once before the loop waits for the first time. */
    static final int LOOKS = 16;

    /** The shortest and the longest wait: some 50 ns, and less than 1 us or, on some, 3 us. */
    static final int PAUSES_MIN = 4;
    static final int PAUSES_MAX = 64;

    /** Fewer tasks than that are few. */
    static final int FEW = 64;

    /** More than that are many. */
    static final int MANY = 256;

    /** The longest wait must bring so many, the slots of a cache line. */
    static final int PAYS = 16;

    /** And so many times what was taken before the first. */
    static final int GAIN = 2;

    /** So many times in a row it may bring less. */
    static final int VAIN = 8;

    /** Then so many looks that find something pass before the loop counts anew. */
    static final int REST = 1_000;

    /** Who has less time than that does not wait: it is longer than the longest wait. */
    private static final long NANOS_MIN = TimeUnit.MICROSECONDS.toNanos(4);

    /** Looks in a row that have found something at once; below 0, looks to rest for. */
    private int looks;

    /** The last wait, in pauses. */
    private int pauses;

    /** What the turn took for which the loop was asked last. */
    private int taken;

    /** What the last one took that did not wait, before those that did. */
    private int takenAtFirst;

    /** How many of the longest waits in a row have brought too little. */
    private int vain;

    /** Whether nothing has been taken since the loop was asked. */
    private boolean asked;

    /** A loop that has not looked yet. */
    public Gathering() {
    }

    /**
     * The loop is about to poll, or to take what is there already: counts this look.
     *
     * @param atOnce whether something has been posted already
     * @param nanos how long it may poll
     * @return how many pauses to make before that is taken
     */
    public int pauses(boolean atOnce, long nanos) {
        asked = true;
        if (!atOnce || nanos < NANOS_MIN) {
            forget();
        } else if (looks < LOOKS) {
            looks++;
        } else {
            adapt();
        }
        return pauses;
    }

    private void adapt() {
        if (taken >= FEW) {
            vain = 0;
            pauses = taken > MANY ? pauses / 2 : pauses;
        } else if (pauses == 0) {
            takenAtFirst = taken;
            vain = 0;
            pauses = PAUSES_MIN;
        } else if (pauses < PAUSES_MAX) {
            pauses = Math.min(PAUSES_MAX, 2 * pauses);
        } else if (taken >= Math.max(PAYS, GAIN * takenAtFirst)) {
            vain = 0;
        } else if (++vain == VAIN) {
            looks = -REST;
            pauses = 0;
        }
    }

    /**
     * A turn has taken what was posted. Only what the first one takes after {@link #pauses} counts,
     * not turns that did not wait or were nested in it.
     *
     * @param tasks how many tasks that were
     */
    public void took(int tasks) {
        if (asked) {
            asked = false;
            taken = tasks;
        }
    }

    /** The loop had to wait, or sleeps, or may not poll: looks are not in a row any more. */
    public void forget() {
        looks = Math.min(looks, 0);
        pauses = 0;
    }
}
