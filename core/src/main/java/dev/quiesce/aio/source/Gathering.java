package dev.quiesce.aio.source;

/**
 * How long a loop that polls lets tasks gather before it takes them (AIO-50b). The loop asks
 * {@link #pauses} before each look at what was posted, and says with {@link #took} what a turn has
 * taken. Home context only.
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
     * this machine: if not even the longest wait brings as many tasks as a line has slots, the
     * posters are not in its way, or wait for its answers. It then leaves them alone for a while.
     *
     * Who sends a task and waits for the answer is never kept waiting: until the next task comes
     * there are looks that find nothing, and one of those is enough to begin anew.
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

    /** The longest wait must bring so many: the slots of a cache line. */
    static final int PAYS = 16;

    /** So many looks without any wait after one that did not. */
    static final int REST = 1_000;

    /** Looks in a row that have found something at once; below 0, looks to rest for. */
    private int looks;

    /** The last wait, in pauses. */
    private int pauses;

    /** What the last turn took. */
    private int taken;

    /** A loop that has not looked yet. */
    public Gathering() {
    }

    /**
     * The loop is about to take what was posted, or to poll until there is something.
     *
     * @param atOnce whether there is something already
     * @return how many pauses to make before it is taken
     */
    public int pauses(boolean atOnce) {
        if (!atOnce) {
            looks = Math.min(looks, 0);
            pauses = 0;
        } else if (looks < LOOKS) {
            looks++;
        } else {
            adapt();
        }
        return pauses;
    }

    private void adapt() {
        if (taken < PAYS && pauses == PAUSES_MAX) {
            looks = -REST;
            pauses = 0;
        } else if (taken < FEW) {
            pauses = Math.min(PAUSES_MAX, Math.max(PAUSES_MIN, 2 * pauses));
        } else if (taken > MANY) {
            pauses /= 2;
        }
    }

    /**
     * A turn has taken what was posted.
     *
     * @param tasks how many tasks that were
     */
    public void took(int tasks) {
        taken = tasks;
    }
}
