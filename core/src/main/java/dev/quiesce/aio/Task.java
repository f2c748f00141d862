package dev.quiesce.aio;

import dev.quiesce.aio.watch.LoopMeter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A unit of work that carries its own queue link, so queueing it allocates nothing. It is in at
 * most one queue at a time (asserted); once it runs it is in none and may be queued again, also
 * from within {@link #run}.
 *
 * <p>Ownership: whoever queues a task lends it to the loop until it runs.
 */
public abstract class Task {
    /** The next task of the one queue this one is in. Owned by that queue. */
    private @Nullable Task next;

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

    /** Notes that this task is in a queue; for assertions only, as is the next method. */
    private boolean markQueued() {
        assert !queued : describe() + " is already in a queue";
        queued = true;
        return true;
    }

    private boolean markUnqueued() {
        assert queued && next == null : describe() + " was in no queue";
        queued = false;
        return true;
    }

    /**
     * A first-in-first-out list of one home context, with monotone counters: a slice is "until
     * {@code executed} reaches what {@code appended} was", which a nested poll may finish for the
     * outer one without either running a task twice (AIO-17, AIO-18). Home context only.
     */
    static final class Fifo {
        private @Nullable Task head;
        private @Nullable Task tail;
        private long appended;
        private long executed;

        void append(Task task) {
            assert task.markQueued();
            link(task, task, 1);
        }

        /** Appends tasks that are linked to each other, and marked. */
        private void link(Task first, Task last, int count) {
            Task before = tail;
            if (before == null) {
                head = first;
            } else {
                before.next = first;
            }
            tail = last;
            appended += count;
        }

        /** Unlinks the oldest task, which the caller then runs. There is one. */
        Task take() {
            Task first = Objects.requireNonNull(head);
            if (first == tail) {
                head = null;
                tail = null;
            } else {
                head = first.next;
                first.next = null;
            }
            assert first.markUnqueued();
            executed++;
            return first;
        }

        boolean isEmpty() {
            return head == null;
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
            boolean progress = false;
            Parker.Stepping stepping = context.stepping();
            boolean watched = observed || stepping != null;
            long limit = stepping == null ? appended
                    : Math.min(appended, executed + stepping.tasksPerSlice(context));
            do {
                long batch = Math.min(limit, executed + context.tasksPerBatch());
                while (executed < batch) {
                    Task task = take();
                    progress |= watched
                            ? runWatched(task, context, observed, stepping) : run(task, context);
                }
                progress |= context.runEpilogue();
            } while (executed < limit);
            return progress;
        }

        private static boolean runWatched(Task task, AioContext context, boolean observed,
                Parker.@Nullable Stepping stepping) {
            return observed ? context.turn().meter().observedCallback(
                    task::describe, () -> runStepped(task, context, stepping))
                    : runStepped(task, context, stepping);
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

        private void describe(List<String> out) {
            for (long left = size(); left > 0; left--) {
                Task task = take();
                // Looked at, not run: it does not count.
                executed--;
                appended--;
                if (task.isLive()) {
                    out.add("task " + LoopMeter.nameOf(task::describe));
                    append(task);
                } else if (task.abandon()) {
                    out.add("task " + LoopMeter.nameOf(task::describe));
                }
            }
        }

        private void abandon() {
            while (!isEmpty()) {
                // Asked for meanwhile or not: what was live has been described.
                boolean unused = take().abandon();
            }
        }
    }

    /** Keeps what comes before an inbox away from its head. */
    abstract static class InboxLeadingPad {
        long pad00, pad01, pad02, pad03, pad04, pad05, pad06, pad07;
        long pad08, pad09, pad10, pad11, pad12, pad13, pad14;
    }

    /** The newest task of an inbox. */
    abstract static class InboxHead extends InboxLeadingPad {
        @SuppressWarnings("UnusedVariable") // read and written through Inbox.HEAD
        @Nullable Task head;
    }

    /**
     * Where other threads leave tasks for a home context: a stack that is pushed by compare and
     * set, taken whole and reversed, so tasks of one poster keep their order. Sealing it closes
     * the context's door for good: a push then fails.
     */
    static final class Inbox extends InboxHead {
        /*
         * Push publishes the task and everything its poster wrote before (release by the CAS);
         * taking acquires it. The stack is only ever taken whole, so a head that was popped and
         * pushed again meanwhile does no harm: a poster compares the head it linked to, and that
         * link is right whenever the head is the same task. SEALED is a head that no push
         * replaces, which makes "closed" and "empty" one atomic decision.
         *
         * Padding, by a chain of classes as in InFlightCounter: the loop writes its own lists in
         * every turn, and on one cache line with them a push would miss each time
         * (HandOverBenchmark).
         */
        private static final Task SEALED = new Task() {
            @Override
            protected void run() {
                throw new AssertionError("the mark of a sealed inbox is no task");
            }
        };
        private static final VarHandle HEAD;

        static {
            try {
                HEAD = MethodHandles.lookup()
                        .findVarHandle(InboxHead.class, "head", Task.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        long pad20, pad21, pad22, pad23, pad24, pad25, pad26, pad27;
        long pad28, pad29, pad30, pad31, pad32, pad33, pad34;

        /**
         * Adds a task. Thread: any.
         *
         * @return false if the inbox is sealed; the task is then in no queue
         */
        boolean push(Task task) {
            assert task.markQueued();
            if (pushChain(task, task)) {
                return true;
            }
            assert task.markUnqueued();
            return false;
        }

        /**
         * Adds the first {@code count} tasks of an array, at least one, in one step. Thread: any.
         *
         * @return false if the inbox is sealed; the tasks are then in no queue
         */
        boolean pushAll(Task[] tasks, int count) {
            Task newest = tasks[0];
            assert newest.markQueued();
            for (int i = 1; i < count; i++) {
                Task task = tasks[i];
                assert task.markQueued();
                task.next = newest;
                newest = task;
            }
            if (pushChain(newest, tasks[0])) {
                return true;
            }
            for (int i = 0; i < count; i++) {
                tasks[i].next = null;
                assert tasks[i].markUnqueued();
            }
            return false;
        }

        private boolean pushChain(Task newest, Task oldest) {
            while (true) {
                Task top = headVolatile();
                if (top == SEALED) {
                    // Of an attempt before the seal.
                    oldest.next = null;
                    return false;
                }
                oldest.next = top;
                // Release: publishes the tasks. Sequentially consistent: the look at whether the
                // loop is armed comes after.
                if (HEAD.compareAndSet(this, top, newest)) {
                    return true;
                }
            }
        }

        /** Moves all tasks to the end of the list, oldest first. Home context only. */
        void takeInto(Fifo list) {
            if (hasTasks()) {
                // Acquire: what the posters wrote. Atomic: a task is taken once.
                append(list, Objects.requireNonNull((Task) HEAD.getAndSet(this, null)));
            }
        }

        /**
         * Seals the inbox if it is empty. Home context only.
         *
         * @return false if there was something in it, or it was sealed before
         */
        boolean sealIfEmpty() {
            return HEAD.compareAndSet(this, null, SEALED);
        }

        /** Opens an inbox that {@link #sealIfEmpty} has just sealed. Home context only. */
        void unseal() {
            boolean opened = HEAD.compareAndSet(this, SEALED, null);
            assert opened : "the inbox was not sealed";
        }

        /** Seals the inbox and moves what was in it to the end of the list. Home context only. */
        void sealInto(Fifo list) {
            Task top = (Task) HEAD.getAndSet(this, SEALED);
            if (top != null && top != SEALED) {
                append(list, top);
            }
        }

        /** Whether there is something to take. Thread: any. */
        boolean hasTasks() {
            Task top = headVolatile();
            return top != null && top != SEALED;
        }

        private @Nullable Task headVolatile() {
            return (Task) HEAD.getVolatile(this);
        }

        private static void append(Fifo list, Task newest) {
            int count = 1;
            Task oldest = newest;
            for (Task older = newest.next; older != null; count++) {
                Task evenOlder = older.next;
                older.next = oldest;
                oldest = older;
                older = evenOlder;
            }
            newest.next = null;
            list.link(oldest, newest, count);
        }
    }

    /**
     * Everything that is queued in one context: what runs in any turn, what runs in outermost
     * turns only, and an inbox for each. Home context only, where not said otherwise.
     */
    static final class Queues {
        /** How long tasks that need not run at once wait for company (AIO-7). */
        static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

        private static final VarHandle PACE_END;

        static {
            try {
                PACE_END = MethodHandles.lookup()
                        .findVarHandle(Queues.class, "paceEndNanos", long.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final Fifo ready = new Fifo();
        private final Fifo outer = new Fifo();
        private final Inbox inbox = new Inbox();
        private final Inbox outerInbox = new Inbox();

        /** How many ready tasks let the loop sleep. Home context only. */
        private int pacing;

        /** Until when. Written at home, read by any. */
        @SuppressWarnings("UnusedVariable") // read and written through PACE_END
        private long paceEndNanos = Long.MAX_VALUE;

        /** What runs in any turn. */
        Fifo ready() {
            return ready;
        }

        /** What runs in outermost turns. */
        Fifo outer() {
            return outer;
        }

        /** Queues a task from elsewhere; false if sealed. Thread: any. */
        boolean push(Task task) {
            return inbox.push(task);
        }

        /** Queues many tasks from elsewhere in one step; false if sealed. Thread: any. */
        boolean pushAll(Task[] tasks, int count) {
            return inbox.pushAll(tasks, count);
        }

        /** Queues a task that runs in outermost turns only; false if sealed. Thread: any. */
        boolean pushOuter(Task task) {
            return outerInbox.push(task);
        }

        /** Queues a task that runs in outermost turns only, after those that others posted. */
        void appendOuter(Task task) {
            takeOuterInbox();
            outer.append(task);
        }

        void takeInbox() {
            inbox.takeInto(ready);
        }

        void takeOuterInbox() {
            outerInbox.takeInto(outer);
        }

        /** How many tasks have run since the context was made. */
        long ran() {
            return ready.ran() + outer.ran();
        }

        /** Whether something is ready, though it may let the loop sleep. */
        boolean hasReady() {
            return !ready.isEmpty();
        }

        /** Whether something is ready that must not wait. */
        boolean hasUrgent() {
            return !ready.isEmpty() && (pacing == 0 || ready.size() > pacing);
        }

        /** A task that lets the loop sleep has been made ready. */
        void pacingBegins(long nowNanos) {
            // A time that is over is of those that are about to run, and lets nobody sleep.
            if (pacing == 0 || nowNanos >= paceEndNanos) {
                // Opaque: one writer, and readers that want a whole number.
                PACE_END.setOpaque(this, nowNanos + PACE_NANOS);
            }
            pacing++;
        }

        /** A task that let the loop sleep runs, or does not let it any more. */
        void pacingEnds() {
            pacing--;
            assert pacing >= 0 : "more ends than begins";
            if (pacing == 0) {
                // Opaque: see pacingBegins.
                PACE_END.setOpaque(this, Long.MAX_VALUE);
            }
        }

        /** Until when the ready tasks let the loop sleep, or {@link Long#MAX_VALUE}. Any thread. */
        long paceEndNanos() {
            return (long) PACE_END.getOpaque(this);
        }

        boolean hasPosted() {
            return inbox.hasTasks();
        }

        boolean hasOuter() {
            return !outer.isEmpty() || outerInbox.hasTasks();
        }

        /** Drops what would do nothing if it ran, and describes the rest. */
        void describe(List<String> out) {
            takeInbox();
            takeOuterInbox();
            ready.describe(out);
            outer.describe(out);
        }

        /** Refuses everything from now on, if there is nothing here and no timer is armed. */
        boolean sealIfEmpty(LoopTimer.Lists timers) {
            if (!ready.isEmpty() || !outer.isEmpty() || !timers.sealIfEmpty()) {
                return false;
            }
            // The inbox last: its seal is the decision. Notifiers and bottom halves come that way,
            // and take a refusal for the end.
            if (outerInbox.sealIfEmpty()) {
                if (inbox.sealIfEmpty()) {
                    return true;
                }
                outerInbox.unseal();
            }
            timers.unseal();
            return false;
        }

        /** Refuses everything from now on; what is here stays. */
        void seal() {
            inbox.sealInto(ready);
            outerInbox.sealInto(outer);
        }

        /** Takes everything out of its queue, unrun. */
        void abandon() {
            ready.abandon();
            outer.abandon();
        }
    }

    /** A task that runs a piece of code. */
    static final class Command extends Task {
        private final Runnable command;

        Command(Runnable command) {
            this.command = Objects.requireNonNull(command, "command");
        }

        @Override
        protected void run() {
            command.run();
        }

        @Override
        public String describe() {
            return command.toString();
        }
    }
}
