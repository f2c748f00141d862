package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.source.CoreOffer;
import dev.quiesce.aio.source.Gathering;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.Poller;
import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.watch.LoopMeter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What happens in one turn of a loop, and in which order (AIO-40): sleep, take what was posted and
 * what is ready, run the slice, the outer-only tasks, the timers, look at the waiters. One per
 * context; home context only, where not said otherwise.
 */
final class Turn {
    /** So many quick turns in a row at most, which nobody can tell from as many polls. */
    private static final int QUICK_TURNS = 1_000;

    private final AioContext context;
    private final Lease.Ownership ownership;
    private final Task.Queues queues;
    private final DeferredCall.Epilogue epilogue;
    private final LoopTimer.Lists timers;
    private final ControlWait.Waiters waiters = new ControlWait.Waiters();
    private final LoopMeter meter;
    private final Sleep sleep;

    /** The parker, if it steps this loop. */
    private final Parker.@Nullable Stepping stepping;

    /** How many turns are on the stack. */
    private int depth;

    /**
     * Whether the last turn has left nothing to look at but tasks. Whoever adds something else at
     * home says so ({@link #disturb}); whoever does from elsewhere announces it.
     */
    private boolean quiet;

    Turn(AioContext context, Lease.Ownership ownership, Task.Queues queues,
            DeferredCall.Epilogue epilogue, LoopTimer.Lists timers) {
        this.context = context;
        this.ownership = ownership;
        this.queues = queues;
        this.epilogue = epilogue;
        this.timers = timers;
        this.meter = new LoopMeter(context.name(), context::owner,
                () -> context.clock().nanoTime(),
                thrown -> context.report("the observer of the loop", thrown));
        this.sleep = new Sleep(context, ownership, queues, meter);
        this.stepping = context.stepping();
    }

    /**
     * Takes a turn, perhaps within a callback of another.
     *
     * @param maxWaitNanos how long it may sleep
     * @return whether any callback ran
     */
    boolean take(long maxWaitNanos) {
        return mayBeQuick() ? takeQuick(1) : takeWhole(maxWaitNanos);
    }

    /** Takes a turn, or several that do not wait and have nothing but tasks to look at. */
    void takeSome() {
        boolean unused = mayBeQuick() ? takeQuick(QUICK_TURNS) : takeWhole(Long.MAX_VALUE);
    }

    /** With a turn on the stack, the quiet that it began with need not last. */
    private boolean mayBeQuick() {
        return depth == 0 && quickTasks() > 0;
    }

    /** How many ready tasks a turn begun now finds, and nothing else to look at; 0 if not so. */
    private long quickTasks() {
        return quiet && !sleep.hasNews() && !meter.isObserved() ? queues.urgent() : 0;
    }

    /** A turn that is quick, and those that follow and are quick too, so many at most. */
    private boolean takeQuick(int turns) {
        Task.Fifo ready = queues.ready();
        // Those tasks run in whole outermost turns only.
        long outerRan = queues.outer().ran();
        boolean progress = false;
        long tasks = ready.size();
        if (tasks > 1) {
            ready.forgetTaken();
        }
        depth = 1;
        meter.turnBegins();
        try {
            for (int left = turns; ; left--) {
                boolean alone = tasks == 1;
                progress |= alone ? ready.runOldest(context) : ready.runSlice(context, false);
                tasks = left == 1 ? 0 : quickTasks();
                if (tasks == 0) {
                    return progress;
                }
                if (alone) {
                    // Had a turn been nested in this one, the next would not be quick.
                    meter.loneTaskPasses();
                } else {
                    meter.turnPasses(ready.ran() + outerRan);
                }
            }
        } finally {
            depth = 0;
            meter.turnEnds(queues.ran());
        }
    }

    private boolean takeWhole(long maxWaitNanos) {
        waiters.checkMayPoll(context);
        // Known again at the end, if this turn gets there.
        quiet = false;
        queues.forgetTaken();
        depth++;
        meter.turnBegins();
        boolean hasAcknowledged = false;
        boolean hasLooked = false;
        try {
            // Of the callbacks that have returned: a wait must not wait for its own slice.
            boolean progress = depth > 1 && context.runEpilogue();
            long waitNanos = progress ? 0 : maxWaitNanos;
            Parker.Stepping parker = stepping;
            if (parker != null) {
                sleep.waitBegins();
                whileAsleep(() -> parker.turnBegins(context, waitNanos));
            }
            sleep.until(sleepNanos(waitNanos));
            hasAcknowledged = true;
            if (sleep.acknowledge()) {
                // What is posted there is announced, so no other turn needs to look.
                queues.takeOuterInbox();
                context.remains().feed();
            }
            progress |= runAll();
            hasLooked = true;
            if (depth == 1) {
                quiet = isQuiet();
            }
            return progress;
        } finally {
            if (hasAcknowledged && !hasLooked) {
                // An Error: what was wiped out was not looked at, and nobody says it again.
                sleep.notifyLoop();
            }
            depth--;
            meter.turnEnds(queues.ran());
        }
    }

