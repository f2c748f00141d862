package dev.quiesce.benchmarks.loop;

/** A loop under test, with a thread of its own. */
interface Loop extends AutoCloseable {
    /** How many asks of one way may be waiting at the same time. */
    int WINDOW = 1024;

    /**
     * A way to have something run on the loop, as a user of that loop would who asks often: what
     * can be made once is made here.
     *
     * @param body what to run
     * @return what asks for one run each time it is called; it need not be called from several
     *     threads at once
     */
    Runnable way(Runnable body);

    /** Ends the thread. */
    @Override
    void close();
}
