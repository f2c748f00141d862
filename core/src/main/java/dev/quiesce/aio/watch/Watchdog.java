package dev.quiesce.aio.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Watches loops from outside and says which does not come back: one that is in the same turn,
 * awake, for longer than a bound. Each stall is told once, and again after every doubling of its
 * time. It looks when somebody calls {@link #look}: a thread of the embedder, another loop's timer,
 * or a thread of its own, see {@link #patrol}. Thread: any but that of a watched loop, which would
 * not look while it stalls.
 */
public final class Watchdog {
    /*
     * A loop moves if any of its counts of turns and sleeps has changed since the last look. The
     * time of a stall runs from the look that saw the turn first, so a stall is told between one
     * bound and one bound and a half after it began, if somebody looks every half bound.
     *
     * A loop that offers its core (AIO-50a) is awake, and comes back after a time slice of each
     * thread that is ready, at the latest. If that takes longer than the bound the loop serves
     * nobody, as one that was preempted in a callback does, and that is told.
     *
     * The stack is taken after the decision; if the loop has moved by then, it is dropped, since it
     * would accuse an innocent callback.
     */
    private final LongSupplier clock;
    private final long boundNanos;
    private final Consumer<Stall> alarm;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition dismissed = lock.newCondition();

    /** Guarded by lock. */
    private final List<Suspect> suspects = new ArrayList<>();

    /**
     * A watchdog that watches nothing yet. Thread: any.
     *
     * @param clock the time, in nanoseconds
     * @param boundNanos how long a turn may take before it is told
     * @param alarm told of stalls, on the thread that looks
     * @throws IllegalArgumentException if the bound is not positive
     */
    public Watchdog(LongSupplier clock, long boundNanos, Consumer<Stall> alarm) {
        if (boundNanos <= 0) {
            throw new IllegalArgumentException(
                    "a watchdog needs a positive bound, not " + boundNanos + " ns" + forCaller());
        }
        this.clock = Objects.requireNonNull(clock, "clock");
        this.boundNanos = boundNanos;
        this.alarm = Objects.requireNonNull(alarm, "alarm");
    }

    /**
     * Watches a loop from now on, which names its callbacks from its next turn on. Does nothing if
     * it is watched already. Thread: any.
     *
     * @param loop whom to watch
     */
    public void watch(WatchedLoop loop) {
        lock.lock();
        try {
            if (find(loop) == null) {
                loop.nameCallbacks();
                suspects.add(new Suspect(loop));
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Watches a loop no longer. Does nothing if it is not watched. Thread: any.
     *
     * @param loop whom not to watch
     */
    public void dismiss(WatchedLoop loop) {
        lock.lock();
        try {
            Suspect suspect = find(loop);
            if (suspect != null) {
                suspects.remove(suspect);
                loop.forgetCallbacks();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Looks at every loop once and tells what is due. Thread: any but that of a watched loop.
     *
     * @return how many loops are over the bound
     */
    public int look() {
        List<Stall> told = new ArrayList<>();
        int stalled = 0;
        lock.lock();
        try {
            for (Suspect suspect : suspects) {
                stalled += suspect.look(told) ? 1 : 0;
            }
        } finally {
            lock.unlock();
        }
        tellAll(told);
        return stalled;
    }

    /** Tells every stall, though the alarm throws, which is thrown on in the end. */
    private void tellAll(List<Stall> told) {
        RuntimeException failure = null;
        for (Stall stall : told) {
            try {
                alarm.accept(stall);
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Has a thread look again and again, until the patrol is closed. What the alarm throws ends the
     * patrol, in the thread's own way. Thread: any.
     *
     * @param factory makes the thread
     * @param periodNanos how long to wait between two looks
     * @return to be closed; closing wakes the thread and returns at once
     * @throws IllegalArgumentException if the period is not positive
     * @throws IllegalStateException if the factory made no thread
     */
    public Patrol patrol(ThreadFactory factory, long periodNanos) {
        if (periodNanos <= 0) {
            throw new IllegalArgumentException(
                    "a patrol needs a positive period, not " + periodNanos + " ns" + forCaller());
        }
        Patrol patrol = new Patrol(periodNanos);
        Thread thread = factory.newThread(patrol::run);
        if (thread == null) {
            throw new IllegalStateException(
                    "the thread factory made no thread of a patrol" + forCaller());
        }
        thread.start();
        return patrol;
    }

    private static String forCaller() {
        return ", for thread " + Thread.currentThread().getName();
    }

    private @Nullable Suspect find(WatchedLoop loop) {
        for (Suspect suspect : suspects) {
            if (suspect.loop == loop) {
                return suspect;
            }
        }
        return null;
    }

    /** A thread that looks. */
    public final class Patrol implements AutoCloseable {
        private final long periodNanos;

        /** Guarded by lock. */
        private boolean over;

        private Patrol(long periodNanos) {
            this.periodNanos = periodNanos;
        }

        /** Ends the patrol after the look that is under way. Idempotent. Thread: any. */
        @Override
        public void close() {
            lock.lock();
            try {
                over = true;
                dismissed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        private void run() {
            while (goesOn()) {
                look();
            }
        }

        private boolean goesOn() {
            lock.lock();
            try {
                long leftNanos = periodNanos;
                while (!over && leftNanos > 0) {
                    leftNanos = dismissed.awaitNanos(leftNanos);
                }
                return !over;
            } catch (InterruptedException e) {
                // Whoever interrupts the thread of a patrol wants it to end.
                Thread.currentThread().interrupt();
                return false;
            } finally {
                lock.unlock();
            }
        }
    }

    /** A watched loop, and what was seen of it last. Guarded by lock. */
    private final class Suspect {
        private final WatchedLoop loop;
        private @Nullable LoopStats seen;
        private long seenNanos;
        private long tellAfterNanos;

        Suspect(WatchedLoop loop) {
            this.loop = loop;
        }

        /** Whether the loop is over the bound; adds what is to be told. */
        boolean look(List<Stall> told) {
            LoopStats now = loop.stats();
            if (!now.isBusy() || seen == null || hasMoved(seen, now)) {
                seen = now;
                seenNanos = clock.getAsLong();
                tellAfterNanos = boundNanos;
                return false;
            }
            long stalledNanos = clock.getAsLong() - seenNanos;
            if (stalledNanos >= tellAfterNanos) {
                Stall stall = accuse(stalledNanos);
                if (hasMoved(now, loop.stats())) {
                    return false;
                }
                told.add(stall);
                tellAfterNanos = 2 * stalledNanos;
            }
            return stalledNanos >= boundNanos;
        }

        private Stall accuse(long stalledNanos) {
            String callback = loop.running();
            Thread owner = loop.owner();
            return new Stall(loop.name(), callback, owner == null ? null : owner.getName(),
                    owner == null ? List.of() : List.of(owner.getStackTrace()), stalledNanos);
        }

        private boolean hasMoved(LoopStats before, LoopStats now) {
            return before.turns() != now.turns() || before.turnsUnderWay() != now.turnsUnderWay()
                    || before.parks() != now.parks() || before.asleep() != now.asleep();
        }
    }
}
