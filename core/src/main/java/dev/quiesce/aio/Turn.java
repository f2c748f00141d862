package dev.quiesce.aio;

import dev.quiesce.aio.watch.LoopMeter;
import org.jspecify.annotations.Nullable;

/**
 * What happens in one turn of a loop, and in which order (AIO-40): sleep, take what was posted, run
 * the slice, the outer-only tasks, the timers, look at the waiters. One per context; home context
 * only, where not said otherwise.
 */
final class Turn {
    private final AioContext context;
    private final Task.Queues queues;
    private final DeferredCall.Epilogue epilogue;
    private final LoopTimer.Heap timers;
    private final ControlWait.Waiters waiters;
    private final LoopMeter meter;
    private final Sleep sleep;

    /** The parker, if it steps this loop. */
    private final Parker.@Nullable Stepping stepping;

    /** How many turns are on the stack. */
    private int depth;

    Turn(AioContext context, Task.Queues queues, DeferredCall.Epilogue epilogue,
            LoopTimer.Heap timers, ControlWait.Waiters waiters) {
        this.context = context;
        this.queues = queues;
        this.epilogue = epilogue;
        this.timers = timers;
        this.waiters = waiters;
        this.meter = new LoopMeter(context.name(), context::owner,
                () -> context.clock().nanoTime(),
                thrown -> context.report("the observer of the loop", thrown));
        this.sleep = new Sleep(context, meter);
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
                context.whileAsleep(() -> parker.turnBegins(context, waitNanos));
            }
            if (waitNanos != 0 && !hasQueued()) {
                sleep.until(waitNanos, timers);
            }
            sleep.acknowledge();
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
        boolean progress = queues.ready().runSlice(context, observed);
        if (runsOuter()) {
            queues.takeOuterInbox();
            progress |= queues.outer().runSlice(context, observed);
        }
        progress |= timers.run(context);
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
                || timers.nanosUntilNext(context.clock()) == 0;
    }

    /** Whether a turn, nested if one is on the stack, has tasks or calls to run by itself. */
    boolean wouldRunQueued() {
        return hasQueued(depth == 0);
    }

    /** Whether this turn has something to run but timers and the inbox. */
    private boolean hasQueued() {
        return hasQueued(depth == 1);
    }

    private boolean hasQueued(boolean outermost) {
        return queues.hasReady() || !epilogue.isEmpty()
                || (outermost && !waiters.isInWait() && queues.hasOuter());
    }

    private boolean runsOuter() {
        return depth == 1 && !waiters.isInWait();
    }

    /** How a loop falls asleep, and how others keep it from doing so, or wake it. */
    static final class Sleep {
        private final AioContext context;
        private final LoopSeams.NotifyProtocol notify = new LoopSeams.NotifyProtocol();
        private final LoopMeter meter;

        Sleep(AioContext context, LoopMeter meter) {
            this.context = context;
            this.meter = meter;
        }

        /** Makes the loop look again; the event must be visible by now. Thread: any. */
        void notifyLoop() {
            if (notify.raise()) {
                context.seams().parker().unpark(context, context.owner());
            }
        }

        /** Whether something has happened since the loop last looked. */
        boolean isNotified() {
            return !notify.mayPark();
        }

        /** Sleeps until notified, a timer is due or the time is over; not if that is now. */
        void until(long maxWaitNanos, LoopTimer.Heap timers) {
            long waitNanos = Math.min(maxWaitNanos, timers.nanosUntilNext(context.clock()));
            if (waitNanos == 0) {
                return;
            }
            notify.arm();
            try {
                if (notify.mayPark()) {
                    park(waitNanos);
                }
            } finally {
                notify.disarm();
            }
        }

        /** The loop is about to look at everything: forget what it was told so far (AIO-35). */
        void acknowledge() {
            notify.acknowledge();
        }

        private void park(long waitNanos) {
            meter.parks();
            context.ownership().fallAsleep();
            try {
                context.seams().parker().park(context, waitNanos);
            } finally {
                context.ownership().wakeUp();
                meter.wakes(isNotified());
            }
        }
    }
}
