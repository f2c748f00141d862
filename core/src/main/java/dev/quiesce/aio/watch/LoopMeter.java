package dev.quiesce.aio.watch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The counters of one loop. The loop calls what is for its home context; others see it as a
 * {@link WatchedLoop}.
 */
public final class LoopMeter implements WatchedLoop {
    /*
     * One writer, the home context: it adds to what it reads plainly, and stores opaquely, so that
     * readers get whole numbers which never go back. The lease hands the counters from home to
     * home. Nobody decides anything by two of them, so they need no order among themselves, but
     * for two pairs: a turn ends after it began, a sleep after it began. Each end is stored with
     * release and read first, with acquire, so that nobody sees more ends than begins.
     *
     * Own time: turns that a callback takes by polling, and the sleep in them, are served to the
     * loop and are not time in which it does not come back. A callback, and the turn that it is
     * part of, subtract what nestedNanos grew by meanwhile. A turn is measured after its sleep.
     *
     * The order of the counters is proved by the stress test StatsVersusTurn.
     */
    private static final VarHandle TURNS = handle("turns");
    private static final VarHandle TURNS_ENDED = handle("turnsEnded");
    private static final VarHandle TURNS_PASSED = handle("turnsPassed");
    private static final VarHandle LONE_PASSED = handle("lonePassed");
    private static final VarHandle TASKS = handle("tasks");
    private static final VarHandle TASKS_MAX = handle("tasksMax");
    private static final VarHandle COUNTERS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int TIMERS = 0;
    private static final int PARKS = 1;
    private static final int AWAKENINGS = 2;
    private static final int WAKE_UPS = 3;
    private static final int POLL_HITS = 4;
    private static final int SLOW_CALLBACKS = 5;
    private static final int LONG_TURNS = 6;
    private static final int LONGEST_TURN = 7;
    private static final int COUNTER_COUNT = 8;

    private final String name;
    private final Supplier<@Nullable Thread> owner;
    private final LongSupplier clock;
    private final Consumer<Throwable> errors;

    /** Turns begun. Written at home, opaque; read by any, opaque. So are all counters. */
    private long turns;

    /** Of turns that followed each other at once: begun and ended, in addition to the others. */
    private long turnsPassed;

    /** Turns that passed, besides those, and ran one task each: so many tasks more. */
    private long lonePassed;

    /** Turns ended. Written with release, read with acquire. */
    private long turnsEnded;

    /** Tasks run by the turns that have ended, but for those in {@code lonePassed}. */
    @SuppressWarnings("UnusedVariable") // read and written through TASKS
    private long tasks;

    /** What that was when the outermost turn that is under way began. Home context only. */
    private long tasksBefore;

    /** The most tasks of one turn. */
    private long tasksMax;

    /** The other counters, which are not written in every turn. */
    private final long[] counters = new long[COUNTER_COUNT];

    /** Whether there is an observer or a namer. Written under lock, read at home in each turn. */
    private volatile boolean observed;

    /** How many watch what runs. Guarded by lock. */
    private int namers;

    /** Who hears of slow callbacks. Written under lock, read at home while observed. */
    private volatile @Nullable LoopObserver observer;

    private final Object lock = new Object();

    /** What is to be done when the loop has ended. Any thread. */
    private final EndActions endActions = new EndActions();

    /** What runs; written at home, read by any. Written only while somebody wants to know. */
    private volatile @Nullable Supplier<String> running;

    /** Time spent in turns and in sleeps, as far as it was observed. Home context only. */
    private long nestedNanos;

    /** When the loop went to sleep, if that is timed. Home context only, as is the next. */
    private long parkedNanos;
    private boolean parkIsTimed;

