package dev.quiesce.aio;

import dev.quiesce.aio.time.Clock;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything by which a loop touches the world outside: time, sleep, blocking work, and where
 * errors go. Given to a context at construction; nothing else in this package has a default.
 *
 * @param clock the time of waits, and of timers that are not given another
 * @param parker how the loop sleeps
 * @param workers where work that blocks is done
 * @param errors who hears of failures
 */
public record LoopSeams(Clock clock, Parker parker, Workers workers, ErrorHandler errors) {
    private static final Logger LOG = LoggerFactory.getLogger(LoopSeams.class);

    /**
     * Checks that no seam is missing.
     *
     * @param clock the time of timers and waits
     * @param parker how the loop sleeps
     * @param workers where work that blocks is done
     * @param errors who hears of failures
     * @throws IllegalArgumentException if the clock is not realtime, so that it might stop
     */
    public LoopSeams {
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(parker, "parker");
        Objects.requireNonNull(workers, "workers");
        Objects.requireNonNull(errors, "errors");
        if (clock.kind() != Clock.Kind.REALTIME) {
            throw new IllegalArgumentException("the clock of a loop's seams must be realtime, not "
                    + clock.kind() + ", since waits are measured on it: " + clock);
        }
    }

    /**
     * The seams of a real machine: its monotonic clock, threads that block in
     * {@link LockSupport}, blocking work in the next turn of the loop itself, errors in the log.
     * Loops that are to share the cores share the seams, or copies of them. Thread: any.
     *
     * @return seams for a context that needs nothing special
     */
    public static LoopSeams system() {
        Parker parker = new ThreadParker(Runtime.getRuntime().availableProcessors());
        return new LoopSeams(
                Clock.system(), parker, Workers.inline(), LoopSeams::log);
    }

    /**
     * These seams with another clock. Thread: any.
     *
     * @param other the clock to use
     * @return a copy
     */
    public LoopSeams withClock(Clock other) {
        return new LoopSeams(other, parker, workers, errors);
    }

    /**
     * These seams with another parker. Thread: any.
     *
     * @param other the parker to use
     * @return a copy
     */
    public LoopSeams withParker(Parker other) {
        return new LoopSeams(clock, other, workers, errors);
    }

    /**
     * These seams with other workers. Thread: any.
     *
     * @param other the workers to use
     * @return a copy
     */
    public LoopSeams withWorkers(Workers other) {
        return new LoopSeams(clock, parker, other, errors);
    }

    /**
     * These seams with another error handler. Thread: any.
     *
     * @param other the error handler to use
     * @return a copy
     */
    public LoopSeams withErrors(ErrorHandler other) {
        return new LoopSeams(clock, parker, workers, other);
    }

    static void log(AioContext context, String site, Throwable cause) {
        LOG.error("{}: {} failed", context.name(), site, cause);
    }

    /**
     * Sleeps as threads do. One serves any number of loops, and counts those that have a thread of
     * their own, so that they do not poll if there are fewer cores than loops.
     */
    static final class ThreadParker implements Parker {
        /** The loop that the machine's own thread polls, or its CPU: it needs a core too. */
        private static final int MAIN = 1;

        private final int cores;
        private final AtomicInteger threads = new AtomicInteger();

        ThreadParker(int cores) {
            this.cores = cores;
        }

        @Override
        public void park(AioContext context, long maxNanos) {
            // A pending interrupt would end every sleep at once: hide it, and give it back after.
            // One that comes meanwhile ends this sleep and is hidden from the next.
            if (!Thread.interrupted()) {
                sleep(context, maxNanos);
                return;
            }
            try {
                sleepInterrupted(context, maxNanos);
            } finally {
                Thread.currentThread().interrupt();
            }
        }

        /** Sleeps though the thread was interrupted, which has left it a permit. */
        private static void sleepInterrupted(AioContext context, long maxNanos) {
            // Spend the permit. It may have been the one of an unpark, so look again: one that
            // comes after the look leaves another.
            sleep(context, 1);
            if (!context.isNotified()) {
                sleep(context, maxNanos);
            }
        }

        private static void sleep(AioContext context, long maxNanos) {
            if (maxNanos == Long.MAX_VALUE) {
                LockSupport.park(context);
            } else {
                LockSupport.parkNanos(context, maxNanos);
            }
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            LockSupport.unpark(owner);
        }

        @Override
        public boolean mayPoll(AioContext context) {
            return threads.getOpaque() + MAIN <= cores;
        }

