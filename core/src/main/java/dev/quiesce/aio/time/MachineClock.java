package dev.quiesce.aio.time;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The time of a machine, which the embedder starts, stops and sets. It begins stopped, at 0
 * (AIO-54), and is never below 0. Either it is {@linkplain #paced paced} by another clock while it
 * runs, or it is {@linkplain #driven driven}: only {@link #advance} and {@link #set} move it.
 *
 * <p>While it is stopped, its timers neither run nor keep a loop from sleeping; they stay armed
 * (AIO-56). Starting and setting it wake the loops that have timers on it. Set forward past a
 * deadline, the timer fires in the loop's next turn; set backward, an armed timer waits until its
 * deadline comes again, and one that has fired does not fire again.
 *
 * <p>Thread: any, for everything.
 */
public final class MachineClock implements Clock {
    private final String name;
    private final Kind kind;

    /** What paces this clock while it runs; null if it is driven. */
    private final @Nullable Clock pace;

    private final Object lock = new Object();
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();

    /*
     * A clock that runs must not seem to step back when it is stopped or advanced: whoever reads it
     * between the look at the pace from which the change is made and the change itself would see
     * more than it shows after that. So a change raises `changing` before it looks at the pace, and
     * a reader that finds it raised, or another line, after its own look reads again under the
     * lock. A reader that finds neither has looked at the pace before the change did.
     *
     * Proved by the step model MachineClockStepModelTest.
     */

    /** Written under lock, read by any. */
    private volatile Line line = new Line(false, 0, 0);

    /** Whether the line is about to be replaced. Written under lock, read by any. */
    private volatile boolean changing;

    private MachineClock(String name, Kind kind, @Nullable Clock pace) {
        this.name = Objects.requireNonNull(name, "name");
        this.kind = Objects.requireNonNull(kind, "kind");
        this.pace = pace;
        if (kind != Kind.VIRTUAL && kind != Kind.VIRTUAL_RT) {
            throw new IllegalArgumentException(
                    "the clock " + name + " of a machine is virtual, not " + kind);
        }
    }

    /**
     * A clock that runs as fast as another one while it is started.
     *
     * @param name what to call it in diagnoses
     * @param kind {@link Clock.Kind#VIRTUAL}, or {@link Clock.Kind#VIRTUAL_RT}
     * @param pace the other one, which must be realtime
     * @return a clock that is stopped at 0
     * @throws IllegalArgumentException if the kinds are not as said
     */
    public static MachineClock paced(String name, Kind kind, Clock pace) {
        if (pace.kind() != Kind.REALTIME) {
            throw new IllegalArgumentException(
                    "the clock " + name + " cannot be paced by one that is " + pace.kind());
        }
        return new MachineClock(name, kind, pace);
    }

    /**
     * A clock that stands still unless it is moved, for machines that count instructions or steps.
     * It has to be {@linkplain #start started} like any other: until then it can be moved, but no
     * timer on it runs, however late it is.
     *
     * @param name what to call it in diagnoses
     * @param kind {@link Clock.Kind#VIRTUAL}, or {@link Clock.Kind#VIRTUAL_RT}
     * @return a clock that is stopped at 0
     * @throws IllegalArgumentException if the kind is not as said
     */
    public static MachineClock driven(String name, Kind kind) {
        return new MachineClock(name, kind, null);
    }

    /** Starts the clock where it stands. Does nothing if it runs. */
    public void start() {
        synchronized (lock) {
            if (line.running) {
                return;
            }
            show(started());
        }
        tellChange();
    }

    /**
     * Stops the clock where it is. When this returns, no callback of its timers begins that a loop
     * had not taken up already; the stage tells when those have ended too. It never waits, so it
     * may be called from such a callback, which is then one of those that the stage waits for.
     * Stopping it again only asks again.
     *
     * @return a stage that completes when no callback of this clock's timers is running; in the
     *     context of the last one, or at once
     */
    public CompletionStage<@Nullable Void> stop() {
        synchronized (lock) {
            beginChange();
            try {
                show(stopped());
            } finally {
                endChange();
            }
        }
        CompletableFuture<@Nullable Void> quiet = CompletableFuture.completedFuture(null);
        for (Watcher watcher : watchers) {
            CompletionStage<@Nullable Void> one = watcher.onClockStop();
            if (one != null) {
                quiet = quiet.thenCombine(one, (done, too) -> null);
            }
        }
        return quiet;
    }

    /**
     * Lets the machine's time jump, forward or backward; the clock goes on as it did, running or
     * stopped.
     *
     * @param timeNanos what to show now
     * @throws IllegalArgumentException if the time is negative
     */
    public void set(long timeNanos) {
        if (timeNanos < 0) {
            throw new IllegalArgumentException("the clock " + name + " begins at 0 and cannot show "
                    + timeNanos + " ns" + forCaller());
        }
        synchronized (lock) {
            show(at(timeNanos, line.running));
        }
        tellChange();
    }

    /**
     * Lets time pass at once.
     *
     * @param nanos how much
     * @throws IllegalArgumentException if it is negative, or more than the clock can show
     */
    public void advance(long nanos) {
        if (nanos < 0) {
            throw new IllegalArgumentException(
                    "the clock " + name + " cannot be advanced by " + nanos + " ns" + forCaller());
        }
        synchronized (lock) {
            beginChange();
            try {
                show(advanced(nanos));
            } finally {
                endChange();
            }
        }
        tellChange();
    }

    @Override
    public long nanoTime() {
        Line stretch = line();
        long now = timeNanos(stretch);
        if (!stretch.running || (!isChanging() && isCurrent(stretch))) {
            return now;
        }
        return nanoTimeLocked();
    }

    @Override
    public Kind kind() {
        return kind;
    }

    @Override
    public boolean isRunning() {
        return line.running;
    }

    @Override
    public long nanosUntil(long deadlineNanos) {
        Line stretch = line;
        long now = stretch.timeNanos(pace);
        if (deadlineNanos <= now) {
            return 0;
        }
        return stretch.running && pace != null ? deadlineNanos - now : Long.MAX_VALUE;
    }

    @Override
    public void watch(Watcher watcher) {
        watchers.add(watcher);
    }

    @Override
    public void unwatch(Watcher watcher) {
        watchers.remove(watcher);
    }

    @Override
    public String toString() {
        Line now = line;
        return "MachineClock[" + name + ", " + (now.running ? "running" : "stopped") + " at "
                + now.timeNanos(pace) + " ns]";
    }

    // Steps. The step model calls them one by one.

    /** First step of a reader; the second is {@link #timeNanos}. */
    Line line() {
        return line;
    }

    /** A reader's look at the pace: what such a stretch shows now. */
    long timeNanos(Line stretch) {
        return stretch.timeNanos(pace);
    }

    /** Third step of a reader, if the clock runs: whether what it has read may be too late. */
    boolean isChanging() {
        return changing;
    }

    /** Fourth step of a reader: whether what it has read is what this clock shows. */
    @SuppressWarnings("ReferenceEquality") // every change makes another line
    boolean isCurrent(Line stretch) {
        return line == stretch;
    }

    /** Last step of a reader that cannot be sure. */
    long nanoTimeLocked() {
        synchronized (lock) {
            return line.timeNanos(pace);
        }
    }

    /** First step of a change that must not seem to step back. Under lock, as are the others. */
    void beginChange() {
        changing = true;
    }

    /** Second step of {@link #stop}: a look at the pace. */
    Line stopped() {
        return at(line.timeNanos(pace), false);
    }

    /** Second step of {@link #advance}: two looks at the pace. */
    Line advanced(long nanos) {
        long now = line.timeNanos(pace);
        if (nanos > Long.MAX_VALUE - now) {
            throw new IllegalArgumentException("the clock " + name + ", at " + now
                    + " ns, cannot be advanced by " + nanos + " ns" + forCaller());
        }
        return at(now + nanos, line.running);
    }

    private static String forCaller() {
        return " for thread " + Thread.currentThread().getName() + " (AIO-54)";
    }

    /** First step of {@link #start}; a stopped clock shows the same to whoever reads meanwhile. */
    Line started() {
        return at(line.timeNanos(pace), true);
    }

    /** Third step of a change. */
    void show(Line next) {
        line = next;
    }

    /** Last step of a change that has begun. */
    void endChange() {
        changing = false;
    }

    private Line at(long timeNanos, boolean running) {
        Clock source = pace;
        return new Line(running, timeNanos, running && source != null ? source.nanoTime() : 0);
    }

    private void tellChange() {
        for (Watcher watcher : watchers) {
            watcher.onClockChange();
        }
    }

    /** One stretch of the clock between two changes: what it showed, and its pace, as it began. */
    record Line(boolean running, long beganNanos, long paceBeganNanos) {
        long timeNanos(@Nullable Clock pace) {
            if (!running || pace == null) {
                return beganNanos;
            }
            long now = beganNanos + (pace.nanoTime() - paceBeganNanos);
            // The last it can show: it is never below 0.
            return now < 0 ? Long.MAX_VALUE : now;
        }
    }
}