    /** There is something to look at besides tasks, or will be. */
    void disturb() {
        quiet = false;
    }

    /** Whether the next turns, as long as nothing changes, have nothing to look at but tasks. */
    private boolean isQuiet() {
        return stepping == null && sleep.settles() && queues.outer().isEmpty()
                && waiters.isEmpty() && timers.isEmpty();
    }

    private boolean runAll() {
        return meter.isObserved()
                ? meter.observedTurn(() -> runInOrder(true), queues::ran) : runInOrder(false);
    }

    private boolean runInOrder(boolean observed) {
        sleep.took(queues.takeInbox());
        ReadinessSource source = sleep.source();
        if (source != null) {
            // In every turn, whether it slept or not (AIO-42); behind the tasks (AIO-43).
            source.deliver();
        }
        boolean progress = queues.ready().runSlice(context, observed);
        if (!queues.outer().isEmpty() && runsOuter()) {
            progress |= queues.outer().runSlice(context, observed);
        }
        progress |= timers.run();
        progress |= context.runEpilogue();
        waiters.evaluate(context);
        return progress;
    }

    /** How many turns are on the stack. */
    int depth() {
        return depth;
    }

    /** Throws if something is on the stack that would go on in a context that it has left. */
    void checkMayLeave(String how, String rule) {
        String inside = depth > 0 ? "a callback, in the middle of a turn" : waiters.hook(context);
        if (inside != null) {
            throw new IllegalStateException("context " + context.name() + " cannot be " + how
                    + " by " + inside + ", on thread " + Lease.Ownership.caller()
                    + " (" + rule + ")");
        }
    }

    /** The timers of this loop. Thread: any. */
    LoopTimer.Lists timers() {
        return timers;
    }

    /** What waits in this loop. */
    ControlWait.Waiters waiters() {
        return waiters;
    }

    /** Runs something with nobody home. */
    void whileAsleep(Runnable meanwhile) {
        context.checkHome();
        ownership.fallAsleep();
        try {
            meanwhile.run();
        } finally {
            ownership.wakeUp();
        }
    }

    /** What this loop has done. Thread: any. */
    LoopMeter meter() {
        return meter;
    }

    /** How this loop sleeps. Thread: any. */
    Sleep sleep() {
        return sleep;
    }

    /**
     * Whether a turn begun now would not sleep. Thread: the owner, or would-be owner, also while
     * the loop is asleep in {@link Parker.Stepping#turnBegins}.
     */
    boolean isDue() {
        return sleep.isNotified() || hasQueued(depth <= 1)
                || nanosUntilDue() == 0;
    }

    /** How long a turn that may wait so long may sleep for what is known at home by now. */
    private long sleepNanos(long waitNanos) {
        return waitNanos == 0 || hasQueued() ? 0 : Math.min(waitNanos, nanosUntilDue());
    }

    /** How long the loop may sleep for its timers and its idle tasks. */
    private long nanosUntilDue() {
        long timerNanos = timers.nanosUntilNext();
        long paceEndNanos = queues.paceEndNanos();
        return paceEndNanos == Long.MAX_VALUE
                ? timerNanos : Math.min(timerNanos, context.clock().nanosUntil(paceEndNanos));
    }

    /** Whether a turn, nested if one is on the stack, has tasks or calls to run by itself. */
    boolean wouldRunQueued() {
        return queues.hasReady() || hasQueued(depth == 0);
    }

    /** Whether this turn has something to run but timers and the inbox. */
    private boolean hasQueued() {
        return hasQueued(depth == 1);
    }

    private boolean hasQueued(boolean outermost) {
        return queues.urgent() > 0 || !epilogue.isEmpty()
                || (outermost && !waiters.isInWait() && queues.hasOuter());
    }

    private boolean runsOuter() {
        return depth == 1 && !waiters.isInWait();
    }

