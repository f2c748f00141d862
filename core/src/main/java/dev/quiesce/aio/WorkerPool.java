package dev.quiesce.aio;

import dev.quiesce.aio.queue.Line;
import dev.quiesce.aio.queue.Linked;
import dev.quiesce.aio.time.Clock;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * Threads that do the blocking work of any number of contexts, first in, first out (AIO-69 to
 * AIO-74). {@code min} of them from the start, more while all are busy, up to {@code max}; one
 * beyond {@code min} that was idle for ten seconds ends, and so does one beyond {@code max} when it
 * next looks for work. Both bounds may be changed at any time. In steady state submitting allocates
 * nothing. Made by {@link Workers#pool}.
 */
public final class WorkerPool implements Workers {
    /*
     * Submitters offer to the queue without a lock; workers take from it under the lock, which
     * makes them one consumer. A busy pool of full size costs a submitter one offer and a look at
     * four fields. That look and a worker's last look at the queue are Dekker pairs:
     *
     *   submitter:         offer; full fence; read idle, size, max, closing
     *   worker, tired:     idle++; full fence; look at the queue, sleep only if it is empty
     *   worker, ending:    size--; full fence; look at the queue, end only if it is empty
     *   worker, too many:  size--; full fence; look at the queue, wake a sleeper for it
     *   resize:            max = more; full fence; look at the queue, make threads for it
     *   closer:            closing = true; every worker looks once more before it ends
     *
     * so an item is never left behind while everybody sleeps or has gone. A submitter that finds
     * the pool closed and empty takes its item back and refuses it only if it still has it: the
     * last worker may have come across it (SubmitVersusClose). Whoever wakes a sleeper
     * lowers `idle` on its behalf and grants a wake-up, both under the lock: two submissions never
     * count on the same sleeper. A worker that is too many leaves without work, so it hands the
     * wake-up that it may have used to the next one; there is one, since max is 1 at least.
     *
     * A thread that cannot be made after all may be the one that others counted on. If it was the
     * only one, what they have queued goes home with the failure.
     *
     * The bound of the queue is the number of items that exist: an item has one entry at most,
     * unless it is withdrawn and goes to another pool and back.
     */
    private static final int QUEUE_CHUNK = 1024;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final VarHandle IDLE = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "idle", VarHandle.class, WorkerPool.class, int.class);
    private static final VarHandle SIZE = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "size", VarHandle.class, WorkerPool.class, int.class);

    private final ThreadFactory factory;
    private final Clock clock;
    private final MpscUnboundedVarHandleArrayQueue<WorkItem> queue;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition allGone = lock.newCondition();

    /** The threads that are working or asleep. Guarded by lock. */
    private final Set<Thread> workers = new HashSet<>();

    /** Those that have left and may still be alive. Guarded by lock. */
    private final List<Thread> leaving = new ArrayList<>();

    /** How many threads there are or are being made. Written under lock, read by any. */
    private int size;

    /**
     * Those who are to be unparked, the one that has slept longest first. Not a condition of the
     * JDK, which makes a node for each wait: going to sleep takes no memory. Guarded by lock.
     */
    private final Line<Worker> sleepers = new Line<>();

    /** Sleepers whom nobody has woken yet. Written under lock, read by any. */
    private int idle;

    /** Wake-ups granted and not yet taken. Guarded by lock. */
    private int wakeUps;

    /** How many threads stay though idle, and may be. Written under lock, read by any. */
    private volatile int min;
    private volatile int max;

    /** No more items. Written once, under lock; read by any. */
    private volatile boolean closing;

    WorkerPool(ThreadFactory factory, int min, int max, Clock clock) {
        this(factory, min, max, clock, new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK));
    }

    /** With another queue; tests have one that finds no memory. */
    WorkerPool(ThreadFactory factory, int min, int max, Clock clock,
            MpscUnboundedVarHandleArrayQueue<WorkItem> queue) {
        checkBounds(min, max);
        this.queue = queue;
        this.factory = Objects.requireNonNull(factory, "factory");
        this.clock = Objects.requireNonNull(clock, "clock");
        this.min = min;
        this.max = max;
        startFirst();
    }

    @Override
    public void submit(AioContext home, WorkItem item) {
        if (closing) {
            throw closed(home);
        }
        if (enqueue(home, item) && (idleVolatile() > 0 || sizeVolatile() < max || closing)) {
            findWorkerFor(home, item);
        }
    }

    /**
     * First step of {@link #submit}; the second is {@link #findWorkerFor}.
     *
     * @return false if an entry of the item is queued already, and somebody looks at that
     */
    boolean enqueue(AioContext home, WorkItem item) {
        item.submitted(home);
        if (!item.enterQueueOf(this)) {
            return false;
        }
        try {
            queue.offer(item);
        } catch (OutOfMemoryError e) {
            item.leaveQueueOf(this);
            if (item.retract()) {
                throw e;
            }
            // Another pool has come across an old entry of it, and does it.
            return false;
        }
        // StoreLoad: the offer before the look, see the note above.
        VarHandle.fullFence();
        return true;
    }

    @Override
    public boolean cancel(WorkItem item) {
        return item.withdraw();
    }

    /**
     * Changes the bounds. Threads that are missing to {@code min}, or to do what is queued, are
     * made at once; a thread beyond {@code max} ends when it next looks for work, one that has been
     * idle for ten seconds and is now beyond {@code min} at once. Thread: any.
     *
     * @param min how many threads stay when idle, 0 or more
     * @param max how many threads there may be, at least {@code min} and at least 1
     * @throws IllegalArgumentException if the numbers are out of range; nothing has changed
     * @throws IllegalStateException if the pool is closed, or the factory made no thread; the new
     *     bounds then hold all the same
     */
    public void resize(int min, int max) {
        checkBounds(min, max);
        int missing;
        lock.lock();
        try {
            if (closing) {
                throw closed(null);
            }
            this.min = min;
            this.max = max;
            wakeAll();
            // StoreLoad: `max` before the look, see the note above.
            VarHandle.fullFence();
            int useful = size + Math.max(0, queue.size() - idle);
            missing = Math.max(0, Math.max(min, Math.min(max, useful)) - size);
            setSize(size + missing);
        } finally {
            lock.unlock();
        }
        startExpected(missing);
    }

    /** Goes back to the bounds of before, without making threads. */
    void keepTo(int minBefore, int maxBefore) {
        lock.lock();
        try {
            min = minBefore;
            max = maxBefore;
            wakeAll();
        } finally {
            lock.unlock();
        }
    }

    /** {@return how many threads stay though they are idle} Thread: any; a snapshot. */
    public int min() {
        return min;
    }

    /** {@return how many threads there may be} Thread: any; a snapshot. */
    public int max() {
        return max;
    }

    /** {@return how many threads there are or are being made} Thread: any; a snapshot. */
    public int threads() {
        return sizeVolatile();
    }

    /** {@return how many of the threads wait for work} Thread: any; a snapshot. */
    public int idleThreads() {
        return idleVolatile();
    }

    @Override
    public void close() {
        if (isWorker()) {
            throw new IllegalStateException("the worker " + Thread.currentThread().getName()
                    + " would wait for itself if it closed its pool (AIO-74)");
        }
        List<Thread> gone;
        lock.lock();
        try {
            stopTaking();
            while (size > 0) {
                allGone.awaitUninterruptibly();
            }
            gone = List.copyOf(leaving);
        } finally {
            lock.unlock();
        }
        gone.forEach(WorkerPool::join);
    }

    /** Whether the caller is one of the threads. Thread: any. */
    boolean isWorker() {
        lock.lock();
        try {
            return workers.contains(Thread.currentThread());
        } finally {
            lock.unlock();
        }
    }

    /** First step of {@link #close}: what is queued is done, nothing else. */
    void stopTaking() {
        lock.lock();
        try {
            closing = true;
            wakeAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a thread's end, through interrupts, of which the caller is left one. */
    static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Wakes a sleeper, or makes a thread if all are busy and there may be one more. */
    void findWorkerFor(AioContext home, WorkItem item) {
        Thread sleeper = null;
        boolean isMade = false;
        lock.lock();
        try {
            if (idle > 0) {
                sleeper = grantWakeUp();
            } else if (closing && size == 0) {
                // Unless the last worker has taken the item before it ended: then it is done.
                if (item.retract()) {
                    throw closed(home);
                }
            } else if (!closing && size < max) {
                setSize(size + 1);
                isMade = true;
            }
        } finally {
            lock.unlock();
        }
        // Not under the lock: it is the first thing that the sleeper wants.
        LockSupport.unpark(sleeper);
        if (isMade) {
            addWorker(home);
        }
    }

    private void addWorker(AioContext home) {
        try {
            startExpected(1);
        } catch (RuntimeException | OutOfMemoryError e) {
            // The host has no thread for us; the item waits for another worker, or goes home.
            home.report("a new worker thread", e);
        }
    }

    private void startFirst() {
        setSize(min);
        boolean started = false;
        try {
            startExpected(min);
            started = true;
        } finally {
            if (!started) {
                close();
            }
        }
    }

    /** Makes threads that are counted already; forgets those that it cannot make. */
    private void startExpected(int count) {
        int missing = count;
        try {
            for (; missing > 0; missing--) {
                startThread();
            }
        } catch (RuntimeException | Error e) {
            forgetThreads(missing, e);
            throw e;
        }
    }

    private void startThread() {
        Thread thread = factory.newThread(new Worker());
        if (thread == null) {
            throw new IllegalStateException("the thread factory of a worker pool made no thread,"
                    + " as thread " + Lease.Ownership.caller() + " wants (AIO-69)");
        }
        thread.start();
    }

    /** Forgets threads that could not be made, and sends everything home if there is no other. */
    private void forgetThreads(int count, Throwable cause) {
        lock.lock();
        try {
            setSize(size - count);
            allGone.signalAll();
            // StoreLoad: `size` before the look, see the note above.
            VarHandle.fullFence();
        } finally {
            lock.unlock();
        }
        for (WorkItem orphan = orphan(); orphan != null; orphan = orphan()) {
            orphan.leaveQueueOf(this);
            orphan.refuse(cause);
        }
    }

    /** An item that nobody is going to do, or null. One by one: a list would take memory. */
    private @Nullable WorkItem orphan() {
        lock.lock();
        try {
            return size == 0 ? queue.poll() : null;
        } finally {
            lock.unlock();
        }
    }

    private void workUntilEnd(Worker me) {
        boolean over = false;
        try {
            enter();
            for (WorkItem item = take(me); item != null; item = take(me)) {
                item.leaveQueueOf(this);
                // Work must not find an interrupt that it did not cause.
                boolean unused = Thread.interrupted();
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
        boolean replaced;
        lock.lock();
        try {
            leave();
            replaced = queue.isEmpty()
                    ? !closing && size < min : !wakeSleeper() && size < max;
            setSize(replaced ? size + 1 : size);
        } finally {
            lock.unlock();
        }
        if (replaced) {
            startExpected(1);
        }
    }

    /** The oldest item, or null if this worker has to end. */
    private @Nullable WorkItem take(Worker me) {
        lock.lock();
        try {
            // A clock may be asked under the lock: it reads the time and calls nobody.
            long restingSinceNanos = clock.nanoTime();
            while (true) {
                if (size > max) {
                    leave();
                    handOn();
                    return null;
                }
                WorkItem item = queue.poll();
                if (item != null) {
                    return item;
                }
                long leftNanos = idleNanosLeft(restingSinceNanos);
                if (closing || leftNanos <= 0) {
                    return lastLook();
                }
                sleep(me, leftNanos);
            }
        } finally {
            lock.unlock();
        }
    }

    /** How long a worker may sleep, {@link Long#MAX_VALUE} for one of those that stay. */
    private long idleNanosLeft(long restingSinceNanos) {
        return size > min
                ? IDLE_NANOS - (clock.nanoTime() - restingSinceNanos) : Long.MAX_VALUE;
    }

    /** Takes this worker off the list; what comes after is a last look at the queue. */
    private void leave() {
        countOut();
        depart();
    }

    private void countOut() {
        setSize(size - 1);
        allGone.signalAll();
        // StoreLoad: `size` before the look, see the note above.
        VarHandle.fullFence();
    }

    private void depart() {
        workers.remove(Thread.currentThread());
        try {
            leaving.removeIf(thread -> !thread.isAlive());
            leaving.add(Thread.currentThread());
        } catch (OutOfMemoryError e) {
            // A close does not join this thread then; it has nothing left to do but to end.
            assert !workers.contains(Thread.currentThread());
        }
    }

    /** Ends this worker, or finds it an item that came at the last moment. */
    private @Nullable WorkItem lastLook() {
        countOut();
        WorkItem item = queue.poll();
        if (item == null) {
            depart();
        } else {
            setSize(size + 1);
        }
        return item;
    }

    /** A worker leaves that was too many: a sleeper looks after what it may have been woken for. */
    private void handOn() {
        if (!queue.isEmpty()) {
            boolean unused = wakeSleeper();
        }
    }

    private boolean wakeSleeper() {
        if (idle == 0) {
            return false;
        }
        LockSupport.unpark(grantWakeUp());
        return true;
    }

    /**
     * Lowers `idle` on behalf of a sleeper; there is one.
     *
     * @return whom to unpark; null if it is awake already, since a sleeper whose time was over has
     *     taken the wake-up that was meant for it, and it will find this one
     */
    private @Nullable Thread grantWakeUp() {
        setIdle(idle - 1);
        wakeUps++;
        Worker sleeper = sleepers.poll();
        return sleeper == null ? null : sleeper.thread;
    }

    private void wakeAll() {
        sleepers.forEach(worker -> LockSupport.unpark(worker.thread));
    }

    private void sleep(Worker me, long maxNanos) {
        setIdle(idle + 1);
        // StoreLoad: `idle` before the look, see the note above.
        VarHandle.fullFence();
        try {
            if (queue.isEmpty()) {
                awaitWakeUp(me, maxNanos);
            }
        } finally {
            if (wakeUps > 0) {
                wakeUps--;
            } else {
                setIdle(idle - 1);
            }
        }
    }

    /**
     * Sleeps until a wake-up was granted, the bounds change, the pool closes, time is over, or for
     * no reason: who wakes looks at everything. Under the lock, which is given back meanwhile;
     * an unpark that comes before the park leaves a permit.
     */
    private void awaitWakeUp(Worker me, long maxNanos) {
        sleepers.add(me);
        lock.unlock();
        try {
            if (maxNanos == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, maxNanos);
            }
            // Means nothing to a worker, and would end its next sleep at once.
            boolean unused = Thread.interrupted();
        } finally {
            lock.lock();
            sleepers.remove(me);
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

    /** Throws, naming both, if they make no sense as bounds. Thread: any. */
    static void checkBounds(int min, int max) {
        if (min < 0 || max < 1 || min > max) {
            throw new IllegalArgumentException(Lease.Ownership.caller() + " wants a pool of " + min
                    + " to " + max + " threads: need 0 <= min <= max, max >= 1 (AIO-69)");
        }
    }

    private static IllegalStateException closed(@Nullable AioContext home) {
        return new IllegalStateException("the worker pool is closed; thread "
                + Lease.Ownership.caller() + (home == null ? "" : " of context " + home.name())
                + " is refused (AIO-74)");
    }

    /** What a thread of this pool runs, and its place among the sleepers. */
    private final class Worker extends Linked implements Runnable {
        /** Written before it sleeps for the first time. Guarded by lock. */
        private @Nullable Thread thread;

        @Override
        public void run() {
            thread = Thread.currentThread();
            workUntilEnd(this);
        }
    }
}
