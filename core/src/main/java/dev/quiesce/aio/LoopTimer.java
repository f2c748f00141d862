package dev.quiesce.aio;

import dev.quiesce.aio.watch.LoopMeter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A one-shot timer of one context, on the context's clock. Arming it again, armed or not, gives it
 * a new deadline; timers of equal deadline fire in the order of arming (AIO-55). Timers run at the
 * end of a turn, nested turns too (AIO-82), and a turn runs only those that were armed before its
 * timers began to run (AIO-56): one that re-arms itself in the past does not stall the loop.
 */
public final class LoopTimer {
    private static final int UNARMED = -1;
    private static final int DUE = -2;

    private final Heap heap;
    private final AioContext context;
    private final String name;
    private final Runnable callback;

    /** Guarded by heap.lock, as are the following. */
    private long deadlineNanos;

    /** When this was armed, in order of arming. */
    private long sequence;

    /** Position in the heap, or UNARMED, or DUE. */
    private int position = UNARMED;

    /** Neighbours among the due. */
    private @Nullable LoopTimer nextDue;
    private @Nullable LoopTimer previousDue;

    /**
     * Creates a timer that is not armed. Thread: any.
     *
     * @param context where the callback runs
     * @param name what to call it in diagnoses
     * @param callback what to run, in the home context; the timer is unarmed by then
     */
    public LoopTimer(AioContext context, String name, Runnable callback) {
        this.context = Objects.requireNonNull(context, "context");
        this.name = Objects.requireNonNull(name, "name");
        this.callback = Objects.requireNonNull(callback, "callback");
        this.heap = context.timers();
    }

    /**
     * Arms the timer, instead of its earlier deadline if it is armed. Thread: any.
     *
     * @param deadlineNanos when to fire at the earliest, on the context's clock; a time that has
     *     passed means the next turn, {@link Long#MAX_VALUE} means never
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void armAt(long deadlineNanos) {
        if (heap.arm(this, deadlineNanos) && !context.isHome()) {
            context.notifyLoop();
        }
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

    private void fire() {
        Parker.Stepping stepping = context.stepping();
        if (stepping != null) {
            stepping.callbackBegins(context, this::name);
        }
        LoopMeter meter = context.meter();
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

    private boolean isBefore(LoopTimer other) {
        return deadlineNanos != other.deadlineNanos
                ? deadlineNanos < other.deadlineNanos : sequence < other.sequence;
    }

    /**
     * The armed timers of one context: a binary heap, and the list of those found due that have
     * not fired yet.
     */
    static final class Heap {
        /*
         * A run of the timers first moves everything expired from the heap to the due list, then
         * fires the due one by one. What is armed meanwhile goes to the heap and waits for the
         * next run; what is cancelled or re-armed meanwhile leaves the due list and does not fire
         * in this one. A callback that polls finds the rest of the due list and fires it, together
         * with what has expired since; the outer run then finds the list empty.
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

        private final Object lock = new Object();
        private @Nullable LoopTimer[] heap = new @Nullable LoopTimer[8];
        private int size;
        private long sequences;
        private @Nullable LoopTimer firstDue;
        private @Nullable LoopTimer lastDue;
        private boolean sealed;

        /** Timers in the heap or due. Written under lock. */
        private int armed;

        /** Arms a timer; true if it is now the next to fire. */
        boolean arm(LoopTimer timer, long deadlineNanos) {
            synchronized (lock) {
                if (sealed) {
                    throw timer.context.gone();
                }
                unlink(timer);
                timer.deadlineNanos = deadlineNanos;
                timer.sequence = sequences++;
                insert(timer);
                setArmed(armed + 1);
                return timer.position == 0;
            }
        }

        void cancel(LoopTimer timer) {
            synchronized (lock) {
                unlink(timer);
            }
        }

        boolean isArmed(LoopTimer timer) {
            synchronized (lock) {
                return timer.position != UNARMED;
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
                if (firstDue != null) {
                    return firstDue.deadlineNanos;
                }
                return size == 0 ? Long.MAX_VALUE : at(0).deadlineNanos;
            }
        }

