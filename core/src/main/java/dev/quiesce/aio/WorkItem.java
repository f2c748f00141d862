package dev.quiesce.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
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
     * most one entry of an item, however often it is withdrawn.
     */
    private static final int IDLE = 0;
    private static final int QUEUED = 1;
    private static final int HERE = 2;
    private static final int RUNNING = 3;
    private static final int DONE = 4;
    private static final int WITHDRAWN = 5;

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
     * @throws IllegalStateException if the item is still in use
     */
    public final void submitted(AioContext submitter) {
        submitted(submitter, QUEUED);
    }

    /** Marks the item as submitted and queues it in the submitter, which will do the work. */
    final void submittedHere(AioContext submitter) {
        submitted(submitter, HERE);
        submitter.defer(this);
    }

    private void submitted(AioContext submitter, int queuedAs) {
        submitter.checkHome();
        int now = stateAcquire();
        if (now != IDLE) {
            throw new IllegalStateException(
                    describe() + " is submitted again while in use, state " + now);
        }
        home = submitter;
        failure = null;
        cancelled = false;
        submitter.workBegins();
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
        AioContext submitter = Objects.requireNonNull(home);
        workAndRecord();
        // Opaque: the post publishes the item.
        STATE.setOpaque(this, DONE);
        if (!submitter.tryPost(this)) {
            submitter.report(describe(), submitter.gone());
        }
        return true;
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
            submitter.defer(this);
            return true;
        }
        return false;
    }

    /** Takes back a submission that could not be queued, as if it had not been made. Home. */
    final void retract() {
        if (STATE.compareAndSet(this, QUEUED, IDLE)) {
            Objects.requireNonNull(home).workEnds();
        }
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
        Objects.requireNonNull(home).workEnds();
        STATE.setOpaque(this, IDLE);
        run();
        return true;
    }

    private int stateAcquire() {
        return (int) STATE.getAcquire(this);
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

    /**
     * Threads that do the blocking work of any number of contexts, first in, first out.
     */
    static final class Pool implements Workers {
        /*
         * Submitters offer to the queue without a lock; workers take from it under the lock, which
         * makes them one consumer. A busy pool of full size costs a submitter one offer and a look
         * at three fields. That look and a worker's last look at the queue are Dekker pairs:
         *
         *   submitter:      offer; full fence; read idle, size, closing
         *   worker, tired:  idle++; full fence; look at the queue, sleep only if it is empty
         *   worker, ending: size--; full fence; look at the queue, end only if it is empty
         *   closer:         closing = true; every worker looks once more before it ends
         *
         * so an item is never left behind while everybody sleeps or has gone. Whoever wakes a
         * sleeper lowers `idle` on its behalf and grants a wake-up, both under the lock: two
         * submissions never count on the same sleeper.
         *
         * The bound of the queue is the number of items that exist: an item has one entry at most.
         */
        private static final int QUEUE_CHUNK = 1024;
        private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
        private static final VarHandle IDLE;
        private static final VarHandle SIZE;

        static {
            try {
                MethodHandles.Lookup lookup = MethodHandles.lookup();
                IDLE = lookup.findVarHandle(Pool.class, "idle", int.class);
                SIZE = lookup.findVarHandle(Pool.class, "size", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final ThreadFactory factory;
        private final int min;
        private final int max;
        private final long idleNanos;
        private final MpscUnboundedVarHandleArrayQueue<WorkItem> queue =
                new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition wake = lock.newCondition();
        private final Condition allGone = lock.newCondition();

        /** The threads that are working or asleep. Guarded by lock. */
        private final Set<Thread> workers = new HashSet<>();

        /** How many threads there are or are being made. Written under lock, read by any. */
        private int size;

        /** Sleepers whom nobody has woken yet. Written under lock, read by any. */
        private int idle;

        /** Wake-ups granted and not yet taken. Guarded by lock. */
        private int wakeUps;

        /** No more items. Written once, under lock; read by any. */
        private volatile boolean closing;

        Pool(ThreadFactory factory, int min, int max) {
            this(factory, min, max, IDLE_NANOS);
        }

        Pool(ThreadFactory factory, int min, int max, long idleNanos) {
            if (min < 0 || max < 1 || min > max) {
                throw new IllegalArgumentException("a pool of " + min + " to " + max
                        + " threads: need 0 <= min <= max, max >= 1");
            }
            this.factory = Objects.requireNonNull(factory, "factory");
            this.min = min;
            this.max = max;
            this.idleNanos = idleNanos;
            startFirst();
        }

        @Override
        public void submit(AioContext home, WorkItem item) {
            if (closing) {
                throw closed();
            }
            item.submitted(home);
            if (!item.enterQueueOf(this)) {
                return;
            }
            queue.offer(item);
            // StoreLoad: the offer before the look, see the note above.
            VarHandle.fullFence();
            if (idleVolatile() > 0 || sizeVolatile() < max || closing) {
                findWorkerFor(home, item);
            }
        }

        @Override
        public boolean cancel(WorkItem item) {
            return item.withdraw();
        }

        @Override
        public void close() {
            lock.lock();
            try {
                if (workers.contains(Thread.currentThread())) {
                    throw new IllegalStateException("the worker " + Thread.currentThread().getName()
                            + " would wait for itself if it closed its pool");
                }
                closing = true;
                wake.signalAll();
                while (size > 0) {
                    allGone.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        /** Wakes a sleeper, or makes a thread if all are busy and there may be one more. */
        private void findWorkerFor(AioContext home, WorkItem item) {
            lock.lock();
            try {
                if (idle > 0) {
                    setIdle(idle - 1);
                    wakeUps++;
                    wake.signal();
                    return;
                }
                if (closing && size == 0) {
                    item.retract();
                    throw closed();
                }
                if (closing || size == max) {
                    return;
                }
                setSize(size + 1);
            } finally {
                lock.unlock();
            }
            addWorker(home, item);
        }

        private void addWorker(AioContext home, WorkItem item) {
            boolean served = false;
            try {
                startThread();
                served = true;
            } catch (RuntimeException e) {
                served = giveUpThread();
                if (!served) {
                    throw e;
                }
                home.report("a new worker thread", e);
            } finally {
                if (!served) {
                    item.retract();
                }
            }
        }

        private void startFirst() {
            int started = 0;
            try {
                for (; started < min; started++) {
                    expectThread();
                    startThread();
                }
            } finally {
                if (started < min) {
                    giveUpThread();
                    close();
                }
            }
        }

        private void expectThread() {
            lock.lock();
            try {
                setSize(size + 1);
            } finally {
                lock.unlock();
            }
        }

        private void startThread() {
            Thread thread = factory.newThread(this::workUntilEnd);
            if (thread == null) {
                throw new IllegalStateException("the thread factory made no thread");
            }
            thread.start();
        }

        /** Forgets a thread that could not be made; returns whether there are others. */
        private boolean giveUpThread() {
            lock.lock();
            try {
                setSize(size - 1);
                allGone.signalAll();
                return size > 0;
            } finally {
                lock.unlock();
            }
        }

        private void workUntilEnd() {
            enter();
            boolean over = false;
            try {
                for (WorkItem item = take(); item != null; item = take()) {
                    item.leaveQueueOf(this);
                    item.perform();
                }
                over = true;
            } finally {
                if (!over) {
                    breakOff();
                }
            }
        }

        private void enter() {
            lock.lock();
            try {
                workers.add(Thread.currentThread());
            } finally {
                lock.unlock();
            }
        }

        /** The error handler has thrown an Error at this worker: the pool goes on without it. */
        private void breakOff() {
            lock.lock();
            try {
                workers.remove(Thread.currentThread());
                setSize(size - 1);
                allGone.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** The oldest item, or null if this worker has to end. */
        private @Nullable WorkItem take() {
            // An interrupt means nothing to a worker; work must not find one that it did not cause.
            boolean unused = Thread.interrupted();
            lock.lock();
            try {
                boolean tired = false;
                while (true) {
                    boolean ending = closing || (tired && size > min);
                    WorkItem item = ending ? lastLook() : queue.poll();
                    if (item != null || ending) {
                        return item;
                    }
                    tired = !sleepUntilWoken();
                }
            } finally {
                lock.unlock();
            }
        }

        private @Nullable WorkItem lastLook() {
            setSize(size - 1);
            // StoreLoad: `size` before the look, see the note above.
            VarHandle.fullFence();
            WorkItem item = queue.poll();
            if (item != null) {
                setSize(size + 1);
                return item;
            }
            workers.remove(Thread.currentThread());
            allGone.signalAll();
            return null;
        }

        /** Returns false if nobody had work for so long that this worker may end. */
        private boolean sleepUntilWoken() {
            setIdle(idle + 1);
            // StoreLoad: `idle` before the look, see the note above.
            VarHandle.fullFence();
            boolean mayTire = queue.isEmpty();
            if (mayTire) {
                awaitWakeUp();
            }
            if (wakeUps > 0) {
                wakeUps--;
                return true;
            }
            setIdle(idle - 1);
            return !mayTire;
        }

        /** Sleeps until a wake-up was granted, the pool closes, or the idle time is over. */
        private void awaitWakeUp() {
            long leftNanos = idleNanos;
            while (wakeUps == 0 && leftNanos > 0 && !closing) {
                try {
                    leftNanos = wake.awaitNanos(leftNanos);
                } catch (InterruptedException e) {
                    // Means nothing to a worker: it starts to wait anew.
                    leftNanos = idleNanos;
                }
            }
        }

        private void setIdle(int count) {
            IDLE.setVolatile(this, count);
        }

        private int idleVolatile() {
            return (int) IDLE.getVolatile(this);
        }

        private void setSize(int count) {
            SIZE.setVolatile(this, count);
        }

        private int sizeVolatile() {
            return (int) SIZE.getVolatile(this);
        }

        private static IllegalStateException closed() {
            return new IllegalStateException("the worker pool is closed");
        }
    }
}
