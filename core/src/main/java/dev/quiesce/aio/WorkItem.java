package dev.quiesce.aio;

import dev.quiesce.aio.watch.LoopMeter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A piece of blocking work for {@link Workers}: {@link #work} runs where blocking is allowed, then
 * {@link #run} runs once in the home context that submitted it. An item is submitted, comes back,
 * and may then be submitted again, also from within {@link #run}; it allocates nothing.
 *
 * <p>What {@code work} writes, {@code run} sees.
 */
public abstract class WorkItem extends Task {
    /*
     * IDLE -> QUEUED -> RUNNING -> DONE -> IDLE, or QUEUED -> WITHDRAWN -> IDLE. The edge out of
     * QUEUED is one compare and set, so either a worker does the work or it is withdrawn, never
     * both. Every other edge is taken by whoever holds the item at that moment: home before
     * QUEUED, the worker from RUNNING until it posts the item, home again from then on. HERE is
     * QUEUED for work that the home context does itself; home alone sees it.
     *
     * A withdrawn item leaves a stale entry in its pool's queue. `enqueuedIn` remembers it, so
     * that an item that is submitted again does not add a second one: a pool's queue holds at
     * most one entry of an item, however often it is withdrawn. It remembers one pool. An item that
     * is withdrawn from one and submitted to another is forgotten by the first, whose stale entry
     * may do the other's work; if it comes back before that, it has one entry more.
     *
     * An item that comes home and finds no place in the queue waits for the loop in a list that
     * needs no memory; see Stranded and Remains.strand.
     */
    private static final int IDLE = 0;
    private static final int QUEUED = 1;
    private static final int HERE = 2;
    private static final int RUNNING = 3;
    private static final int DONE = 4;
    private static final int WITHDRAWN = 5;

    /** What an item does in each state. */
    private static final String[] USE = {"is idle", "is queued", "is queued for its own loop",
        "is at work", "comes home with its result", "comes home cancelled"};

    private static final VarHandle STATE;
    private static final VarHandle ENQUEUED_IN;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(WorkItem.class, "state", int.class);
            ENQUEUED_IN = lookup.findVarHandle(WorkItem.class, "enqueuedIn", Workers.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("UnusedVariable") // read and written through STATE
    private int state;
    @SuppressWarnings("UnusedVariable") // read and written through ENQUEUED_IN
    private @Nullable Workers enqueuedIn;
    private @Nullable AioContext home;

    /** The next stranded item. Handed over with the item. */
    private @Nullable WorkItem nextStranded;
    private @Nullable Throwable failure;
    private boolean cancelled;

    /** An item that is not submitted. Thread: any. */
    protected WorkItem() {
    }

    /**
     * Does the work, on a thread that may block. It should not throw; what it throws is recorded
     * as the {@link #failure}.
     */
    protected abstract void work();

    /**
     * Takes the result. Called in the home context exactly once for each submission, after
     * {@link #work} has returned or thrown, or after the item was cancelled.
     */
    @Override
    protected abstract void run();

    /**
     * What {@link #work} threw. Thread: home context, from within {@link #run} on until the next
     * submission.
     *
     * @return the failure, or null if the work returned or was never done
     */
    public @Nullable Throwable failure() {
        return failure;
    }

    /**
     * Whether the item was cancelled, so that {@link #work} was not called. Thread: home context,
     * from within {@link #run} on until the next submission.
     *
     * @return true if the work was not done
     */
    public boolean isCancelled() {
        return cancelled;
    }

    /**
     * Marks the item as submitted. For implementations of {@link Workers}, which then make some
     * thread call {@link #perform}. Thread: home context.
     *
     * @param submitter the context in which {@link #run} will be called
     * @throws IllegalStateException if the item is still in use, the caller is not home, or the
     *     context is closed
     */
    public final void submitted(AioContext submitter) {
        submitted(submitter, QUEUED);
    }

    /** Marks the item as submitted and queues it in the submitter, which will do the work. */
    final void submittedHere(AioContext submitter) {
        submitted(submitter, HERE);
        try {
            queueAt(submitter);
        } catch (OutOfMemoryError e) {
            STATE.setOpaque(this, IDLE);
            submitter.remains().workEnds();
            throw e;
        }
    }

    /** Not by a post, which refuses what queues itself. */
    private void queueAt(AioContext submitter) {
        if (!submitter.tryDefer(this)) {
            throw submitter.gone();
        }
    }

    private void submitted(AioContext submitter, int queuedAs) {
        submitter.checkHome();
        submitter.checkOpen();
        int now = stateAcquire();
        if (now != IDLE) {
            throw new IllegalStateException(describe() + " is submitted again by context "
                    + submitter.name() + " on thread " + Lease.Ownership.caller() + ", though it "
                    + USE[now] + " (AIO-71)");
        }
        home = submitter;
        failure = null;
        cancelled = false;
        submitter.remains().workBegins();
        // Release: a worker that finds a stale entry of this item must see the fields above.
        // Sequentially consistent: before the look at `enqueuedIn`.
        STATE.setVolatile(this, queuedAs);
    }

    /**
     * Does the work, unless the item was withdrawn, and sends the item home. For implementations
     * of {@link Workers}. Thread: any, where blocking is allowed.
     *
     * @return false if there was nothing to do
     */
    public final boolean perform() {
        if (!STATE.compareAndSet(this, QUEUED, RUNNING)) {
            return false;
        }
        workAndRecord();
        sendHome();
        return true;
    }

    /**
     * Sends the item home with a failure instead of doing the work, unless it was withdrawn: there
     * is no thread left that could. Thread: any.
     */
    final void refuse(Throwable cause) {
        if (STATE.compareAndSet(this, QUEUED, RUNNING)) {
            failure = cause;
            sendHome();
        }
    }

    private void sendHome() {
        AioContext submitter = Objects.requireNonNull(home);
        // Opaque: the post publishes the item.
        STATE.setOpaque(this, DONE);
        comeHome(submitter);
    }

    /** Queues the item at home, or has the loop do it if that is not possible now. */
    private void comeHome(AioContext submitter) {
        if (!Remains.tryPost(submitter, this)) {
            submitter.remains().strand(this);
        }
    }

    private void reportLost(AioContext submitter) {
        submitter.report(LoopMeter.nameOf(this::describe), submitter.gone());
    }

    private void workAndRecord() {
        try {
            work();
        } catch (Throwable thrown) {
            failure = thrown;
        }
    }

    /**
     * Cancels the item if no worker has taken it: {@link #work} will not be called, {@link #run}
     * will, in the next slice. For implementations of {@link Workers}. Thread: home context.
     *
     * @return true if the item was withdrawn
     */
    public final boolean withdraw() {
        AioContext submitter = home;
        if (submitter == null) {
            return false;
        }
        submitter.checkHome();
        if (stateAcquire() == HERE) {
            STATE.setOpaque(this, WITHDRAWN);
            return true;
        }
        if (STATE.compareAndSet(this, QUEUED, WITHDRAWN)) {
            try {
                queueAt(submitter);
            } catch (OutOfMemoryError e) {
                submitter.remains().strand(this);
            }
            return true;
        }
        return false;
    }

    /**
     * Takes back a submission that nobody will look at, as if it had not been made. Home.
     *
     * @return false if a worker has taken the item, which comes home then
     */
    final boolean retract() {
        if (STATE.compareAndSet(this, QUEUED, IDLE)) {
            Objects.requireNonNull(home).remains().workEnds();
            return true;
        }
        return false;
    }

    /**
     * Notes that a pool's queue holds an entry of this item. Home context, after
     * {@link #submitted}.
     *
     * @return false if it does already: the pool will come across that one
     */
    final boolean enterQueueOf(Workers pool) {
        // Sequentially consistent, after `state`: pairs with leaveQueueOf followed by perform.
        return ENQUEUED_IN.getAndSet(this, pool) != pool;
    }

    /** Notes that the pool has taken its entry of this item, before {@link #perform}. */
    final void leaveQueueOf(Workers pool) {
        ENQUEUED_IN.compareAndSet(this, pool, null);
    }

    @Override
    final boolean step() {
        int now = stateAcquire();
        if (now == HERE) {
            workAndRecord();
        }
        cancelled = now == WITHDRAWN;
        Objects.requireNonNull(home).remains().workEnds();
        STATE.setOpaque(this, IDLE);
        run();
        return true;
    }

    private int stateAcquire() {
        return (int) STATE.getAcquire(this);
    }

    /**
     * Items of one context that found no memory for a place in its queue when they came home. Any
     * thread adds them; whoever takes them out answers for all of them.
     */
    static final class Stranded {
        private final AtomicReference<@Nullable WorkItem> newest = new AtomicReference<>();

        void add(WorkItem item) {
            @Nullable WorkItem before;
            do {
                before = newest.get();
                item.nextStranded = before;
                // Sequentially consistent: hands the item over, and comes before what is said next.
            } while (!newest.compareAndSet(before, item));
        }

        /** Queues them all, the oldest first, or reports them if nothing runs there any more. */
        void empty(boolean gone) {
            WorkItem rest = takeAll();
            try {
                while (rest != null) {
                    WorkItem item = rest;
                    rest = item.nextStranded;
                    item.nextStranded = null;
                    AioContext submitter = Objects.requireNonNull(item.home);
                    if (gone) {
                        item.reportLost(submitter);
                    } else {
                        item.comeHome(submitter);
                    }
                }
            } finally {
                // The error handler has thrown an Error.
                while (rest != null) {
                    WorkItem item = rest;
                    rest = item.nextStranded;
                    add(item);
                }
            }
        }

        private @Nullable WorkItem takeAll() {
            // Sequentially consistent: one taker has them, and sees what those wrote who came home.
            WorkItem next = newest.getAndSet(null);
            WorkItem oldest = null;
            while (next != null) {
                WorkItem item = next;
                next = item.nextStranded;
                item.nextStranded = oldest;
                oldest = item;
            }
            return oldest;
        }
    }

    /** Workers without threads: the home context does the work itself, in its next turn. */
    static final class Inline implements Workers {
        @Override
        public void submit(AioContext home, WorkItem item) {
            item.submittedHere(home);
        }

        @Override
        public boolean cancel(WorkItem item) {
            return item.withdraw();
        }

        @Override
        public void close() {
            // Nothing runs outside the contexts that submitted.
        }
    }
}
