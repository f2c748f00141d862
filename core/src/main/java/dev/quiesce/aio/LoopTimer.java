package dev.quiesce.aio;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.ClockTimers;
import dev.quiesce.aio.time.DeadlineQueue;
import dev.quiesce.aio.watch.LoopMeter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A one-shot timer of one context, on the context's clock or another. Arming it again, armed or
 * not, gives it a new deadline; timers of equal deadline fire in the order of arming (AIO-55).
 * Timers run at the end of a turn, nested turns too (AIO-82), clock by clock in the order of
 * {@link Clock.Kind} (AIO-54), and a turn runs only those that were armed before the timers of that
 * clock began to run (AIO-56): one that re-arms itself in the past does not stall the loop.
 */
public final class LoopTimer {
    private static final VarHandle HEAP;

    static {
        try {
            HEAP = MethodHandles.lookup().findVarHandle(LoopTimer.class, "heap", Heap.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final AioContext context;
    private final Clock clock;
    private final String name;
    private final Runnable callback;

    /** Where this is armed, if it is; replaced on arming once it was let go. Any thread. */
    private volatile Heap heap;

    /** Guarded by the lock of the heap. */
    private final DeadlineQueue.Entry<LoopTimer> entry;

    /**
     * Creates a timer on the context's own clock that is not armed. Thread: any.
     *
     * @param context where the callback runs
     * @param name what to call it in diagnoses
     * @param callback what to run, in the home context; the timer is unarmed by then
     */
    public LoopTimer(AioContext context, String name, Runnable callback) {
        this(context, context.clock(), name, callback);
    }

    /**
     * Creates a timer that is not armed. Thread: any.
     *
     * @param context where the callback runs
     * @param clock the clock of its deadlines
     * @param name what to call it in diagnoses
     * @param callback what to run, in the home context; the timer is unarmed by then
     */
    public LoopTimer(AioContext context, Clock clock, String name, Runnable callback) {
        this.context = Objects.requireNonNull(context, "context");
        this.name = Objects.requireNonNull(name, "name");
        this.callback = Objects.requireNonNull(callback, "callback");
        this.entry = new DeadlineQueue.Entry<>(this);
        this.clock = Objects.requireNonNull(clock, "clock");
        this.heap = context.turn().timers().of(clock);
    }

    /**
     * Arms the timer, instead of its earlier deadline if it is armed. Thread: any.
     *
     * @param deadlineNanos when to fire at the earliest, on the timer's clock; a time that has
     *     passed means the next turn, {@link Long#MAX_VALUE} means never. Clocks that begin at 0
     *     take a negative time for 0
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void armAt(long deadlineNanos) {
        makeLoopLook(arm(deadlineNanos, false));
    }

    /**
     * Arms the timer if it is not armed, or armed for later; otherwise does nothing. Thread: any.
     *
     * @param deadlineNanos as for {@link #armAt}
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void anticipate(long deadlineNanos) {
        makeLoopLook(arm(deadlineNanos, true));
    }

    /**
     * Disarms the timer; does not wait for a running callback. Thread: any; only the home context
     * can be sure that the callback does not start.
     */
    public void cancel() {
        heap.cancel(entry);
    }

    /**
     * Whether the timer is going to fire. Thread: any; a snapshot.
     *
     * @return true from arming until just before the callback, or the cancellation
     */
    public boolean isArmed() {
        return heap.isArmed(entry);
    }

    /**
     * The name given at construction. Thread: any.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    private boolean arm(long deadlineNanos, boolean earlierOnly) {
        while (true) {
            Heap last = heap;
            ClockTimers.Armed how = last.arm(this, deadlineNanos, earlierOnly);
            if (how != ClockTimers.Armed.NOWHERE) {
                return how == ClockTimers.Armed.NEXT;
            }
            moveOn(last, context.turn().timers().ofOpen(clock));
        }
    }

    // Steps. The step model calls them one by one.

    Heap heap() {
        return heap;
    }

    /** Notes the list that was found instead of one that takes no timer. */
    void moveOn(Heap closed, Heap found) {
        // Compare: what was found may be closed by now, and this armed by others in a later list.
        HEAP.compareAndSet(this, closed, found);
    }

    private void makeLoopLook(boolean isNext) {
        if (context.isHome()) {
            context.turn().disturb();
        } else if (isNext) {
            context.notifyLoop();
        }
    }

    private void fire() {
        Parker.Stepping stepping = context.stepping();
        if (stepping != null) {
            stepping.callbackBegins(context, this::name);
        }
        LoopMeter meter = context.turn().meter();
        meter.timerFires();
        if (meter.isObserved()) {
            boolean unused = meter.observedCallback(this::name, this::call);
        } else {
            call();
        }
    }

    private boolean call() {
        try {
            callback.run();
        } catch (Exception e) {
            context.report(name, e);
        }
        return true;
    }

    /**
     * The timers of one context: a heap for each clock, in the order in which they run (AIO-54).
     */
    static final class Lists {
        /*
         * A clock is somebody else's code, and so is the error handler: neither is called under the
         * monitor, since it may wait for a thread that wants to arm a timer here. So a list comes
         * to be in steps. It gets a place in the table, which takes all the memory that is needed;
         * then the clock is watched; then the list is open. So no timer is armed on a clock that is
         * not watched. Two threads may make lists of one clock at a time: the second finds the
         * first one open, and does not open its own.
         *
         * Whoever lets lists go has their clocks forget them afterwards, one by one, though one of
         * the clocks may end that with an Error, and then drops them from the table. This does not
         * depend on whether the new list came to be.
         *
         * `sealed` is written before a look at the lists, and read under the lock of a list by
         * whoever arms: either the look finds the timer, or the arming is refused. A list that is
         * opened behind the seal finds that out under the monitor, and is let go.
         *
         * Proved by the step model TimerListsStepModelTest.
         */

        /**
         * So many clocks stay though no timer is armed on them; with more, their lists are let go:
         * a loop outlives many machines. The clocks of one machine come and go without that.
         */
        static final int KEPT = 8;

        private final AioContext context;

        /** The context's own clock, which nobody watches; most contexts have no other. */
        private final Heap own;

        /** Guarded by this for writing; replaced, never changed. */
        private volatile Heap[] all;

        /** Whether timers are refused. Written at home, read by any. */
        private volatile boolean sealed;

        /** Whether they are refused for good. Guarded by this. */
        private boolean ended;

        Lists(AioContext context) {
            this.context = context;
            this.own = new Heap(this, context.clock());
            own.open();
            this.all = new Heap[] {own};
        }

        /** The timers of a clock, from the first one on. Thread: any. */
        Heap of(Clock clock) {
            return clock == own.clock() ? own : find(clock);
        }

        /** As {@link #of}; throws if the context takes no timers any more. */
        Heap ofOpen(Clock clock) {
            if (sealed) {
                throw context.gone();
            }
            return of(clock);
        }

        private Heap find(Clock clock) {
            Heap known = openListOf(clock);
            if (known != null) {
                return known;
            }
            Heap made = new Heap(this, clock);
            return sealed ? made : open(made);
        }

        private Heap open(Heap made) {
            try {
                reserve(made);
                watch(made);
                return openUnlessKnown(made);
            } finally {
                letGo();
            }
        }

        private void watch(Heap made) {
            boolean done = false;
            try {
                made.watch();
                done = true;
            } finally {
                if (!done) {
                    giveUp(made);
                }
            }
        }

        private void letGo() {
            try {
                forget();
            } finally {
                drop();
            }
        }

        // Steps. The step model calls them one by one.

        synchronized @Nullable Heap openListOf(Clock clock) {
            for (Heap heap : all) {
                if (heap.clock() == clock && heap.isOpen()) {
                    return heap;
                }
            }
            return null;
        }

        /** Makes a place for a list, and closes those without timers if there are many. */
        synchronized void reserve(Heap made) {
            List<Heap> used = new ArrayList<>();
            boolean many = countOpen() >= KEPT;
            for (Heap heap : all) {
                boolean stays = heap.isOpen() && (heap == own || !many || !heap.closeIfQuiet());
                // What is closed here stays until its clock is about to forget it: see drop.
                if (stays || heap.isReserved || heap.isWatched) {
                    used.add(heap);
                }
            }
            used.add(made);
            // Stable: clocks of one kind run in the order in which they came into use.
            used.sort(Comparator.comparing(Heap::kind));
            all = used.toArray(new Heap[0]);
            made.isReserved = true;
        }

        private int countOpen() {
            int open = 0;
            for (Heap heap : all) {
                open += heap.isOpen() ? 1 : 0;
            }
            return open;
        }

        /** For a list whose clock cannot be watched. */
        synchronized void giveUp(Heap made) {
            made.isReserved = false;
        }

        /** Now that its clock is watched, opens a list, unless there is another, or no use. */
        synchronized Heap openUnlessKnown(Heap made) {
            made.isReserved = false;
            made.isWatched = true;
            Heap known = openListOf(made.clock());
            if (known != null) {
                return known;
            }
            if (!sealed) {
                made.open();
            }
            return made;
        }

        /** Has the clocks forget what takes no timer any more: after the end, everything. */
        void forget() {
            for (Heap heap : all) {
                if (isForgotten(heap)) {
                    unwatch(heap);
                }
            }
        }

        private void unwatch(Heap heap) {
            boolean done = false;
            try {
                heap.unwatch();
                done = true;
            } finally {
                if (!done) {
                    // An Error is no reason for the other clocks to go on.
                    forget();
                }
            }
        }

        /** Whether a clock is to forget a list, which the caller sees to. */
        synchronized boolean isForgotten(Heap heap) {
            if (!heap.isWatched || (heap.isOpen() && !ended)) {
                return false;
            }
            heap.isWatched = false;
            return true;
        }

        /** Drops the lists that take no timer any more and that no clock has to forget. */
        synchronized void drop() {
            List<Heap> used = new ArrayList<>();
            for (Heap heap : all) {
                if (heap.isOpen() || heap.isReserved || heap.isWatched) {
                    used.add(heap);
                }
            }
            all = used.toArray(new Heap[0]);
        }

        /** Whether no timer is armed. Home context; see ClockTimers for why without lock. */
        boolean isEmpty() {
            for (Heap heap : all) {
                if (!heap.isEmpty()) {
                    return false;
                }
            }
            return true;
        }

        /** The nearest deadline on the context's own clock, or {@link Long#MAX_VALUE}. */
        long nextDeadlineNanos() {
            long nearest = own.nextDeadlineNanos();
            for (Heap heap : all) {
                if (heap != own) {
                    long left = heap.nanosUntilNext();
                    long now = own.clock().nanoTime();
                    // Time does not go that far if the sum overflows.
                    if (left != Long.MAX_VALUE && left <= Long.MAX_VALUE - Math.max(0, now)) {
                        nearest = Math.min(nearest, now + left);
                    }
                }
            }
            return nearest;
        }

        /** How long the loop may sleep: 0 if some deadline has passed. Home context. */
        long nanosUntilNext() {
            long nearest = Long.MAX_VALUE;
            for (Heap heap : all) {
                nearest = Math.min(nearest, heap.nanosUntilNext());
            }
            return nearest;
        }

        /**
         * Fires the timers that have expired, clock by clock. Home context.
         *
         * @return whether any fired
         */
        boolean run() {
            boolean fired = false;
            for (Heap heap : all) {
                fired |= heap.run();
            }
            return fired;
        }

        /**
         * Refuses timers from now on, if none is armed. Home context.
         *
         * @return false if one is armed
         */
        boolean sealIfEmpty() {
            // Before the look: see the note above.
            seal();
            if (hasArmed()) {
                unseal();
                return false;
            }
            return true;
        }

        /** Refuses timers from now on. Home context. */
        void seal() {
            sealed = true;
        }

        /** Takes back what {@link #sealIfEmpty} did. Home context. */
        void unseal() {
            sealed = false;
        }

        boolean isSealed() {
            return sealed;
        }

        /** Step of {@link #sealIfEmpty}: whether a timer is armed that was not refused. */
        boolean hasArmed() {
            for (Heap heap : all) {
                if (heap.hasArmed()) {
                    return true;
                }
            }
            return false;
        }

        /** The seal is for good. Home context. */
        void end() {
            beEnded();
            forget();
        }

        /** Step of {@link #end}. */
        synchronized void beEnded() {
            ended = true;
        }

        /** The lists as they are, for the step model. */
        List<Heap> table() {
            return List.of(all);
        }

        /** The names of the armed timers, in no order. Thread: any. */
        List<String> names() {
            List<String> names = new ArrayList<>();
            for (Heap heap : all) {
                heap.forEach(timer -> names.add(timer.name));
            }
            return names;
        }
    }

    /** The armed timers of one clock in one context. */
    static final class Heap extends ClockTimers<LoopTimer> {
        private final Lists lists;

        /** Whether this is in the table though it is not open yet. Guarded by the lists. */
        private boolean isReserved;

        /** Whether the clock has to be told to forget this. Guarded by the lists. */
        private boolean isWatched;

        Heap(Lists lists, Clock clock) {
            super(clock);
            this.lists = lists;
        }

        Armed arm(LoopTimer timer, long deadlineNanos, boolean earlierOnly) {
            return arm(timer.entry, deadlineNanos, earlierOnly);
        }

        @Override
        protected void checkMayArm() {
            if (lists.sealed) {
                throw lists.context.gone();
            }
        }

        @Override
        protected void fire(LoopTimer timer) {
            timer.fire();
        }

        @Override
        protected void lookAgain() {
            lists.context.notifyLoop();
        }

        @Override
        public String toString() {
            return clock() + (isOpen() ? " open" : "") + (isReserved ? " reserved" : "")
                    + (isWatched ? " watched" : "") + (hasArmed() ? " armed" : "");
        }

        /** Has the clock tell this list of its changes. */
        void watch() {
            clock().watch(this);
        }

        /** Has the clock forget this list; its failure must not be that of who needs another. */
        void unwatch() {
            try {
                clock().unwatch(this);
            } catch (RuntimeException e) {
                lists.context.report("letting go of clock " + clock(), e);
            }
        }
    }
}
