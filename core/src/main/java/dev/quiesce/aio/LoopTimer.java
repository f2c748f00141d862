package dev.quiesce.aio;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.DeadlineQueue;
import dev.quiesce.aio.watch.LoopMeter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A one-shot timer of one context, on the context's clock or another. Arming it again, armed or
 * not, gives it a new deadline; timers of equal deadline fire in the order of arming (AIO-55).
 * Timers run at the end of a turn, nested turns too (AIO-82), clock by clock in the order of
 * {@link Clock.Kind} (AIO-54), and a turn runs only those that were armed before the timers of that
 * clock began to run (AIO-56): one that re-arms itself in the past does not stall the loop.
 */
public final class LoopTimer {
    private final AioContext context;
    private final Clock clock;
    private final String name;
    private final Runnable callback;

    /** Where this is armed, if it is; replaced on arming once it was let go. Any thread. */
    private volatile Heap heap;

    /** Guarded by heap.lock. */
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
        heap.cancel(this);
    }

    /**
     * Whether the timer is going to fire. Thread: any; a snapshot.
     *
     * @return true from arming until just before the callback, or the cancellation
     */
    public boolean isArmed() {
        return heap.isArmed(this);
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
            Heap.Armed how = heap.arm(this, deadlineNanos, earlierOnly);
            if (how != Heap.Armed.NOWHERE) {
                return how == Heap.Armed.NEXT;
            }
            heap = context.turn().timers().ofOpen(clock);
        }
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
        /**
         * So many clocks stay though no timer is armed on them; with more, their lists are let go:
         * a loop outlives many machines. The clocks of one machine come and go without that.
         */
        private static final int KEPT = 8;

        private final AioContext context;

        /** The context's own clock; most contexts have no other. */
        private final Heap own;

        /** Guarded by this for writing; replaced, never changed. */
        private volatile Heap[] all;

        /** Guarded by this. */
        private boolean sealed;

        Lists(AioContext context) {
            this.context = context;
            this.own = new Heap(context, context.clock());
            this.all = new Heap[] {own};
        }

        /** The timers of a clock, from the first one on. Thread: any. */
        Heap of(Clock clock) {
            return clock == own.clock ? own : find(clock);
        }

        /** As {@link #of}; throws if the context takes no timers any more. */
        synchronized Heap ofOpen(Clock clock) {
            if (sealed) {
                throw context.gone();
            }
            return of(clock);
        }

        private synchronized Heap find(Clock clock) {
            for (Heap heap : all) {
                // One that was let go is still here if there was no memory for what follows.
                if (heap.clock == clock && !heap.letGo) {
                    return heap;
                }
            }
            Heap made = new Heap(context, clock);
            if (sealed) {
                // In no list, so it takes no timer.
                made.letGo = true;
                return made;
            }
            // First: a clock that cannot be watched gets no list.
            clock.watch(made);
            List<Heap> used = new ArrayList<>();
            List<Heap> gone = new ArrayList<>();
            for (Heap heap : all) {
                boolean stays = heap == own
                        || (!heap.letGo && (all.length < KEPT || !heap.letGoIfEmpty()));
                (stays ? used : gone).add(heap);
            }
            used.add(made);
            // Stable: clocks of one kind run in the order in which they came into use.
            used.sort(Comparator.comparing(heap -> heap.clock.kind()));
            all = used.toArray(new Heap[0]);
            gone.forEach(Heap::unwatch);
            return made;
        }

        /** Whether no timer is armed. Home context; see Heap for why without lock. */
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
                    long now = own.clock.nanoTime();
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

        /** Refuses timers from now on. Home context. */
        synchronized void seal() {
            sealed = true;
            for (Heap heap : all) {
                heap.seal();
            }
        }

        /**
         * Refuses timers from now on, if none is armed. Home context.
         *
         * @return false if one is armed
         */
        synchronized boolean sealIfEmpty() {
            for (int i = 0; i < all.length; i++) {
                if (!all[i].sealIfEmpty()) {
                    for (int sealedHere = 0; sealedHere < i; sealedHere++) {
                        all[sealedHere].unseal();
                    }
                    return false;
                }
            }
            sealed = true;
            return true;
        }

        /** Takes back what {@link #sealIfEmpty} did. Home context. */
        synchronized void unseal() {
            sealed = false;
            for (Heap heap : all) {
                heap.unseal();
            }
        }

        /** The names of the armed timers, in no order. Thread: any. */
        List<String> names() {
            List<String> names = new ArrayList<>();
            for (Heap heap : all) {
                heap.addNames(names);
            }
            return names;
        }
    }

    /** The armed timers of one clock in one context. */
    static final class Heap implements Clock.Watcher {
        /*
         * A run of the timers first finds everything due that has expired, then fires the due one
         * by one. What is armed meanwhile waits for the next run; what is cancelled or re-armed
         * meanwhile is not due any more and does not fire in this one. A callback that polls fires
         * the rest of the due, together with what has expired since; the outer run then finds
         * nothing.
         *
         * A clock may be stopped or set back in the middle of a run. Whether it runs is asked again
         * under the lock before each timer, so none is taken once a stop has asked this list
         * whether it is quiet. What was found due and has not fired stays armed; the next run looks
         * whether it is still due. A change says so under the lock, and before the next timer is
         * taken what the clock now says is not due goes back: once the change is over, none fires
         * early.
         *
         * The lock is held for a few dozen instructions and never while calling out. `armed` is
         * read without it, by the home context only: an arming that matters is followed by a
         * notify, and the loop looks again after acknowledging that.
         */
        private static final VarHandle ARMED;

        static {
            try {
                ARMED = MethodHandles.lookup().findVarHandle(Heap.class, "armed", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final AioContext context;
        private final Clock clock;
        private final Object lock = new Object();
        private final DeadlineQueue<LoopTimer> queue = new DeadlineQueue<>();
        private boolean sealed;

        /** Whether the clock was started or set since timers were last found due. Under lock. */
        private boolean clockChanged;

        /**
         * Whether this takes no timer any more, and its clock gets another list. Written under lock
         * and that of the lists, read under one of them.
         */
        private boolean letGo;

        /** How many runs are on the stack of the home context: nested ones count. */
        private int running;

        /** Who waits for that to become 0. */
        private @Nullable CompletableFuture<@Nullable Void> quiet;

        /** How many timers are armed. Written under lock. */
        @SuppressWarnings("UnusedVariable") // read and written through ARMED
        private int armed;

        Heap(AioContext context, Clock clock) {
            this.context = context;
            this.clock = clock;
        }

        /** What has become of an attempt to arm. */
        enum Armed {
            /** It is the next to fire. */
            NEXT,
            /** Others fire first, or it was armed for an earlier time already. */
            LATER,
            /** This list was let go: the timer is armed in none. */
            NOWHERE
        }

        /** Arms a timer, or only for an earlier time. */
        Armed arm(LoopTimer timer, long atNanos, boolean earlierOnly) {
            long deadlineNanos = clock.kind() == Clock.Kind.REALTIME
                    ? atNanos : Math.max(0, atNanos);
            synchronized (lock) {
                if (letGo) {
                    return Armed.NOWHERE;
                }
                if (sealed) {
                    throw context.gone();
                }
                if (earlierOnly && timer.entry.isQueuedBy(deadlineNanos)) {
                    return Armed.LATER;
                }
                queue.add(timer.entry, deadlineNanos);
                setArmed();
                return timer.entry.isFirst() ? Armed.NEXT : Armed.LATER;
            }
        }

        void cancel(LoopTimer timer) {
            synchronized (lock) {
                if (letGo) {
                    // It was not armed then, and is being armed elsewhere at most.
                    return;
                }
                queue.remove(timer.entry);
                setArmed();
            }
        }

        boolean isArmed(LoopTimer timer) {
            synchronized (lock) {
                return !letGo && timer.entry.isQueued();
            }
        }

        /** Whether no timer is armed. Home context; see the note above for why without lock. */
        boolean isEmpty() {
            return (int) ARMED.getAcquire(this) == 0;
        }

        /** The nearest deadline, or {@link Long#MAX_VALUE}. */
        long nextDeadlineNanos() {
            if (isEmpty()) {
                return Long.MAX_VALUE;
            }
            synchronized (lock) {
                return queue.nearestNanos();
            }
        }

        /** How long the loop may sleep: 0 if a timer would fire now. Home context. */
        long nanosUntilNext() {
            long next = nextDeadlineNanos();
            return next == Long.MAX_VALUE || !clock.isRunning()
                    ? Long.MAX_VALUE : clock.nanosUntil(next);
        }

        /**
         * Fires the timers that have expired. Home context.
         *
         * @return whether any fired
         */
        boolean run() {
            if (isEmpty() || !clock.isRunning()) {
                return false;
            }
            LoopTimer timer = begin(clock.nanoTime());
            if (timer == null) {
                return false;
            }
            try {
                while (timer != null) {
                    timer.fire();
                    timer = takeDue();
                }
            } finally {
                end();
            }
            return true;
        }

        @Override
        public void onClockChange() {
            synchronized (lock) {
                clockChanged = true;
            }
            // Even if nothing is armed: that could not be told apart from an arming under way.
            context.notifyLoop();
        }

        @Override
        public @Nullable CompletionStage<@Nullable Void> onClockStop() {
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
         * Takes no timer any more, if none is armed and none fires. Under the lock of the lists.
         *
         * @return false if one is armed, or fires
         */
        boolean letGoIfEmpty() {
            synchronized (lock) {
                if (queue.size() > 0 || running > 0) {
                    return false;
                }
                letGo = true;
                return true;
            }
        }

        /** Has the clock forget this list; its failure must not be that of who needs another. */
        private void unwatch() {
            try {
                clock.unwatch(this);
            } catch (RuntimeException e) {
                context.report("letting go of clock " + clock, e);
            }
        }

        /** Refuses timers from now on. Home context. */
        void seal() {
            synchronized (lock) {
                sealed = true;
            }
            unwatch();
        }

        /** Takes back what {@link #sealIfEmpty} did. Home context. */
        void unseal() {
            synchronized (lock) {
                sealed = false;
            }
            clock.watch(this);
        }

        /**
         * Refuses timers from now on, if none is armed. Home context.
         *
         * @return false if one is armed
         */
        boolean sealIfEmpty() {
            synchronized (lock) {
                if (queue.size() > 0) {
                    return false;
                }
                sealed = true;
            }
            unwatch();
            return true;
        }

        /** Adds the names of the armed timers, in no order. Thread: any. */
        void addNames(List<String> names) {
            synchronized (lock) {
                queue.forEach(timer -> names.add(timer.name));
            }
        }

        /** Begins a run and takes its first timer; if there is none, no run has begun. */
        private @Nullable LoopTimer begin(long nowNanos) {
            synchronized (lock) {
                queue.findDue(nowNanos);
                LoopTimer first = takeDue();
                if (first != null) {
                    running++;
                }
                return first;
            }
        }

        /** The next timer of the runs on the stack, or null if they are over. */
        private @Nullable LoopTimer takeDue() {
            synchronized (lock) {
                // Asked under the lock: see the note above.
                if (clockChanged) {
                    clockChanged = false;
                    queue.putBack(clock.nanoTime());
                }
                LoopTimer timer = clock.isRunning() ? queue.takeDue() : null;
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
}
