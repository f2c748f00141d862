package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.queue.Linked;
import dev.quiesce.aio.queue.RingInbox;
import dev.quiesce.aio.watch.LoopMeter;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A unit of work that is made once and queued often: queueing it allocates nothing. It is in at
 * most one queue at a time (asserted); once it runs it is in none and may be queued again, also
 * from within {@link #run}.
 *
 * <p>Ownership: whoever queues a task lends it to the loop until it runs.
 */
public abstract class Task extends Linked {
    /** Whether this task is in a queue, if assertions are on. Handed over with the task itself. */
    private boolean queued;

    /** A task that is in no queue. Thread: any. */
    protected Task() {
    }

    /**
     * Does the work. Called in the home context of the loop on which the task was queued. An
     * exception is reported to the {@link ErrorHandler} and the loop goes on; an {@link Error}
     * leaves the poll.
     */
    protected abstract void run();

    /**
     * What this task is, for diagnoses. Thread: any.
     *
     * @return a short description; by default the name of the class
     */
    public String describe() {
        return getClass().getName();
    }

    /** {@return whether nobody may post it, as bottom halves and items, which do} Thread: any. */
    public final boolean queuesItself() {
        return this instanceof BottomHalf || this instanceof WorkItem;
    }

    /**
     * Runs the task for the loop.
     *
     * @return whether a callback ran, which is what counts as progress
     */
    boolean step() {
        run();
        return true;
    }

    /**
     * Whether running this queued task would do something: a cancelled one only leaves its queue.
     */
    boolean isLive() {
        return true;
    }

    /** What is wrong if this task is registered with a context that is being closed. */
    String leak() {
        return describe() + " is left";
    }

    /**
     * Told to a task that was taken out of its queue without being run. Home context.
     *
     * @return whether it has been asked for since it looked dead, and cannot be queued any more
     */
    boolean abandon() {
        assert !queued : describe() + " is in a queue";
        return false;
    }

    /**
     * Queues this task if it is due and in no queue, for want of memory; or answers for it. Home.
     */
    void requeue() {
        // Nobody counts on it: whoever posts a plain task hears of the failure.
    }

    /** Queues a task from elsewhere; false if the inbox is sealed. Thread: any. */
    static boolean push(Inbox<Task> inbox, Task task) {
        assert task.setQueued(true);
        boolean pushed = false;
        try {
            pushed = inbox.offer(task);
            return pushed;
        } finally {
            // There may be no memory for it. Once pushed, it is somebody else's.
            assert pushed || task.setQueued(false);
        }
    }

    /** Queues many tasks from elsewhere in one step; false if sealed. Thread: any. */
    static boolean pushAll(Inbox<Task> inbox, Task[] tasks, int count) {
        assert markAll(tasks, count, true);
        boolean pushed = false;
        try {
            pushed = inbox.offerAll(tasks, count);
            return pushed;
        } finally {
            assert pushed || markAll(tasks, count, false);
        }
    }

    private static boolean markAll(Task[] tasks, int count, boolean queued) {
        // All or none, as in appendAll. Assertions may allocate.
        Arrays.asList(tasks).subList(0, count).forEach(Objects::requireNonNull);
        for (int i = 0; i < count; i++) {
            assert tasks[i].setQueued(queued);
        }
        return true;
    }

    /** Notes that this task is in a queue now, or in none; for assertions only. */
    private boolean setQueued(boolean now) {
        assert queued != now : describe() + (now ? " is already in a queue" : " was in no queue");
        queued = now;
        return true;
    }

    /** What runs once and cannot be asked for again (AIO-6): a task that runs a piece of code. */
    static final class OneShot extends Task {
        private final Runnable body;

        OneShot(Runnable body) {
            this.body = Objects.requireNonNull(body, "body");
        }

        @Override
        protected void run() {
            body.run();
        }

        @Override
        public String describe() {
            return body.toString();
        }
    }

    /**
     * A first-in-first-out list of one home context, with monotone counters: a slice is "until
     * {@code executed} reaches what {@code appended} was", which a nested poll may finish for the
     * outer one without either running a task twice (AIO-17, AIO-18). Home context only.
     */
    static final class Fifo {
        /*
         * An array of slots, used round and round: appending and taking write to the list only, so
         * the tasks stay in the caches of those who post them. Task number n is in slot n modulo
         * their number, unless it was appended by itself when the list was empty: then it is
         * `lone`, all that a task needs that queues itself again and again (RescheduleBenchmark).
         * The reference stays there when the task is taken, until a whole turn begins, or quick
         * ones with others: storing one costs the collector's barriers, and most often the next
         * task is the same. The slots of a slice are cleared together, when it ends or waits: one
         * by one took as long as all else in a run, behind cache lines that posters had. A run
         * keeps its place in local variables, since from field to field each task would wait for
         * the store of the one before, and looks after each whether the field has moved on.
         */
        private static final int SLOTS_MIN = 16;

        /** What slots are cleared with, so many at a time: one barrier of the collector each. */
        private static final @Nullable Object[] NULLS = new Object[64];

        /** A power of two of them, from the beginning: an end may have no memory for any. */
        private @Nullable Object[] slots = new Object[SLOTS_MIN];

        /** A task that was appended by itself. */
        private @Nullable Task lone;

        /** Whether that one has not been taken; then it is the oldest. */
        private boolean hasLone;
        private long appended;
        private long executed;

        /** The first task that a slot may keep though it has been taken; outside slices -1. */
        private long keptFrom = -1;

        void append(Task task) {
            Objects.requireNonNull(task, "task");
            if (appended == executed) {
                assert task.setQueued(true);
                hasLone = true;
                if (lone != task) {
                    lone = task;
                }
            } else {
                appendToSlot(task);
            }
            appended++;
        }

        private void appendToSlot(Task task) {
            if (size() >= slots.length) {
                grow();
            }
            assert task.setQueued(true);
            slots[(int) appended & slots.length - 1] = task;
        }

        void appendAll(Task[] tasks, int count) {
            // Whatever may fail comes first: all are appended, or none.
            for (int i = 0; i < count; i++) {
                Objects.requireNonNull(tasks[i], "task");
            }
            while (size() + count > slots.length) {
                grow();
            }
            for (int i = 0; i < count; i++) {
                append(tasks[i]);
            }
        }

        /** Appends tasks that are there in an inbox, so many at most; returns how many. */
        int appendFrom(Inbox<Task> inbox, int max) {
            int taken = 0;
            int asked = 0;
            for (int piece = 0; taken < max && piece >= asked; taken += piece) {
                int room = room(max - taken);
                piece = appended(inbox.poll(slots, (int) appended & slots.length - 1, room));
                asked = Math.min(room, Inbox.PIECE);
            }
            return taken;
        }

        /** Appends tasks that are claimed in an inbox, waiting for one at least. */
        int appendClaimedFrom(Inbox<Task> inbox, long max) {
            int room = room(max);
            return appended(inbox.take(slots, (int) appended & slots.length - 1, room));
        }

        /** How many slots are free in one piece, 1 at least; may replace the array. */
        private int room(long max) {
            if (size() >= slots.length) {
                grow();
            }
            int free = slots.length - (int) size();
            int inPiece = slots.length - ((int) appended & slots.length - 1);
            return (int) Math.min(max, Math.min(free, inPiece));
        }

        private int appended(int count) {
            appended += count;
            return count;
        }

        private void grow() {
            @Nullable Object[] larger = new Object[2 * slots.length];
            for (long i = hasLone ? executed + 1 : executed; i < appended; i++) {
                larger[(int) i & larger.length - 1] = slots[(int) i & slots.length - 1];
            }
            slots = larger;
        }

        /** Takes the oldest task; within a slice, its slot may keep it for a while. */
        Task take() {
            Task oldest = hasLone ? Objects.requireNonNull(lone) : takeFromSlot();
            hasLone = false;
            assert oldest.setQueued(false);
            executed++;
            return oldest;
        }

        private Task takeFromSlot() {
            int slot = (int) executed & slots.length - 1;
            Task oldest = (Task) Objects.requireNonNull(slots[slot]);
            if (keptFrom < 0) {
                slots[slot] = null;
            }
            return oldest;
        }

        private void clearKept() {
            // Those of older tasks are in use again; that of a lone task may keep an older one.
            long at = Math.max(keptFrom, appended - slots.length);
            long to = hasLone ? executed + 1 : executed;
            while (at < to) {
                int slot = (int) at & slots.length - 1;
                int count = (int) Math.min(to - at, Math.min(NULLS.length, slots.length - slot));
                System.arraycopy(NULLS, 0, slots, slot, count);
                at += count;
            }
            keptFrom = executed;
        }

        /** Keeps no reference to a task that has been taken. */
        void forgetTaken() {
            if (!hasLone) {
                lone = null;
            }
            if (keptFrom >= 0) {
                clearKept();
            }
        }

        boolean isEmpty() {
            return appended == executed;
        }

        long size() {
            return appended - executed;
        }

        /** How many tasks have run. */
        long ran() {
            return executed;
        }

        /**
         * Runs what is in the list now, with its epilogue: after every batch, and in the end.
         *
         * @param context whose list it is
         * @param observed whether somebody wants to hear of callbacks
         * @return whether any callback ran
         */
        boolean runSlice(AioContext context, boolean observed) {
            Parker.Stepping stepping = context.stepping();
            boolean watched = observed || stepping != null;
            long limit = stepping == null ? appended
                    : Math.min(appended, executed + stepping.tasksPerSlice(context));
            boolean progress = false;
            boolean outermost = keptFrom < 0;
            keptFrom = outermost ? executed : keptFrom;
            try {
                do {
                    long end = Math.min(limit, executed + context.tasksPerBatch());
                    progress |= watched ? runWatchedUpTo(end, context, observed, stepping)
                            : runUpTo(end, context);
                    progress |= context.runEpilogue();
                } while (executed < limit);
            } finally {
                clearKept();
                keptFrom = outermost ? -1 : keptFrom;
            }
            return progress;
        }

        private boolean runUpTo(long end, AioContext context) {
            boolean progress = hasLone && run(take(), context);
            @Nullable Object[] in = slots;
            long next = executed;
            while (next < end) {
                assert !hasLone : "it would be the oldest";
                Task task = (Task) Objects.requireNonNull(in[(int) next & in.length - 1]);
                assert task.setQueued(false);
                executed = ++next;
                progress |= run(task, context);
                if (executed != next) {
                    // It has polled (AIO-18). If it has only queued more than there were slots
                    // for, the rest of the slice is in the old ones too.
                    next = executed;
                    in = slots;
                }
            }
            return progress;
        }

        /** Runs the only task that is in the list, where nobody observes or steps the loop. */
        boolean runOldest(AioContext context) {
            boolean progress = run(take(), context);
            return context.runEpilogue() || progress;
        }

        private boolean runWatchedUpTo(long end, AioContext context, boolean observed,
                Parker.@Nullable Stepping stepping) {
            boolean progress = false;
            while (executed < end) {
                Task task = take();
                progress |= observed ? context.turn().meter().observedCallback(
                        task::describe, () -> runStepped(task, context, stepping))
                        : runStepped(task, context, stepping);
            }
            return progress;
        }

        private static boolean runStepped(
                Task task, AioContext context, Parker.@Nullable Stepping stepping) {
            if (stepping != null && task.isLive()) {
                stepping.callbackBegins(context, task::describe);
            }
            return run(task, context);
        }

        private static boolean run(Task task, AioContext context) {
            try {
                return task.step();
            } catch (Exception e) {
                context.report(LoopMeter.nameOf(task::describe), e);
                return true;
            }
        }

        /** Takes all, unrun: they do not count as run, and find their room again. */
        Task[] takeAll() {
            Task[] all = new Task[(int) size()];
            for (int i = 0; i < all.length; i++) {
                all[i] = take();
            }
            executed -= all.length;
            appended = executed;
            forgetTaken();
            return all;
        }
    }

    /**
     * Everything that is queued in one context: what runs in any turn, what runs in outermost
     * turns only, and an inbox for each. Home context only, where not said otherwise.
     */
    static final class Queues {
        /** The slots of an inbox: first 256 bytes, then 16 KiB; for control operations few. */
        private static final int SLOTS_MIN = 64;
        private static final int SLOTS_MAX = 4096;
        private static final int OUTER_SLOTS = 4;

        /** How long tasks that need not run at once wait for company (AIO-7). */
        static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

        private final Fifo ready = new Fifo();
        private final Fifo outer = new Fifo();
        private final Inbox<Task> inbox;
        private final Inbox<Task> outerInbox = new RingInbox<>(OUTER_SLOTS, OUTER_SLOTS);

        /** How many ready tasks let the loop sleep. Home context only. */
        private int pacing;

        /** Until when. Written at home, read by any. */
        private final AtomicLong paceEndNanos = new AtomicLong(Long.MAX_VALUE);

        /** {@code inbox}: where others leave what runs in any turn, see {@link #newInbox}. */
        Queues(Inbox<Task> inbox) {
            this.inbox = inbox;
        }

        static Inbox<Task> newInbox() {
            return new RingInbox<>(SLOTS_MIN, SLOTS_MAX);
        }

        /** What runs in any turn. */
        Fifo ready() {
            return ready;
        }

        /** What runs in outermost turns. */
        Fifo outer() {
            return outer;
        }

        /** Queues a task that runs in outermost turns only; false if sealed. Thread: any. */
        boolean pushOuter(Task task) {
            return Task.push(outerInbox, task);
        }

        /** Queues a task that runs in outermost turns only, after those that others posted. */
        void appendOuter(Task task) {
            takeOuterInbox();
            outer.append(task);
        }

        /**
         * Makes ready what is in the inbox and there. Where it ends it does not look again: posters
         * as fast as this would have it take tasks one by one, and lose their slots each time.
         *
         * @return how many tasks
         */
        int takeInbox() {
            int taken = inbox.hasNext() ? ready.appendFrom(inbox, SLOTS_MAX) : 0;
            if (taken == SLOTS_MAX) {
                // Not without end, but whatever has been claimed by now and is there.
                long left = Math.min(Integer.MAX_VALUE, inbox.claimed());
                taken += ready.appendFrom(inbox, (int) left);
            }
            return taken;
        }

        /** Makes ready whatever was posted before, though its poster may not be done with it. */
        void takeWholeInbox() {
            takeAll(inbox, ready);
        }

        void takeOuterInbox() {
            takeAll(outerInbox, outer);
        }

        /** Moves to a list whatever is claimed in an inbox. */
        static void takeAll(Inbox<Task> inbox, Fifo list) {
            for (long left = inbox.claimed(); left > 0;) {
                left -= list.appendClaimedFrom(inbox, left);
            }
        }

        /** How many tasks have run since the context was made. */
        long ran() {
            return ready.ran() + outer.ran();
        }

        /** Keeps no reference to a task that has been taken. */
        void forgetTaken() {
            ready.forgetTaken();
            outer.forgetTaken();
        }

        /** Whether something is ready, though it may let the loop sleep. */
        boolean hasReady() {
            return !ready.isEmpty();
        }

        /** How many tasks are ready, if any of them must not wait, or 0. */
        long urgent() {
            long size = ready.size();
            return size > pacing ? size : 0;
        }

        /** A task that lets the loop sleep has been made ready. */
        void pacingBegins(long nowNanos) {
            // A time that is over is of those that are about to run, and lets nobody sleep.
            if (pacing == 0 || nowNanos >= paceEndNanos.getPlain()) {
                // Opaque: one writer, and readers that want a whole number.
                paceEndNanos.setOpaque(nowNanos + PACE_NANOS);
            }
            pacing++;
        }

        /** A task that let the loop sleep runs, or does not let it any more. */
        void pacingEnds() {
            pacing--;
            assert pacing >= 0 : "more ends than begins";
            if (pacing == 0) {
                // Opaque: see pacingBegins.
                paceEndNanos.setOpaque(Long.MAX_VALUE);
            }
        }

        /** Until when the ready tasks let the loop sleep, or {@link Long#MAX_VALUE}. Any thread. */
        long paceEndNanos() {
            return paceEndNanos.getOpaque();
        }

        /** Whether there is something in the inbox; for a loop that is about to sleep. */
        boolean hasPosted() {
            return !inbox.isEmpty();
        }

        /** Whether there is something to take from the inbox; for a loop that asks often. */
        boolean hasArrivals() {
            return inbox.hasNext();
        }

        boolean hasOuter() {
            return !outer.isEmpty() || !outerInbox.isEmpty();
        }

        /** Refuses everything from now on, if there is nothing here. */
        boolean sealIfEmpty() {
            if (ready.isEmpty() && outer.isEmpty() && outerInbox.sealIfEmpty()) {
                if (inbox.sealIfEmpty()) {
                    forgetTaken();
                    return true;
                }
                outerInbox.unseal();
            }
            return false;
        }

        /** Takes back what {@link #sealIfEmpty} did. */
        void unseal() {
            inbox.unseal();
            outerInbox.unseal();
        }

        /** Refuses everything from now on; what is here stays. */
        void seal() {
            inbox.seal();
            outerInbox.seal();
            takeWholeInbox();
            takeOuterInbox();
        }

        /** Moves some of what was posted to the lists, which are empty: for that there is room. */
        boolean takePiece() {
            return takePiece(inbox, ready) || takePiece(outerInbox, outer);
        }

        private static boolean takePiece(Inbox<Task> inbox, Fifo list) {
            long claimed = inbox.claimed();
            return claimed > 0 && list.appendClaimedFrom(inbox, claimed) > 0;
        }
    }
}
