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

    /** An exception must not keep whoever reports from going on; an Error ends the loop. */
    static void handlerThrew(AioContext context, String site, Throwable cause, Throwable thrown) {
        if (thrown instanceof Error error) {
            if (error != cause) {
                error.addSuppressed(cause);
            }
            throw error;
        }
        log(context, "the error handler, told of " + site + ": " + cause, thrown);
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
            if (!context.sleep().isNotified()) {
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

        /** Where there are more, a wake-up finds a free core better than a loop that waits here. */
        @Override
        public boolean mayOfferCore(AioContext context) {
            return cores == 1;
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
            return context.turn().isDue();
        }

        @Override
        public void whileAsleep(Runnable meanwhile) {
            context.turn().whileAsleep(meanwhile);
        }

        @Override
        public void end(String because) {
            context.end(because);
        }
    }

    /** Keeps what comes before the fields of the handshake away from them. */
    abstract static class NotifyLeadingPad {
        /** Fills the gap behind the header, where the first small field below would go. */
        int padGap;
        long pad00, pad01, pad02, pad03, pad04, pad05, pad06, pad07;
        long pad08, pad09, pad10, pad11, pad12, pad13, pad14;
    }

    /** The fields of the handshake. */
    abstract static class NotifyFields extends NotifyLeadingPad {
        /** 1 if something was announced since the last acknowledge. Set by any, cleared at home. */
        @SuppressWarnings("UnusedVariable") // read and written through NotifyProtocol.ANNOUNCED
        int announced;

        /** 1 if the loop is about to sleep or asleep, and nobody is waking it or has. */
        @SuppressWarnings("UnusedVariable") // read and written through NotifyProtocol.ARMED
        int armed;
    }

    /**
     * The handshake by which a loop falls asleep without missing an event (AIO-33 to AIO-38). Each
     * method is one atomic step, or two that have names, so that the step model and the stress
     * tests run the very same ones.
     *
     * <p>Poster: make the event visible, {@link #announce} it unless the loop looks at the event
     * itself before it sleeps, as it does at its inbox; if {@link #mustWake}, unpark. Loop:
     * {@link #arm}, park only if nothing {@link #isAnnounced} and the inbox is empty,
     * {@link #disarm}, {@link #acknowledge}, look at every queue.
     */
    static final class NotifyProtocol extends NotifyFields {
        /*
         * A Dekker pair. The poster writes its event - the tail of the inbox, or `announced` -
         * then reads `armed`; the loop writes `armed`, then reads `announced` and the tail of the
         * inbox. All are sequentially consistent, so at least one side sees the other: either the
         * loop does not park, or the poster unparks it. With weaker accesses both could read the
         * old value and the loop would sleep on a queued task.
         *
         * A posted task needs no announcement: the compare and set that pushed it is the write of
         * the pair, and saying it a second time would double the cost of a post
         * (HandOverBenchmark). What the loop does not look at before it parks is announced always,
         * not only while the loop is armed (AIO-33): an event that arrives between the loop's last
         * look and `arm` is found by `isAnnounced`.
         *
         * Of many posters that find the loop armed, the one that takes `armed` down unparks it; the
         * others have made their events visible by then, and the loop looks at everything when it
         * wakes. A loop that woke by itself arms anew, and an unpark that comes late only ends a
         * later sleep early, which the loop takes for a sleep without a reason.
         *
         * Who has taken it down and cannot wake the loop puts it up again, so that the next poster
         * does not count on a wake-up that never came. If the loop is awake by then, that costs an
         * unpark too many, as above. Who posts in between has counted on it (known-limits.md).
         *
         * Who asks for what is queued already, or about to be, looks at `armed` too: its
         * read-modify-write of the flags stands for the push. It comes after the failure of a
         * wake-up if it is a second try, and finds `armed` up, unless the loop has looked since.
         * Where nothing has failed it finds `armed` up only between the ask of the other one and
         * its `takeDown`. If it is the first to take it down, there is still one unpark in all; but
         * if the other one has not pushed yet, the loop may look too early and sleep again, and is
         * then woken by the push.
         *
         * `acknowledge` is a read-modify-write, not a store: it reads the latest `announced` and
         * thus happens after every announcement that it wipes out; the events of those are visible
         * to the look that follows (AIO-35). One that comes later finds the flag false and sets it
         * for the next turn. When the flag reads false there is nothing to wipe out and nothing to
         * order.
         *
         * A loop that polls before it sleeps asks `isAnnounced`, and looks at the inbox, over and
         * over and stays unarmed, so posters do not unpark it (AIO-38). Those are the questions
         * before the park too, and what polling misses they find. Offering the core (AIO-50a) is
         * one such look, with other threads between.
         *
         * Every post reads `armed`. The fields are padded to cache lines of their own: beside what
         * the loop writes in each turn, or for each task, that read would miss (HandOverBenchmark).
         *
         * Proved by the step model NotifyStepModelTest and the stress test NotifyVersusPark.
         */
        private static final VarHandle ANNOUNCED;
        private static final VarHandle ARMED;

        static {
            try {
                MethodHandles.Lookup lookup = MethodHandles.lookup();
                ANNOUNCED = lookup.findVarHandle(NotifyFields.class, "announced", int.class);
                ARMED = lookup.findVarHandle(NotifyFields.class, "armed", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        long pad20, pad21, pad22, pad23, pad24, pad25, pad26, pad27;
        long pad28, pad29, pad30, pad31, pad32, pad33, pad34;

        /**
         * Says that an event, already visible, has happened. Thread: any.
         *
         * @return true if the loop may be asleep, and the caller must unpark it
         */
        boolean raise() {
            announce();
            return mustWake();
        }

        /** First step of {@link #raise}. Thread: any. */
        void announce() {
            ANNOUNCED.setVolatile(this, 1);
        }

        /** Second step of {@link #raise}: whether the caller must unpark the loop. Thread: any. */
        boolean mustWake() {
            return isArmed() && takeDown();
        }

        /**
         * If something was pushed into the context's inbox, which speaks for itself, or was asked
         * for that is queued already, makes a sleeping loop look. Thread: any.
         *
         * @return whether something was pushed
         */
        boolean wakes(AioContext context, boolean pushed) {
            if (pushed && mustWake()) {
                context.sleep().wake();
            }
            return pushed;
        }

        /** First step of {@link #mustWake}. */
        boolean isArmed() {
            return (int) ARMED.getVolatile(this) != 0;
        }

        /** Second step of {@link #mustWake}: true for one of those who found the loop armed. */
        boolean takeDown() {
            return ARMED.compareAndSet(this, 1, 0);
        }

        /** Step of who has taken `armed` down and cannot wake the loop. Thread: any. */
        void rearm() {
            // Sequentially consistent: an ask that comes after the failure finds it.
            ARMED.setVolatile(this, 1);
        }

        /** Says that the loop is about to sleep. Home context. */
        void arm() {
            ARMED.setVolatile(this, 1);
        }

        /** Whether something was announced since the last acknowledge. Home context, armed. */
        boolean isAnnounced() {
            return (int) ANNOUNCED.getVolatile(this) != 0;
        }

        /** Says that the loop is awake. Home context. */
        void disarm() {
            // Release: no access of the coming turn needs it, but none of the sleep may sink below.
            ARMED.setRelease(this, 0);
        }

        /**
         * Forgets what was announced, before anything is looked at. Home context (AIO-37).
         *
         * @return whether anything was
         */
        boolean acknowledge() {
            // Opaque: a stale 0 only leaves the flag set for the next turn, as AIO-36 allows.
            // Acquire: what happened before the announcements that this wipes out.
            return (int) ANNOUNCED.getOpaque(this) != 0
                    && (int) ANNOUNCED.getAndSet(this, 0) != 0;
        }
    }
}
