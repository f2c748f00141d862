package dev.quiesce.aio;

import dev.quiesce.aio.watch.LoopMeter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How control waits. A blocking operation polls the main context, and nothing else, until its
 * target is done; this is the only place where anything waits by polling. An asynchronous one has
 * the main context look at its target.
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
     * thread that dies, or gives back its lease, tells nobody. A wait that takes long is logged,
     * also while the main context is busy. What runs there by itself, an armed timer or an idle
     * bottom half that asks again, may be what the wait waits for: as long as there is such a
     * thing no wait is given up, however hopeless it looks otherwise.
     *
     * An asynchronous wait blocks nobody, so it may last: somebody may come to poll a context that
     * has no owner. It is given up in one case only, which nothing can change: something
     * outstanding belongs to a context that has ended. Whoever makes main's waits depend on a
     * context says so (dependsOn), and the end of that context counts in main and wakes it. A wait
     * judges once at its beginning and then whenever that count has moved, so turns of main cost
     * no report.
     *
     * Nothing is missed: the end writes `over`, then looks who depends on it, counts and wakes;
     * dependsOn enters, then looks at `over`, and counts itself. And nobody is given up too early:
     * `over` comes after those who take something back at the end of a loop (WatchedLoop.atEnd)
     * have done so; and what was outstanding may have gone in the context's last turn, after it was
     * reported, so an obstacle that has ended is believed only if it is still there in a second
     * report. Nothing of a context that was seen over changes any more.
     *
     * Proved by EndedLoopStepModelTest; jcstress: EndVersusWait.
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
     * @throws IllegalStateException if the caller is not the home of the main context, or is called
     *     by a hook or a condition that must not poll it
     */
    public static void until(AioContext main, Target target) {
        checkMayWait(main);
        main.turn().waiters().waitBegins();
        try {
            if (!target.isDone()) {
                new ControlWait(main, target).run();
            }
        } finally {
            main.turn().waiters().waitEnds();
        }
    }

    /**
     * Waits without blocking anybody: evaluates the target at the end of every turn of the main
     * context, as {@link AioContext#whenDone} does, and gives up if something outstanding belongs
     * to a context that has ended, so that it can never happen, or if the target throws.
     * Thread: home of the main context.
     *
     * @param main the main context
     * @param target what to wait for; whoever makes it done wakes the main context
     * @param what names the wait
     * @param then what to do, in an outermost turn of the main context
     * @throws IllegalStateException if the caller is not the home of the main context, or it is
     *     closed
     */
    public static void whenDone(AioContext main, Target target, String what, Outcome then) {
        Hanging wait = new Hanging(main, target, what, then);
        main.whenDone(wait::isOver, wait);
    }

    /**
     * Says that waits of the main context may come to depend on another context: should that end,
     * they look again. Costs a look-up, once it was said. Thread: any.
     *
     * @param main the main context
     * @param where the other one; may be main itself, or have ended
     */
    public static void dependsOn(AioContext main, AioContext where) {
        if (main != where) {
            where.remains().addDependant(main);
        }
    }

    /**
     * Throws where a wait would be refused, though its target were done already. Thread: any.
     *
     * @param main the main context
     * @throws IllegalStateException if the caller is not the home of the main context, or is called
     *     by a hook or a condition that must not poll it, naming context, thread and rule
     */
    public static void checkMayWait(AioContext main) {
        main.checkHome();
        main.turn().waiters().checkMayPoll(main);
    }

    /**
     * Says that a hook begins which neither polls nor waits, nor does what it calls: until as many
     * {@link #leaveHook} both are refused (DRAIN-9). Thread: home of the main context.
     *
     * @param main the main context
     * @throws IllegalStateException if the caller is not the home of the main context
     */
    public static void enterHook(AioContext main) {
        main.checkHome();
        main.turn().disturb();
        main.turn().waiters().hooks++;
    }

    /**
     * Ends what {@link #enterHook} began; until then the context is neither closed nor its last
     * lease given back. Thread: the same.
     *
     * @param main the main context
     * @throws IllegalStateException if no hook is entered, or the caller is not the home of the
     *     main context
     */
    public static void leaveHook(AioContext main) {
        main.checkHome();
        Waiters waiters = main.turn().waiters();
        if (waiters.hooks == 0) {
            throw new IllegalStateException("context " + main.name() + " has no hook that thread "
                    + Lease.Ownership.caller() + " could leave (DRAIN-9)");
        }
        waiters.hooks--;
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
                long now = main.clock().nanoTime();
                if (isLong(now)) {
                    warn(report(), now);
                }
            } else {
                sleepNanos = judge(report());
            }
        }
    }

    private WaitReport report() {
        return report(target);
    }

    private static WaitReport report(Target target) {
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
        if (isLong(now)) {
            warn(report, now);
        }
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

    private boolean isLong(long nowNanos) {
        return nowNanos - beganNanos >= warnAfterNanos;
    }

    private void warn(WaitReport report, long nowNanos) {
        long waitedNanos = nowNanos - beganNanos;
        warnAfterNanos = 2 * waitedNanos;
        LOG.warn("context {} has been waiting for {} s: {}", main.name(),
                TimeUnit.NANOSECONDS.toSeconds(waitedNanos), report);
    }

    private WaitCannotEndException cannotEnd(WaitReport report) {
        return cannotEnd(main, report);
    }

    private static WaitCannotEndException cannotEnd(AioContext main, WaitReport report) {
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
         * has nothing else to do, or when the wait has lasted for long and is logged.
         *
         * @param out where to name it
         */
        void describe(WaitReport out);
    }

    /** How an asynchronous wait has ended. */
    public interface Outcome {
        /**
         * Goes on. Called in an outermost turn of the main context. What the target said may have
         * changed since it was evaluated.
         *
         * @param failure null if the target was done; a {@link WaitCannotEndException} if it never
         *     will be; or what the target threw
         */
        void ended(@Nullable RuntimeException failure);
    }

    /** An asynchronous wait. Home of main. */
    private static final class Hanging extends Task {
        private final AioContext main;
        private final Target target;
        private final String what;
        private final Outcome then;

        /** How many ends of contexts were judged; none yet. */
        private int judged = -1;
        private @Nullable RuntimeException failure;

        Hanging(AioContext main, Target target, String what, Outcome then) {
            this.main = Objects.requireNonNull(main, "main");
            this.target = Objects.requireNonNull(target, "target");
            this.what = Objects.requireNonNull(what, "what");
            this.then = Objects.requireNonNull(then, "then");
        }

        boolean isOver() {
            try {
                return target.isDone() || isHopeless();
            } catch (RuntimeException e) {
                failure = e;
                return true;
            }
        }

        private boolean isHopeless() {
            // Before the report: an end that comes while it is made is judged the next time.
            int ends = main.turn().waiters().ends();
            if (ends == judged) {
                return false;
            }
            judged = ends;
            if (!report(target).namesWhatHasEnded()) {
                return false;
            }
            WaitReport again = report(target);
            if (again.namesWhatHasEnded()) {
                failure = cannotEnd(main, again);
            }
            return failure != null || target.isDone();
        }

        @Override
        protected void run() {
            then.ended(failure);
        }

        @Override
        public String describe() {
            return what;
        }
    }

    /**
     * What waits in one context: tasks for conditions, and calls on the stack. Home only, but for
     * the count of ends.
     */
    static final class Waiters {
        private final ArrayList<Waiter> waiters = new ArrayList<>();
        private int depth;
        private boolean evaluating;

        /** How many hooks are on the stack that must not poll. */
        private int hooks;

        /** How many contexts have ended on which waits here may depend. Any thread. */
        private final AtomicInteger ends = new AtomicInteger();

        /** Another one has ended; the caller wakes this context afterwards. Any thread. */
        void countEnd() {
            ends.incrementAndGet();
        }

        int ends() {
            return ends.get();
        }

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

        /**
         * Throws if something is on the stack that must not poll: what it is part of would be begun
         * again and again, or would go on with what the nested turn has changed.
         */
        void checkMayPoll(AioContext context) {
            if (evaluating) {
                throw refusal(context, "a condition that it evaluates", "AIO-57");
            }
            if (hooks > 0) {
                throw refusal(context, "a hook of a section or of the graph", "DRAIN-9");
            }
            if (context.sleep().poller().isInHook()) {
                throw refusal(context, "a poll hook that it asks", "AIO-39");
            }
        }

        /** What is on the stack between two turns and is not done with this context, or null. */
        @Nullable String hook(AioContext context) {
            if (hooks > 0) {
                return "a hook of a section or of the graph";
            }
            if (context.sleep().poller().isInHook()) {
                return "a poll hook that it asks";
            }
            return isInWait() ? "what a wait evaluates" : null;
        }

        private static IllegalStateException refusal(
                AioContext context, String who, String rule) {
            return new IllegalStateException("context " + context.name() + " cannot be polled by "
                    + who + ", on thread " + Lease.Ownership.caller() + " (" + rule + ")");
        }

        void describe(List<String> out) {
            for (Waiter waiter : waiters) {
                out.add("waiter " + LoopMeter.nameOf(waiter.then::describe));
            }
        }
    }

    private record Waiter(BooleanSupplier done, Task then) {
        boolean look(AioContext context) {
            return context.turn().meter().isObserved()
                    ? context.turn().meter().observedCallback(
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
                context.report(LoopMeter.nameOf(then::describe), e);
                return true;
            }
        }
    }
}