        @Override
        public void threadServes(AioContext context, boolean serves) {
            threads.addAndGet(serves ? 1 : -1);
        }
    }

    /** A loop, as the simulation that steps it sees it. */
    static final class SteppedLoop implements Parker.Loop {
        private final AioContext context;

        SteppedLoop(AioContext context) {
            this.context = context;
        }

        @Override
        public boolean isDue() {
            return context.isDue();
        }

        @Override
        public void whileAsleep(Runnable meanwhile) {
            context.whileAsleep(meanwhile);
        }

        @Override
        public void end(String because) {
            context.end(because);
        }
    }

    /**
     * The handshake by which a loop falls asleep without missing an event (AIO-33 to AIO-38). Each
     * method is one atomic step, or two that have names, so that the step model and the stress
     * tests run the very same ones.
     *
     * <p>Poster: make the event visible, {@link #raise}; if that says so, unpark. Loop:
     * {@link #arm}, park only if {@link #mayPark}, {@link #disarm}, {@link #acknowledge}, look at
     * every queue.
     */
    static final class NotifyProtocol {
        /*
         * Two flags, one Dekker pair. The poster writes `notified`, then reads `notifyMe`; the
         * loop writes `notifyMe`, then reads `notified`. Both writes and both reads are
         * sequentially consistent, so at least one side sees the other: either the loop does not
         * park, or the poster unparks it. With weaker accesses both could read the old value and
         * the loop would sleep on a queued task.
         *
         * `notified` is set always, not only while the loop is armed (AIO-33): an event that
         * arrives between the loop's last look and `arm` is found by `mayPark`.
         *
         * `acknowledge` is a read-modify-write, not a store: it reads the latest `notified` and
         * thus happens after every raise whose flag it wipes out; the events of those are visible
         * to the look that follows (AIO-35). A raise that comes later finds the flag false and
         * sets it for the next turn. When the flag reads false there is nothing to wipe out and
         * nothing to order.
         *
         * A loop that polls before it sleeps asks `mayPark` over and over and stays unarmed, so
         * posters do not unpark it (AIO-38). That is the same question as the one before the park,
         * and what polling misses the latter finds.
         *
         * Proved by the step model NotifyStepModelTest and the stress test NotifyVersusPark.
         */
        private static final VarHandle NOTIFIED;
        private static final VarHandle NOTIFY_ME;

        static {
            try {
                MethodHandles.Lookup lookup = MethodHandles.lookup();
                NOTIFIED = lookup.findVarHandle(NotifyProtocol.class, "notified", int.class);
                NOTIFY_ME = lookup.findVarHandle(NotifyProtocol.class, "notifyMe", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        /** 1 if something happened since the last acknowledge. Set by any, cleared at home. */
        @SuppressWarnings("UnusedVariable") // read and written through NOTIFIED
        private int notified;

        /** How many polls are about to sleep or asleep. Written at home, read by any thread. */
        private int notifyMe;

        /**
         * Says that an event, already visible, has happened. Thread: any.
         *
         * @return true if the loop may be asleep, and the caller must unpark it
         */
        boolean raise() {
            announce();
            return isArmed();
        }

        /** First step of {@link #raise}. */
        void announce() {
            NOTIFIED.setVolatile(this, 1);
        }

        /** Second step of {@link #raise}. */
        boolean isArmed() {
            return (int) NOTIFY_ME.getVolatile(this) != 0;
        }

        /** Says that the loop is about to sleep. Home context. */
        void arm() {
            NOTIFY_ME.setVolatile(this, notifyMe + 1);
        }

        /** Whether nothing has happened since the last acknowledge. Home context, armed. */
        boolean mayPark() {
            return (int) NOTIFIED.getVolatile(this) == 0;
        }

        /** Says that the loop is awake. Home context. */
        void disarm() {
            // Release: no access of the coming turn needs it, but none of the sleep may sink below.
            NOTIFY_ME.setRelease(this, notifyMe - 1);
        }

        /**
         * Forgets what was notified, before anything is looked at. Home context (AIO-37).
         *
         * @return whether something was
         */
        boolean acknowledge() {
            // Opaque: a stale 0 only leaves the flag set for the next turn, as AIO-36 allows.
            if ((int) NOTIFIED.getOpaque(this) == 0) {
                return false;
            }
            // Acquire: what happened before the raises that this wipes out.
            NOTIFIED.getAndSet(this, 0);
            return true;
        }
    }
}