        /** How long until the nearest deadline: 0 if it has passed. Home context. */
        long nanosUntilNext(Clock clock) {
            long next = nextDeadlineNanos();
            if (next == Long.MAX_VALUE) {
                return Long.MAX_VALUE;
            }
            long now = clock.nanoTime();
            if (next <= now) {
                return 0;
            }
            long left = next - now;
            return left < 0 ? Long.MAX_VALUE : left;
        }

        /**
         * Fires the timers that have expired. Home context.
         *
         * @return whether any fired
         */
        boolean run(AioContext context) {
            if (isEmpty()) {
                return false;
            }
            collectDue(context.clock().nanoTime());
            boolean fired = false;
            for (LoopTimer timer = takeDue(); timer != null; timer = takeDue()) {
                timer.fire();
                fired = true;
            }
            return fired;
        }

        /** Refuses timers from now on. Home context. */
        void seal() {
            synchronized (lock) {
                sealed = true;
            }
        }

        /**
         * Refuses timers from now on, if none is armed. Home context.
         *
         * @return false if one is armed
         */
        boolean sealIfEmpty() {
            synchronized (lock) {
                sealed = armed == 0;
                return sealed;
            }
        }

        /** The names of the armed timers, in no order. Thread: any. */
        List<String> names() {
            synchronized (lock) {
                List<String> names = new ArrayList<>();
                for (int i = 0; i < size; i++) {
                    names.add(at(i).name);
                }
                for (LoopTimer timer = firstDue; timer != null; timer = timer.nextDue) {
                    names.add(timer.name);
                }
                return names;
            }
        }

        private void collectDue(long nowNanos) {
            synchronized (lock) {
                while (size > 0 && at(0).deadlineNanos <= nowNanos) {
                    LoopTimer timer = at(0);
                    removeAt(0);
                    timer.position = DUE;
                    timer.previousDue = lastDue;
                    if (lastDue == null) {
                        firstDue = timer;
                    } else {
                        lastDue.nextDue = timer;
                    }
                    lastDue = timer;
                }
            }
        }

        private @Nullable LoopTimer takeDue() {
            synchronized (lock) {
                LoopTimer timer = firstDue;
                if (timer != null) {
                    unlink(timer);
                }
                return timer;
            }
        }

        /** Takes a timer from wherever it is; it is unarmed then. */
        private void unlink(LoopTimer timer) {
            if (timer.position == UNARMED) {
                return;
            }
            if (timer.position == DUE) {
                unlinkDue(timer);
            } else {
                removeAt(timer.position);
            }
            timer.position = UNARMED;
            setArmed(armed - 1);
        }

        private void unlinkDue(LoopTimer timer) {
            LoopTimer previous = timer.previousDue;
            LoopTimer next = timer.nextDue;
            if (previous == null) {
                firstDue = next;
            } else {
                previous.nextDue = next;
            }
            if (next == null) {
                lastDue = previous;
            } else {
                next.previousDue = previous;
            }
            timer.previousDue = null;
            timer.nextDue = null;
        }

        private void insert(LoopTimer timer) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, size * 2);
            }
            siftUp(size++, timer);
        }

        private void removeAt(int index) {
            LoopTimer last = at(--size);
            heap[size] = null;
            if (index == size) {
                return;
            }
            siftDown(index, last);
            if (last.position == index) {
                siftUp(index, last);
            }
        }

        private void siftUp(int from, LoopTimer timer) {
            int index = from;
            while (index > 0 && timer.isBefore(at((index - 1) / 2))) {
                place(index, at((index - 1) / 2));
                index = (index - 1) / 2;
            }
            place(index, timer);
        }

        private void siftDown(int from, LoopTimer timer) {
            int index = from;
            for (int child = 2 * index + 1; child < size; child = 2 * index + 1) {
                if (child + 1 < size && at(child + 1).isBefore(at(child))) {
                    child++;
                }
                if (timer.isBefore(at(child))) {
                    break;
                }
                place(index, at(child));
                index = child;
            }
            place(index, timer);
        }

        private void place(int index, LoopTimer timer) {
            heap[index] = timer;
            timer.position = index;
        }

        private LoopTimer at(int index) {
            return Objects.requireNonNull(heap[index]);
        }

        private void setArmed(int count) {
            // Release: pairs with isEmpty, which then takes the lock.
            ARMED.setRelease(this, count);
        }
    }
}
