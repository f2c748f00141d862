package dev.quiesce.aio.time;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is armed on one clock, to be fired by one thread at a time, its home. Knows neither what a
 * timer is nor what it fires in; who extends this does.
 *
 * <p>It takes timers while it is {@linkplain #isOpen open}; it is made closed.
 *
 * @param <T> a timer
 */
public abstract class ClockTimers<T> implements Clock.Watcher {
    /*
     * A run of the timers first finds everything due that has expired, then fires the due one by
     * one. What is armed meanwhile waits for the next run; what is cancelled or re-armed meanwhile
     * is not due any more and does not fire in this one. A callback that polls fires the rest of
     * the due, together with what has expired since; the outer run then finds nothing.
     *
     * A clock may be stopped or set back in the middle of a run. Whether it runs is asked again
     * under the lock before each timer, so none is taken once a stop has asked this list whether it
     * is quiet. What was found due and has not fired stays armed; the next run looks whether it is
     * still due. A change says so under the lock, and before the next timer is taken what the clock
     * now says is not due goes back: once the change is over, none fires early.
     *
     * The lock is held for a few dozen instructions, and only the clock is asked under it: whether
     * it runs, or a stop might be told that all is quiet before a timer is taken; and its time, or
     * it might be one from before a change. Clock says what that asks of it. `armed` is read
     * without the lock, by the home only: an arming that matters is followed by a notify, and the
     * loop looks again after acknowledging that.
     */
    private static final VarHandle ARMED;

    static {
        try {
            ARMED = MethodHandles.lookup().findVarHandle(ClockTimers.class, "armed", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Clock clock;
    private final Clock.Kind kind;
    private final Object lock = new Object();
    private final DeadlineQueue<T> queue = new DeadlineQueue<>();

    /** Whether this takes timers. Written under lock, read by any. */
    private volatile boolean open;

    /** Whether the clock was started or set since timers were last found due. Under lock. */
    private boolean clockChanged;

    /** How many runs are on the stack of the home: nested ones count. Under lock. */
    private int running;

    /** Who waits for that to become 0. Under lock. */
    private @Nullable CompletableFuture<@Nullable Void> quiet;

    /** How many timers are armed. Written under lock. */
    @SuppressWarnings("UnusedVariable") // read and written through ARMED
    private int armed;

    /**
     * A list that is not open. Thread: any.
     *
     * @param clock the clock of the deadlines
     */
    protected ClockTimers(Clock clock) {
        this.clock = clock;
        this.kind = clock.kind();
    }

    /** What has become of an attempt to arm. */
    public enum Armed {
        /** It is the next to fire. */
        NEXT,
        /** Others fire first, or it was armed for an earlier time already. */
        LATER,
        /** This list is not open: the timer is armed in none. */
        NOWHERE
    }

    /**
     * Throws if no timer may be armed, although this is open. Called under the lock, so that
     * whoever changes its answer and then {@linkplain #hasArmed looks} misses none.
     */
    protected abstract void checkMayArm();

    /**
     * Runs a timer's callback. Thread: home.
     *
     * @param timer a timer that is not armed any more
     */
    protected abstract void fire(T timer);

    /** Has the home look at its timers again. Thread: any. */
    protected abstract void lookAgain();

    /** {@return the clock of the deadlines} Thread: any. */
    public final Clock clock() {
        return clock;
    }

    /** {@return what that clock shows} Thread: any. */
    public final Clock.Kind kind() {
        return kind;
    }

    /** Takes timers from now on. Thread: any. */
    public final void open() {
        synchronized (lock) {
            open = true;
        }
    }

    /**
     * Takes no timer any more, if none is armed and none fires. Thread: any.
     *
     * @return false if one is armed, or fires
     */
    public final boolean closeIfQuiet() {
        synchronized (lock) {
            if (queue.size() > 0 || running > 0) {
                return false;
            }
            open = false;
            return true;
        }
    }

    /** {@return whether this takes timers} Thread: any; a snapshot. */
    public final boolean isOpen() {
        return open;
    }

    /**
     * Arms a timer. Thread: any.
     *
     * @param timer its entry
     * @param atNanos the deadline
     * @param earlierOnly whether to leave it as it is if it is armed for an earlier time
     * @return what has become of that
     */
    public final Armed arm(DeadlineQueue.Entry<T> timer, long atNanos, boolean earlierOnly) {
        long deadlineNanos = kind == Clock.Kind.REALTIME ? atNanos : Math.max(0, atNanos);
        synchronized (lock) {
            if (!open) {
                return Armed.NOWHERE;
            }
            checkMayArm();
            if (earlierOnly && timer.isQueuedBy(deadlineNanos)) {
                return Armed.LATER;
            }
            queue.add(timer, deadlineNanos);
            setArmed();
            return timer.isFirst() ? Armed.NEXT : Armed.LATER;
        }
    }

    /**
     * Disarms a timer. Thread: any.
     *
     * @param timer its entry
     */
    public final void cancel(DeadlineQueue.Entry<T> timer) {
        synchronized (lock) {
            if (!open) {
                // It was not armed then, and is being armed elsewhere at most.
                return;
            }
            queue.remove(timer);
            setArmed();
        }
    }

    /**
     * Whether a timer is going to fire. Thread: any; a snapshot.
     *
     * @param timer its entry
     * @return true if it is armed here
     */
    public final boolean isArmed(DeadlineQueue.Entry<T> timer) {
        synchronized (lock) {
            return open && timer.isQueued();
        }
    }

    /** {@return whether no timer is armed} Thread: home, which looks again once it is notified. */
    public final boolean isEmpty() {
        return (int) ARMED.getAcquire(this) == 0;
    }

    /** {@return whether a timer is armed} Thread: any; sees whatever was armed before. */
    public final boolean hasArmed() {
        synchronized (lock) {
            return queue.size() > 0;
        }
    }

    /** {@return the nearest deadline, or {@link Long#MAX_VALUE}} Thread: any. */
    public final long nextDeadlineNanos() {
        if (isEmpty()) {
            return Long.MAX_VALUE;
        }
        synchronized (lock) {
            return queue.nearestNanos();
        }
    }

    /**
     * {@return how long the home may sleep: 0 if a timer would fire now, {@link Long#MAX_VALUE} if
     * none will by itself} Thread: home.
     */
    public final long nanosUntilNext() {
        long next = nextDeadlineNanos();
        return next == Long.MAX_VALUE || !clock.isRunning()
                ? Long.MAX_VALUE : clock.nanosUntil(next);
    }

    /**
     * Fires the timers that have expired. Thread: home.
     *
     * @return whether any fired
     */
    public final boolean run() {
        if (isEmpty() || !clock.isRunning()) {
            return false;
        }
        T timer = begin(clock.nanoTime());
        if (timer == null) {
            return false;
        }
        try {
            while (timer != null) {
                fire(timer);
                timer = takeDue();
            }
        } finally {
            end();
        }
        return true;
    }

    @Override
    public final void onClockChange() {
        synchronized (lock) {
            clockChanged = true;
        }
        // Even if nothing is armed: that could not be told apart from an arming under way.
        lookAgain();
    }

    @Override
    public final @Nullable CompletionStage<@Nullable Void> onClockStop() {
        synchronized (lock) {
            if (running == 0) {
                return null;
            }
            if (quiet == null) {
                quiet = new CompletableFuture<>();
            }
            return quiet;
        }
    }

    /**
     * Looks at the armed timers, in no order. Thread: any.
     *
     * @param visitor told of each, under the lock
     */
    public final void forEach(Consumer<T> visitor) {
        synchronized (lock) {
            queue.forEach(visitor);
        }
    }

    /** Begins a run and takes its first timer; if there is none, no run has begun. */
    private @Nullable T begin(long nowNanos) {
        synchronized (lock) {
            queue.findDue(nowNanos);
            T first = takeDue();
            if (first != null) {
                running++;
            }
            return first;
        }
    }

    /** The next timer of the runs on the stack, or null if they are over. */
    private @Nullable T takeDue() {
        synchronized (lock) {
            // Asked under the lock: see the note above.
            if (clockChanged) {
                clockChanged = false;
                queue.putBack(clock.nanoTime());
            }
            T timer = clock.isRunning() ? queue.takeDue() : null;
            setArmed();
            return timer;
        }
    }

    private void end() {
        CompletableFuture<@Nullable Void> waiter = null;
        synchronized (lock) {
            running--;
            if (running == 0) {
                waiter = quiet;
                quiet = null;
            }
        }
        if (waiter != null) {
            waiter.complete(null);
        }
    }

    private void setArmed() {
        // Release: pairs with isEmpty, which then takes the lock.
        ARMED.setRelease(this, queue.size());
    }
}