    /**
     * A meter that has counted nothing. Thread: any.
     *
     * @param name the name of the loop
     * @param owner says who holds the loop's lease
     * @param clock the loop's clock, in nanoseconds
     * @param errors told what an observer throws, or an action at the end
     */
    public LoopMeter(String name, Supplier<@Nullable Thread> owner, LongSupplier clock,
            Consumer<Throwable> errors) {
        this.name = Objects.requireNonNull(name, "name");
        this.owner = Objects.requireNonNull(owner, "owner");
        this.clock = Objects.requireNonNull(clock, "clock");
        this.errors = Objects.requireNonNull(errors, "errors");
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public @Nullable Thread owner() {
        return owner.get();
    }

    @Override
    public LoopStats stats() {
        // Acquire, and before what they ended: see the note above.
        long ended = (long) TURNS_ENDED.getAcquire(this);
        long awakenings = (long) COUNTERS.getAcquire(counters, AWAKENINGS);
        // Acquire: the second look at the ends comes after.
        long begun = (long) TURNS.getAcquire(this);
        long parks = get(PARKS);
        boolean moves = ended != (long) TURNS_ENDED.getAcquire(this);
        // Turns that pass between the looks are not on the stack together.
        int underWay = (int) Math.min(begun - ended, moves ? 1 : Integer.MAX_VALUE);
        long passed = (long) TURNS_PASSED.getOpaque(this);
        long others = (long) TASKS.getOpaque(this);
        long alone = (long) LONE_PASSED.getOpaque(this);
        long most = (long) TASKS_MAX.getOpaque(this);
        return new LoopStats(begun + passed + alone, underWay, parks > awakenings,
                others + alone, Math.max(most, Math.min(alone, 1)), get(TIMERS),
                parks, get(WAKE_UPS), get(POLL_HITS), get(SLOW_CALLBACKS), get(LONG_TURNS),
                get(LONGEST_TURN));
    }

    @Override
    public @Nullable String running() {
        Supplier<String> what = running;
        return what == null ? null : nameOf(what);
    }

    /**
     * A name, for diagnoses, of what may be caught half changed: on another thread, or because it
     * has just failed. Thread: any.
     *
     * @param what says what it is, and may throw
     * @return what it says, or that it cannot
     */
    public static String nameOf(Supplier<String> what) {
        try {
            return what.get();
        } catch (RuntimeException e) {
            return "what cannot describe itself now: " + e;
        }
    }

    @Override
    public void atEnd(Runnable action) {
        if (!endActions.add(Objects.requireNonNull(action, "action"))) {
            EndActions.make(action, errors);
        }
    }

    @Override
    public boolean notAtEnd(Runnable action) {
        return endActions.remove(action);
    }

    /**
     * Nothing runs in the loop any more. Thread: the one that ends it, once.
     *
     * @param report told what the actions throw
     */
    public void ended(Consumer<Throwable> report) {
        endActions.makeAll(report);
    }

    @Override
    public void observe(@Nullable LoopObserver wanted) {
        synchronized (lock) {
            observer = wanted;
            observed = wanted != null || namers > 0;
        }
    }

    @Override
    public void nameCallbacks() {
        synchronized (lock) {
            namers++;
            observed = true;
        }
    }

    @Override
    public void forgetCallbacks() {
        synchronized (lock) {
            if (namers == 0) {
                throw new IllegalStateException(
                        "nobody asked loop " + name + " to name its callbacks, as thread "
                                + Thread.currentThread().getName() + " takes back");
            }
            namers--;
            observed = observer != null || namers > 0;
        }
    }

    /**
     * {@return whether turns and callbacks have to go through {@link #observedTurn} and
     * {@link #observedCallback}} Home context; one load.
     */
    public boolean isObserved() {
        return observed;
    }

    /** A turn begins, perhaps nested in another. Home context. */
    public void turnBegins() {
        // Opaque: one writer, and readers that want a whole number.
        TURNS.setOpaque(this, turns + 1);
    }

    /**
     * A turn ends. Home context.
     *
     * @param tasksSoFar how many tasks the loop has run since it was made
     */
    public void turnEnds(long tasksSoFar) {
        if (turnsEnded + 1 == turns) {
            // The outermost, with what those nested in it ran.
            countMost(tasksSoFar - lonePassed);
        }
        // Opaque: one writer, and readers that want a whole number.
        TASKS.setOpaque(this, tasksSoFar - lonePassed);
        // Release: after the begin, see the note above.
        TURNS_ENDED.setRelease(this, turnsEnded + 1);
    }

    /**
     * A turn ends and the next begins. Home context.
     *
     * @param tasksSoFar how many tasks the loop has run since it was made
     */
    public void turnPasses(long tasksSoFar) {
        countMost(tasksSoFar - lonePassed);
        // Opaque: see turnBegins.
        TASKS.setOpaque(this, tasksSoFar - lonePassed);
        // Opaque. One number for both: nobody sees the end without the begin.
        TURNS_PASSED.setOpaque(this, turnsPassed + 1);
    }

    /**
     * A turn that ran one task, and no other turn within it, ends and the next begins. Home
     * context.
     */
    public void loneTaskPasses() {
        // Opaque: see turnBegins. One number for turn and task.
        LONE_PASSED.setOpaque(this, lonePassed + 1);
    }

    private void countMost(long others) {
        long ran = others - tasksBefore;
        tasksBefore = others;
        if (ran > tasksMax) {
            TASKS_MAX.setOpaque(this, ran);
        }
    }

    /**
     * Runs what a turn does after its sleep, and tells the observer if that took long. Home
     * context.
     *
     * @param work what the turn does; its result is returned
     * @param tasksSoFar says how many tasks the loop has run
     * @return what the work returned
     */
    public boolean observedTurn(BooleanSupplier work, LongSupplier tasksSoFar) {
        LoopObserver told = observer;
        if (told == null) {
            return work.getAsBoolean();
        }
        long tasksBefore = tasksSoFar.getAsLong();
        long nestedBefore = nestedNanos;
        long began = clock.getAsLong();
        try {
            return work.getAsBoolean();
        } finally {
            long tookNanos = clock.getAsLong() - began;
            long ownNanos = tookNanos - (nestedNanos - nestedBefore);
            // For the callback around this turn, if there is one.
            nestedNanos = nestedBefore + tookNanos;
            turnTook(told, ownNanos, tasksSoFar.getAsLong() - tasksBefore);
        }
    }

    private void turnTook(LoopObserver told, long ownNanos, long tasks) {
        if (ownNanos > counters[LONGEST_TURN]) {
            set(LONGEST_TURN, ownNanos);
        }
        tell(() -> {
            if (ownNanos >= told.longTurnNanos()) {
                set(LONG_TURNS, counters[LONG_TURNS] + 1);
                told.onLongTurn(name, tasks, ownNanos);
            }
        });
    }

    /**
     * Runs a callback, names it meanwhile, and tells the observer if it took long. Home context.
     *
     * @param what says what it is, on any thread
     * @param callback the callback; its result is returned
     * @return what the callback returned
     */
    public boolean observedCallback(Supplier<String> what, BooleanSupplier callback) {
        Supplier<String> outer = running;
        running = what;
        LoopObserver told = observer;
        long nestedBefore = nestedNanos;
        long began = told == null ? 0 : clock.getAsLong();
        try {
            return callback.getAsBoolean();
        } finally {
            running = outer;
            if (told != null) {
                long tookNanos = clock.getAsLong() - began - (nestedNanos - nestedBefore);
                callbackTook(told, what, tookNanos);
            }
        }
    }

    private void callbackTook(LoopObserver told, Supplier<String> what, long tookNanos) {
        tell(() -> {
            if (tookNanos >= told.slowCallbackNanos()) {
                set(SLOW_CALLBACKS, counters[SLOW_CALLBACKS] + 1);
                told.onSlowCallback(name, what.get(), tookNanos);
            }
        });
    }

    /** The loop goes to sleep. Home context. */
    public void parks() {
        set(PARKS, counters[PARKS] + 1);
        parkIsTimed = observer != null;
        if (parkIsTimed) {
            parkedNanos = clock.getAsLong();
        }
    }

    /**
     * The loop has woken. Home context.
     *
     * @param notified whether something has happened
     */
    public void wakes(boolean notified) {
        if (parkIsTimed) {
            nestedNanos += clock.getAsLong() - parkedNanos;
        }
        if (notified) {
            set(WAKE_UPS, counters[WAKE_UPS] + 1);
        }
        // Release: after the begin, see the note above.
        COUNTERS.setRelease(counters, AWAKENINGS, counters[AWAKENINGS] + 1);
    }

    /** Polling has found something, so there is no sleep. Home context. */
    public void pollHits() {
        set(POLL_HITS, counters[POLL_HITS] + 1);
    }

    /** A timer fires. Home context. */
    public void timerFires() {
        set(TIMERS, counters[TIMERS] + 1);
    }

    private void tell(Runnable news) {
        try {
            news.run();
        } catch (RuntimeException e) {
            errors.accept(e);
        }
    }

    private static VarHandle handle(String field) {
        try {
            return MethodHandles.lookup().findVarHandle(LoopMeter.class, field, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private long get(int counter) {
        return (long) COUNTERS.getOpaque(counters, counter);
    }

    private void set(int counter, long value) {
        // Opaque: one writer, and readers that want a whole number.
        COUNTERS.setOpaque(counters, counter, value);
    }
}
