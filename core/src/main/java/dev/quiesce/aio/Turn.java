package dev.quiesce.aio;

import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.Poller;
import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.watch.LoopMeter;
import org.jspecify.annotations.Nullable;

/**
 * What happens in one turn of a loop, and in which order (AIO-40): sleep, take what was posted and
 * what is ready, run the slice, the outer-only tasks, the timers, look at the waiters. One per
 * context; home context only, where not said otherwise.
 */
final class Turn {
    private final AioContext context;
    private final Task.Queues queues;
    private final DeferredCall.Epilogue epilogue;
    private final LoopTimer.Lists timers;
    private final ControlWait.Waiters waiters;
    private final LoopMeter meter;
    private final Sleep sleep;

    /** The parker, if it steps this loop. */
    private final Parker.@Nullable Stepping stepping;

    /** How many turns are on the stack. */
    private int depth;

    Turn(AioContext context, Task.Queues queues, DeferredCall.Epilogue epilogue,
            LoopTimer.Lists timers, ControlWait.Waiters waiters) {
        this.context = context;
        this.queues = queues;
        this.epilogue = epilogue;
        this.timers = timers;
        this.waiters = waiters;
        this.meter = new LoopMeter(context.name(), context::owner,
                () -> context.clock().nanoTime(),
                thrown -> context.report("the observer of the loop", thrown));
        this.sleep = new Sleep(context, queues, meter);
        this.stepping = context.stepping();
    }

    /**
     * Takes a turn, perhaps within a callback of another.
     *
     * @param maxWaitNanos how long it may sleep
     * @return whether any callback ran
     */
    boolean take(long maxWaitNanos) {
        waiters.checkMayPoll(context);
        depth++;
        meter.turnBegins();
        try {
            // Of the callbacks that have returned: a wait must not wait for its own slice.
            boolean progress = depth > 1 && context.runEpilogue();
            long waitNanos = progress ? 0 : maxWaitNanos;
            Parker.Stepping parker = stepping;
            if (parker != null) {
                sleep.waitBegins();
                context.whileAsleep(() -> parker.turnBegins(context, waitNanos));
            }
            sleep.until(waitNanos == 0 || hasQueued() ? 0 : Math.min(waitNanos, nanosUntilDue()));
            if (sleep.acknowledge()) {
                // What is posted there is announced, so no other turn needs to look.
                queues.takeOuterInbox();
            }
            progress |= runAll();
            return progress;
        } finally {
            depth--;
            meter.turnEnds(queues.ran());
        }
    }

    private boolean runAll() {
        return meter.isObserved()
                ? meter.observedTurn(() -> runInOrder(true), queues::ran) : runInOrder(false);
    }

    private boolean runInOrder(boolean observed) {
        queues.takeInbox();
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
        return queues.hasUrgent() || !epilogue.isEmpty()
                || (outermost && !waiters.isInWait() && queues.hasOuter());
    }

    private boolean runsOuter() {
        return depth == 1 && !waiters.isInWait();
    }

    /** How a loop waits: polls, falls asleep; and how others keep it from that, or wake it. */
    static final class Sleep {
        /*
         * While the loop polls it is not armed: posters do not unpark it, and it sees by itself
         * what they announce and what they put into the inbox (AIO-38). What can be polled may have its notifications suppressed meanwhile.
         * Before the loop arms itself it leaves polling mode, which asks everybody once more after
         * notifications are back (AIO-32). With channels it does not poll: asking them costs a
         * system call each time (AIO-50).
         */
        private final AioContext context;
        private final Task.Queues queues;
        private final Parker parker;
        private final LoopSeams.NotifyProtocol notify = new LoopSeams.NotifyProtocol();
        private final LoopMeter meter;
        private final Poller poller;

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

        Sleep(AioContext context, Task.Queues queues, LoopMeter meter) {
            this.context = context;
            this.queues = queues;
            this.meter = meter;
            this.parker = context.seams().parker();
            this.poller = new Poller(cause -> context.report("polling", cause));
        }

        /** Makes the loop look again; the event must be visible by now. Thread: any. */
        void notifyLoop() {
            notify.announce();
            wake();
        }

        /**
         * Makes the loop look again; the event is a task in the inbox, which speaks for itself.
         * Thread: any.
         */
        void wake() {
            if (!notify.mustWake()) {
                return;
            }
            ReadinessSource sleepsIn = source;
            if (sleepsIn != null) {
                sleepsIn.wakeUp();
            } else {
                parker.unpark(context, context.owner());
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
                        + " cannot give it " + other);
            }
            if (other != null && context.stepping() != null) {
                throw new IllegalStateException("context " + context.name()
                        + " is stepped by a simulation, which cannot repeat what " + other
                        + " finds");
            }
            source = other;
        }

        /** Whether something has happened since the loop last looked. */
        boolean isNotified() {
            return notify.isAnnounced() || queues.hasPosted();
        }

        /** The events that can be polled. Home context, where not said otherwise. */
        Poller poller() {
            return poller;
        }

        /** Polls like this from now on; politely: only while the parker allows it. Any thread. */
        void poll(PollParameters parameters, boolean politely) {
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
            if (poller.isOn() && (announced || queues.hasPosted())) {
                poller.servedPosted();
            }
            return announced;
        }

        /** A turn that may wait begins; where the parker steps the loop, before others move. */
        void waitBegins() {
            begunNanos = context.clock().nanoTime();
        }

        private void pollThenSleep(long waitNanos) {
            Clock clock = context.clock();
            if (context.stepping() == null) {
                waitBegins();
            }
            long leftNanos = poll(waitNanos);
            if (leftNanos > 0 && !(poller.hasBegun() && poller.end(clock.nanoTime()))) {
                sleep(leftNanos);
            }
            poller.waited(clock.nanoTime() - begunNanos);
        }

        /** Polls for a while; returns how long to sleep after that, 0 if something was found. */
        private long poll(long waitNanos) {
            long budgetNanos = Math.min(poller.budgetNanos(), waitNanos);
            if (budgetNanos == 0 || source != null || (polite && !parker.mayPoll(context))) {
                return waitNanos;
            }
            poller.begin(begunNanos);
            long elapsedNanos = 0;
            while (elapsedNanos < budgetNanos) {
                if (isNotified() || poller.look()) {
                    poller.found();
                    meter.pollHits();
                    return 0;
                }
                parker.pause(context);
                elapsedNanos = context.clock().nanoTime() - begunNanos;
            }
            poller.foundNothing();
            return waitNanos == Long.MAX_VALUE ? waitNanos : Math.max(0, waitNanos - elapsedNanos);
        }

        private void sleep(long waitNanos) {
            if (waitNanos == 0) {
                return;
            }
            notify.arm();
            try {
                if (!isNotified()) {
                    park(waitNanos);
                }
            } finally {
                notify.disarm();
            }
        }

        private void park(long waitNanos) {
            meter.parks();
            context.ownership().fallAsleep();
            try {
                ReadinessSource sleepsIn = source;
                if (sleepsIn != null) {
                    sleepsIn.sleep(waitNanos);
                } else {
                    parker.park(context, waitNanos);
                }
            } finally {
                context.ownership().wakeUp();
                meter.wakes(isNotified());
            }
        }
    }
}
