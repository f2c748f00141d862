package dev.quiesce.aio.watch;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * An observer that leaves an event in Flight Recorder for each slow callback and each long turn.
 * One may serve any number of loops. Needs the module {@code jdk.jfr}, which the rest of the
 * library does without. Thread: any.
 */
public final class LoopEvents implements LoopObserver {
    private volatile long slowCallbackNanos;
    private volatile long longTurnNanos;

    /**
     * An observer with thresholds. Thread: any.
     *
     * @param slowCallbackNanos how long a callback may take
     * @param longTurnNanos how long a turn may take
     * @throws IllegalArgumentException if one of them is negative
     * @throws UnsupportedOperationException if this Java has no Flight Recorder
     */
    public LoopEvents(long slowCallbackNanos, long longTurnNanos) {
        if (!isAvailable()) {
            throw new UnsupportedOperationException("this Java runs without the module jdk.jfr");
        }
        setThresholds(slowCallbackNanos, longTurnNanos);
    }

    /** {@return whether this Java has Flight Recorder} Thread: any. */
    public static boolean isAvailable() {
        return ModuleLayer.boot().findModule("jdk.jfr").isPresent();
    }

    /**
     * Changes the thresholds; they hold at once. Thread: any.
     *
     * @param slowCallback how long a callback may take, in nanoseconds
     * @param longTurn how long a turn may take, in nanoseconds
     * @throws IllegalArgumentException if one of them is negative; nothing has changed
     */
    public void setThresholds(long slowCallback, long longTurn) {
        if (slowCallback < 0 || longTurn < 0) {
            throw new IllegalArgumentException("thresholds of " + slowCallback + " and "
                    + longTurn + " ns: need 0 or more");
        }
        slowCallbackNanos = slowCallback;
        longTurnNanos = longTurn;
    }

    @Override
    public long slowCallbackNanos() {
        return slowCallbackNanos;
    }

    @Override
    public long longTurnNanos() {
        return longTurnNanos;
    }

    @Override
    public void onSlowCallback(String loop, String callback, long tookNanos) {
        SlowCallbackEvent event = new SlowCallbackEvent();
        if (event.isEnabled()) {
            event.loop = loop;
            event.callback = callback;
            event.took = tookNanos;
            event.commit();
        }
    }

    @Override
    public void onLongTurn(String loop, long tasks, long tookNanos) {
        LongTurnEvent event = new LongTurnEvent();
        if (event.isEnabled()) {
            event.loop = loop;
            event.tasks = tasks;
            event.took = tookNanos;
            event.commit();
        }
    }

    /** A callback has taken long. Fields are read by Flight Recorder. */
    @Name("dev.quiesce.SlowCallback")
    @Label("Slow callback")
    @Category({"Quiesce", "Event loop"})
    @Description("A callback kept its event loop from serving others")
    @StackTrace(false)
    @SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
    private static final class SlowCallbackEvent extends Event {
        @Label("Loop")
        private String loop = "";

        @Label("Callback")
        private String callback = "";

        @Label("Time taken")
        @Timespan(Timespan.NANOSECONDS)
        private long took;
    }

    /** A turn has taken long. Fields are read by Flight Recorder. */
    @Name("dev.quiesce.LongTurn")
    @Label("Long turn")
    @Category({"Quiesce", "Event loop"})
    @Description("A turn of an event loop took long, its sleep not counted")
    @StackTrace(false)
    @SuppressWarnings("UnusedVariable") // Flight Recorder reads the fields
    private static final class LongTurnEvent extends Event {
        @Label("Loop")
        private String loop = "";

        @Label("Tasks")
        private long tasks;

        @Label("Time taken")
        @Timespan(Timespan.NANOSECONDS)
        private long took;
    }
}
