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
 * Threads that do the blocking work of any number of contexts, first in, first out.
 */
final class WorkerPool implements Workers {
    /*
     * Submitters offer to the queue without a lock; workers take from it under the lock, which
     * makes them one consumer. A busy pool of full size costs a submitter one offer and a look at
     * three fields. That look and a worker's last look at the queue are Dekker pairs:
     *
     *   submitter:      offer; full fence; read idle, size, closing
     *   worker, tired:  idle++; full fence; look at the queue, sleep only if it is empty
     *   worker, ending: size--; full fence; look at the queue, end only if it is empty
     *   closer:         closing = true; every worker looks at the queue once more before it ends
     *
     * so an item is never left behind while everybody sleeps or has gone. Whoever wakes a sleeper
     * lowers `idle` on its behalf and grants a wake-up, both under the lock: two submissions never
     * count on the same sleeper.
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
            IDLE = lookup.findVarHandle(WorkerPool.class, "idle", int.class);
            SIZE = lookup.findVarHandle(WorkerPool.class, "size", int.class);
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

    /** How many threads there are, those being made included. Written under lock, read by any. */
    private int size;

    /** Sleepers whom nobody has woken yet. Written under lock, read by any. */
    private int idle;

    /** Wake-ups granted and not yet taken. Guarded by lock. */
    private int wakeUps;

    /** No more items. Written once, under lock; read by any. */
    private volatile boolean closing;

    WorkerPool(ThreadFactory factory, int min, int max) {
        this(factory, min, max, IDLE_NANOS);
    }

    WorkerPool(ThreadFactory factory, int min, int max, long idleNanos) {
        if (min < 0 || max < 1 || min > max) {
            throw new IllegalArgumentException(
                    "a pool of " + min + " to " + max + " threads: need 0 <= min <= max, max >= 1");
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
        for (WorkItem item = take(); item != null; item = take()) {
            item.leaveQueueOf(this);
            item.perform();
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

    /** Sleeps until a wake-up was granted, the pool closes, or the worker has been idle for long. */
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
