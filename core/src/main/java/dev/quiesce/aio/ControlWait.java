package dev.quiesce.aio;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only place where anything waits by polling: a blocking control operation polls the main
 * context, and nothing else, until its target is done.
 */
public final class ControlWait {
    /*
     * A wait is given up in two cases. If the target says that it waits for the completion whose
     * callback is on the stack, at once: that cannot change. If something outstanding belongs to a
     * context that nobody can poll, after that has been so for a grace in which the main context
     * had nothing to run: its owner may be between two leases. The grace is measured on the
     * context's clock and slept through in polls with a bound, so nothing spins.
     *
     * Otherwise the wait sleeps until it is kicked; it wakes now and then all the same, since a
     * thread that dies, or gives back its lease, tells nobody. A wait that takes long is logged.
     */
    private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long WARN_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Logger LOG = LoggerFactory.getLogger(ControlWait.class);

    private final AioContext main;
    private final Target target;
    private final long beganNanos;
    private long warnAfterNanos = WARN_NANOS;

    /** Whether the wait looks stuck since stuckSinceNanos. */
    private boolean stuck;
    private long stuckSinceNanos;

    private ControlWait(AioContext main, Target target) {
        this.main = main;
        this.target = target;
        this.beganNanos = main.clock().nanoTime();
    }

    /**
     * Polls the main context until the target is done. Tasks, timers and bottom halves of the main
     * context run meanwhile; outer-only tasks do not. Thread: control, also from within a callback
     * of the main context.
     *
     * @param main the main context
     * @param target what to wait for
     * @throws WaitCannotEndException if the wait could never end, naming who holds what
     * @throws IllegalStateException if the caller is not the home of the main context
     */
    public static void until(AioContext main, Target target) {
        main.checkHome();
        if (target.isDone()) {
            return;
        }
        main.waiters().waitBegins();
        try {
            new ControlWait(main, target).run();
        } finally {
            main.waiters().waitEnds();
        }
    }

    private void run() {
        throwIfOwnCompletion(report());
        long sleepNanos = 0;
        while (true) {
            boolean progress = main.poll(sleepNanos);
            if (target.isDone()) {
                return;
            }
            if (progress) {
                stuck = false;
                sleepNanos = 0;
            } else {
                sleepNanos = judge(report());
            }
        }
    }

    private WaitReport report() {
        WaitReport report = new WaitReport();
        target.describe(report);
        return report;
    }

    private void throwIfOwnCompletion(WaitReport report) {
        if (report.hasOwnCompletion()) {
            throw cannotEnd(report);
        }
    }

    /** How long the wait may sleep now; throws if it cannot end. */
    private long judge(WaitReport report) {
        throwIfOwnCompletion(report);
        long now = main.clock().nanoTime();
        warnIfLong(report, now);
        if (main.hasRunnable() || report.canProgress(main)) {
            stuck = false;
            return RECHECK_NANOS;
        }
        if (!stuck) {
            stuck = true;
            stuckSinceNanos = now;
        }
        long leftNanos = GRACE_NANOS - (now - stuckSinceNanos);
        if (leftNanos <= 0) {
            throw cannotEnd(report);
        }
        return leftNanos;
    }

    private void warnIfLong(WaitReport report, long nowNanos) {
        long waitedNanos = nowNanos - beganNanos;
        if (waitedNanos >= warnAfterNanos) {
            warnAfterNanos = 2 * waitedNanos;
            LOG.warn("context {} has been waiting for {} s: {}", main.name(),
                    TimeUnit.NANOSECONDS.toSeconds(waitedNanos), report);
        }
    }

    private WaitCannotEndException cannotEnd(WaitReport report) {
        return new WaitCannotEndException("context " + main.name() + ", polled by thread "
                + Thread.currentThread().getName() + ", waits for what cannot happen: " + report);
    }

    /** What a {@link ControlWait} waits for. */
    public interface Target {
        /**
         * Whether the wait is over. Evaluated after every turn of the waiting context; whoever
         * makes it true wakes that context afterwards. Called in the waiting context.
         *
         * @return true if there is nothing left to wait for
         */
        boolean isDone();

        /**
         * Names everything that keeps the wait from ending. Called in the waiting context, when it
         * has nothing else to do.
         *
         * @param out where to name it
         */
        void describe(WaitReport out);
    }

    /** What waits in one context: tasks for conditions, and calls on the stack. Home only. */
    static final class Waiters {
        private final List<Waiter> waiters = new ArrayList<>();
        private int depth;
        private boolean evaluating;

        private void waitBegins() {
            depth++;
        }

        private void waitEnds() {
            depth--;
        }

        /** Whether a {@link ControlWait} of this context is on the stack. */
        boolean isInWait() {
            return depth > 0;
        }

        void add(BooleanSupplier done, Task then) {
            waiters.add(new Waiter(
                    Objects.requireNonNull(done, "done"), Objects.requireNonNull(then, "then")));
        }

        boolean isEmpty() {
            return waiters.isEmpty();
        }

        /** Posts the tasks whose condition holds, in the order in which they began to wait. */
        void evaluate(AioContext context) {
            if (waiters.isEmpty()) {
                return;
            }
            evaluating = true;
            try {
                for (int i = 0; i < waiters.size(); ) {
                    if (waiters.get(i).look(context)) {
                        waiters.remove(i);
                    } else {
                        i++;
                    }
                }
            } finally {
                evaluating = false;
            }
        }

        /** Throws if a condition is being evaluated: it would be again and again (AIO-57). */
        void checkMayPoll(AioContext context) {
            if (evaluating) {
                throw new IllegalStateException("context " + context.name() + " cannot be polled by"
                        + " a condition that it evaluates, on thread " + Lease.Ownership.caller()
                        + " (AIO-57)");
            }
        }

        void describe(List<String> out) {
            for (Waiter waiter : waiters) {
                out.add("waiter " + waiter.then.describe());
            }
        }
    }

    private record Waiter(BooleanSupplier done, Task then) {
        boolean look(AioContext context) {
            return context.meter().isObserved()
                    ? context.meter().observedCallback(
                            () -> "condition of " + then.describe(), () -> isOver(context))
                    : isOver(context);
        }

        boolean isOver(AioContext context) {
            try {
                if (done.getAsBoolean()) {
                    context.postOuter(then);
                    return true;
                }
                return false;
            } catch (Exception e) {
                context.report(then.describe(), e);
                return true;
            }
        }
    }
}