    /** How a loop waits: polls, falls asleep; and how others keep it from that, or wake it. */
    static final class Sleep {
        /*
         * While the loop polls it is not armed: posters do not unpark it, and it sees by itself
         * what they announce and what they put into the inbox (AIO-38). What can be polled may have
         * its notifications suppressed meanwhile. Before the loop arms itself it leaves polling
         * mode, which asks everybody once more after notifications are back (AIO-32). With channels
         * it does not poll: asking them costs a system call each time (AIO-50).
         *
         * A loop that offers its core (AIO-50a) is awake, home and not armed, as one that polls:
         * who posts meanwhile need not unpark it, which is what the offer saves. It looks when it
         * has the core again. If it finds nothing it arms itself and looks once more, as ever, so
         * the handshake of arming and looking is the same whether it has offered or not.
         *
         * A loop that polls may let tasks gather before it takes them (AIO-50b); it is awake.
         */
        private final AioContext context;
        private final Lease.Ownership ownership;
        private final Task.Queues queues;
        private final Parker parker;
        private final LoopSeams.NotifyProtocol notify = new LoopSeams.NotifyProtocol();
        private final LoopMeter meter;
        private final Poller poller;
        private final CoreOffer offer = new CoreOffer();
        private final Gathering gathering = new Gathering();

        /** When the current wait began. Home context only. */
        private long begunNanos;

        /** Whether the parker is asked before polling. Written by any thread. */
        private volatile boolean polite;

        /**
         * What the loop sleeps in; null if it parks. Written at home, awake. Who finds the loop
         * armed finds at least the one that it armed itself for; a later one does no harm, since
         * the loop has then looked, or will not sleep.
         */
        private volatile @Nullable ReadinessSource source;

        Sleep(AioContext context, Lease.Ownership ownership, Task.Queues queues,
                LoopMeter meter) {
            this.context = context;
            this.ownership = ownership;
            this.queues = queues;
            this.meter = meter;
            this.parker = context.seams().parker();
            this.poller = new Poller(cause -> context.report("polling", cause));
        }

        /** The handshake with those who notify. Thread: any. */
        LoopSeams.NotifyProtocol protocol() {
            return notify;
        }

        /** Makes the loop look again; the event must be visible by now. Thread: any. */
        void notifyLoop() {
            if (notify.raise()) {
                wake();
            }
        }

        /** Wakes the loop, for the one who has taken `armed` down. Thread: any. */
        void wake() {
            boolean woken = false;
            try {
                ReadinessSource sleepsIn = source;
                if (sleepsIn != null) {
                    sleepsIn.wakeUp();
                } else {
                    parker.unpark(context, context.owner());
                }
                woken = true;
            } finally {
                if (!woken) {
                    // For want of memory, say: whoever asks next tries again.
                    notify.rearm();
                }
            }
        }

        /** What the loop sleeps in, instead of parking; null if it parks. */
        @Nullable ReadinessSource source() {
            return source;
        }

        /** Sleeps in another source, or parks. Home context, awake. */
        void sleepIn(@Nullable ReadinessSource other) {
            if (other != null && source != null) {
                throw new IllegalStateException("context " + context.name() + " sleeps in " + source
                        + " already, so thread " + Thread.currentThread().getName()
                        + " cannot give it " + other + " (AIO-21)");
            }
            if (other != null && context.stepping() != null && !other.isRepeatable()) {
                throw new IllegalStateException("context " + context.name()
                        + " is stepped by a simulation, which cannot repeat what " + other
                        + " finds, so thread " + Lease.Ownership.caller() + " cannot give it that");
            }
            source = other;
        }

        /** Whether something has happened since the loop last looked; before it sleeps. */
        boolean isNotified() {
            return notify.isAnnounced() || queues.hasPosted();
        }

        /** Whether a turn would find something new; for a loop that is awake and asks often. */
        boolean hasNews() {
            return notify.isAnnounced() || queues.hasArrivals();
        }

        /** The events that can be polled. Home context, where not said otherwise. */
        Poller poller() {
            return poller;
        }

        /** Polls like this from now on; politely: only while the parker allows it. Any thread. */
        void poll(PollParameters parameters, boolean politely) {
            Objects.requireNonNull(parameters, "parameters");
            polite = politely;
            poller.set(parameters);
            notifyLoop();
        }

        /** Nobody will poll this loop for a while: be told of everything again. Home context. */
        void leavePolling() {
            if (poller.hasBegun()) {
                // What is found is queued, and runs in the next owner's first turn.
                boolean unused = poller.end(context.clock().nanoTime());
            }
        }

        /** Waits until something has happened, or the time is over, which may be now. */
        void until(long waitNanos) {
            if (!poller.isOn()) {
                sleep(waitNanos);
            } else if (waitNanos == 0) {
                poller.waited(0);
                // Their notifications may be suppressed, so nobody else would tell (AIO-42).
                boolean unused = poller.look();
            } else {
                pollThenSleep(waitNanos);
            }
        }

        /**
         * The loop is about to look at everything: forget what it was told so far (AIO-35).
         *
         * @return whether something was announced, besides what is in the inbox
         */
        boolean acknowledge() {
            boolean announced = notify.acknowledge();
            if (poller.isOn() && (announced || queues.hasArrivals())) {
                poller.servedPosted();
            }
            return announced;
        }

        /** Whether turns that do not wait need not look at sources and whoever is polled. */
        boolean settles() {
            if (source != null || poller.hasBegun()) {
                return false;
            }
            // What those turns serve has not waited.
            poller.waited(0);
            return true;
        }

        /** A turn that may wait begins; where the parker steps the loop, before others move. */
        void waitBegins() {
            begunNanos = context.clock().nanoTime();
        }

        private void pollThenSleep(long waitNanos) {
            if (!mayPoll() && !poller.hasBegun()) {
                // Without a look at the clock, unless the core is really offered.
                poller.rest();
                gathering.forget();
                sleep(mayOfferCore() ? offerCore(waitNanos) : waitNanos);
                return;
            }
            Clock clock = context.clock();
            if (context.stepping() == null) {
                waitBegins();
            }
            long leftNanos = poll(waitNanos);
            if (leftNanos > 0 && !(poller.hasBegun() && poller.end(clock.nanoTime()))) {
                // Looked at again: the hooks, and who hears of their failures, are at home.
                sleep(context.turn().sleepNanos(leftNanos));
            }
            poller.waited(clock.nanoTime() - begunNanos);
        }

        /** Whether this loop may poll now: it is awake by itself, and has a core for that. */
        private boolean mayPoll() {
            return source == null && (!polite || parker.mayPoll(context));
        }

        /** Whether this loop, which may not poll, can only be woken by who gets its core. */
        private boolean mayOfferCore() {
            // Nested, the others' time would be taken for that of the callback around the turn.
            return parker.mayOfferCore(context) && source == null && context.stepping() == null
                    && context.turn().depth() == 1;
        }

        /** Lets others run, if it is time to; returns how long to sleep, 0 if there is news. */
        private long offerCore(long waitNanos) {
            if (hasNews()) {
                return 0;
            }
            if (!offer.precedes()) {
                return waitNanos;
            }
            Clock clock = context.clock();
            long sinceNanos = clock.nanoTime();
            parker.offerCore(context);
            boolean found = hasNews();
            long tookNanos = clock.nanoTime() - sinceNanos;
            offer.ended(tookNanos, found);
            return found ? 0 : context.turn().sleepNanos(left(waitNanos, tookNanos));
        }

        private static long left(long waitNanos, long elapsedNanos) {
            return waitNanos == Long.MAX_VALUE ? waitNanos : Math.max(0, waitNanos - elapsedNanos);
        }

        /** Polls for a while; returns how long to sleep after that, 0 if something was found. */
        private long poll(long waitNanos) {
            long budgetNanos = Math.min(poller.budgetNanos(), waitNanos);
            if (budgetNanos == 0 || !mayPoll()) {
                return waitNanos;
            }
            poller.begin(begunNanos);
            gather(budgetNanos);
            long elapsedNanos = 0;
            while (elapsedNanos < budgetNanos) {
                if (hasNews() || poller.look()) {
                    poller.found();
                    meter.pollHits();
                    return 0;
                }
                parker.pause(context);
                elapsedNanos = context.clock().nanoTime() - begunNanos;
            }
            poller.foundNothing();
            return left(waitNanos, elapsedNanos);
        }

        /** Lets posters be who are as fast as the loop; not if others wait to be polled. */
        private void gather(long budgetNanos) {
            // Nested, that would be the time of the callback around the turn.
            if (context.stepping() == null && !poller.hasBegun() && context.turn().depth() == 1) {
                int left = gathering.pauses(queues.hasArrivals(), budgetNanos);
                for (; left > 0; left--) {
                    parker.pause(context);
                }
            }
        }

        /** A turn has taken so many tasks from the inbox. Home context. */
        void took(int tasks) {
            gathering.took(tasks);
        }

        private void sleep(long waitNanos) {
            if (waitNanos == 0) {
                return;
            }
            notify.arm();
            try {
                if (!isNotified()) {
                    park(waitNanos);
                } else if (!hasNews()) {
                    // Claimed in the inbox, and not there yet.
                    Inbox.giveWay();
                }
            } finally {
                notify.disarm();
            }
        }

        private void park(long waitNanos) {
            meter.parks();
            gathering.forget();
            ownership.fallAsleep();
            try {
                ReadinessSource sleepsIn = source;
                if (sleepsIn != null) {
                    sleepsIn.sleep(waitNanos);
                } else {
                    parker.park(context, waitNanos);
                }
            } finally {
                ownership.wakeUp();
                meter.wakes(isNotified());
            }
        }
    }
}
