package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.source.PollParameters;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that does nothing but poll one context, from {@link #start} to {@link #close}. If a
 * callback throws an {@link Error} the loop ends early, which is reported: from then on everything
 * that is posted to its context throws, and waits name it.
 *
 * <p>What is left when a loop ends, and what becomes of it, is told in docs/threads.md.
 */
public final class IoThread implements AutoCloseable {
    /*
     * Threads that close each other from within callbacks would wait for ever. Who waits for whom
     * is found where the JDK has it: a close parks with the IoThread that it waits for as the
     * blocker, so from the thread that is to end one comes to the one for which that waits, and so
     * on, perhaps to the caller. It looks before it stops anything, and again after each slice of
     * its wait: of those who began at the same time, none may have parked yet at the first look.
     */
    private static final long LIVENESS_CHECK_MILLIS = 100;
    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long WARN_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** How far closes are followed; one that ends in a circle of others comes nowhere. */
    private static final int FOLLOWED_MAX = 64;

    private static final Logger LOG = LoggerFactory.getLogger(IoThread.class);

    /** What an IoThread is doing. */
    public enum State {
        /** It polls its context. */
        RUNNING,
        /** It was told to stop, and will after the turn in which it hears of it. */
        STOPPING,
        /** Nothing runs in its context any more. */
        ENDED
    }

    private final AioContext context;
    private final @Nullable WorkerPool ownPool;
    private final Thread thread;
    private final CountDownLatch ready = new CountDownLatch(1);
    private final Task stop = new Stop();

    /** Cleared by the stop task. The loop's thread only. */
    private boolean running = true;

    /** Whether the stop task was posted. Guarded by this. */
    private boolean stopping;

    /** What may be changed, as it was accepted last. Written under this, read by any. */
    private volatile Properties properties;

    /** The Error that ended the loop. Written once, by the loop; read by any. */
    private volatile @Nullable Throwable failure;

    /** Who waits for the end of the loop. Any thread. */
    private final Set<Thread> closers = ConcurrentHashMap.newKeySet();

    /** Whether the loop has nothing more to do. Written once, by the loop; read by any. */
    private volatile boolean ended;

    private IoThread(IoThreadConfig config, Inbox<Task> inbox) {
        properties = config.properties();
        thread = config.factory().newThread(this::loop);
        if (thread == null) {
            throw new IllegalStateException("the thread factory of IoThread " + config.name()
                    + " made no thread" + forCaller("IOT-3"));
        }
        ownPool = config.work() == IoThreadConfig.Work.OWN_POOL
                ? new WorkerPool(config.factory(), properties.poolMin, properties.poolMax,
                        config.seams().clock()) : null;
        context = makeContext(config, inbox);
        context.setBatchMax(properties.batchMax);
        poll(properties.polling);
    }

    /**
     * Starts a thread and returns when it owns its context (IOT-3). Nothing is left behind if it
     * cannot be started (AIO-76). Thread: any.
     *
     * @param config what to start
     * @return the running thread
     * @throws IllegalStateException if the factory made no thread, or one that ended without
     *     running the loop
     */
    public static IoThread start(IoThreadConfig config) {
        return start(config, Task.Queues.newInbox());
    }

    /** The same, with another way for tasks from elsewhere; benchmarks compare some. */
    static IoThread start(IoThreadConfig config, Inbox<Task> inbox) {
        IoThread ioThread = new IoThread(config, inbox);
        boolean started = false;
        try {
            ioThread.thread.start();
            ioThread.awaitReady();
            started = true;
        } finally {
            if (!started) {
                ioThread.closePool();
            }
        }
        return ioThread;
    }

    /**
     * The context that this thread polls. Thread: any.
     *
     * @return the context
     */
    public AioContext context() {
        return context;
    }

    /** {@return the name given at construction (IOT-8)} Thread: any. */
    public String id() {
        return context.name();
    }

    /**
     * {@return the thread, for its id, its stack and its state (IOT-8)} Interrupting it does
     * nothing. Thread: any.
     */
    public Thread thread() {
        return thread;
    }

    /** {@return what it is doing} Thread: any; a snapshot. */
    public synchronized State state() {
        if (context.isGone()) {
            return State.ENDED;
        }
        return stopping ? State.STOPPING : State.RUNNING;
    }

    /**
     * {@return the Error with which a callback ended the loop, or null} Thread: any; a snapshot.
     */
    public @Nullable Throwable failure() {
        return failure;
    }

    /** {@return what may be changed, as it was accepted last (IOT-2, IOT-8)} Thread: any. */
    public Properties properties() {
        return properties;
    }

    /**
     * Changes what may be changed while the loop runs (IOT-2): all of it, or nothing. It holds from
     * the next slice on. Thread: any.
     *
     * @param wanted the properties to have from now on
     * @throws IllegalArgumentException if they have bounds of a pool that differ, and this thread
     *     has no pool of its own
     * @throws IllegalStateException if the loop has been stopped or has ended, or the factory has
     *     not made a thread that its pool wants now
     */
    public synchronized void change(Properties wanted) {
        if (stopping) {
            throw new IllegalStateException("IoThread " + id()
                    + " has been stopped, and cannot be changed" + forCaller("IOT-7"));
        }
        context.checkOpen();
        if (!wanted.hasPoolOf(properties)) {
            if (ownPool == null) {
                throw new IllegalArgumentException("IoThread " + id() + " has no pool of its own"
                        + " that could have " + wanted.poolMin + " to " + wanted.poolMax
                        + " threads" + forCaller("IOT-2"));
            }
            resize(ownPool, wanted);
        }
        context.setBatchMax(wanted.batchMax);
        if (!Objects.equals(wanted.polling, properties.polling)) {
            poll(wanted.polling);
        }
        properties = wanted;
    }

    /**
     * Ends the loop after the turn in which it hears of it, and returns when the thread has ended,
     * and those of its own pool (IOT-5). Nothing is drained (IOT-6): empty the context before.
     * Tasks that are left never run; they are reported. A close that takes longer than five seconds
     * is logged, once, with what the loop is doing. Idempotent. Thread: any but its own, and those
     * of its own pool.
     *
     * <p>Without memory to tell the loop, or to wake it, it throws; close it again then.
     *
     * @throws IllegalStateException if called by this thread itself, by a worker of its own pool,
     *     or in a callback of an IoThread that this one is closing meanwhile, itself or by way of
     *     others, so that each would wait for the other. If both begin at the same time this one
     *     may have been told to stop already: close it again from elsewhere, for its own pool
     */
    @Override
    public void close() {
        close((text, stack) -> LOG.warn(text, stack));
    }

    /** The same with another log; tests have one. */
    void close(BiConsumer<String, Throwable> log) {
        checkMayWait();
        synchronized (this) {
            tellToStop();
        }
        awaitEnd(log);
        WorkerPool.join(thread);
        closePool();
    }

    /** May be repeated: the close that posted the task may have failed to wake the loop. */
    private void tellToStop() {
        if (stopping) {
            context.wake();
            return;
        }
        // In two steps: without memory for it the loop goes on, and can be told once more.
        boolean pushed = Task.push(context.inbox, stop);
        stopping = true;
        // False: the loop has ended by itself, and there is nothing to stop.
        boolean unused = context.notify.wakes(context, pushed);
    }

    private void checkMayWait() {
        String me = Thread.currentThread().getName();
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("IoThread " + id() + " would wait for itself if its"
                    + " thread " + me + " closed it (IOT-5)");
        }
        if (ownPool != null && ownPool.isWorker()) {
            throw new IllegalStateException("IoThread " + id() + " would wait for its own worker "
                    + me + ", and lose its result, if that closed it (IOT-5)");
        }
        checkNoCircle();
    }

    /** Throws if the loop waits for the end of the caller, itself or by way of others. */
    private void checkNoCircle() {
        IoThread at = this;
        for (int i = 0; i < FOLLOWED_MAX; i++) {
            if (!(LockSupport.getBlocker(at.thread) instanceof IoThread closing)) {
                return;
            }
            if (closing.thread == Thread.currentThread()) {
                throw new IllegalStateException("IoThread " + id() + " cannot be closed by thread "
                        + closing.thread.getName() + ", that of IoThread " + closing.id()
                        + ", which thread " + at.thread.getName() + " of IoThread " + at.id()
                        + " is closing: they would wait for each other (IOT-5)");
            }
            at = closing;
        }
    }

    private void awaitEnd(BiConsumer<String, Throwable> log) {
        boolean interrupted = false;
        boolean told = false;
        long sinceNanos = context.clock().nanoTime();
        // Before the look at `ended`, which the loop sets before it looks who waits.
        closers.add(Thread.currentThread());
        try {
            while (!ended && thread.isAlive()) {
                LockSupport.parkNanos(this, SLICE_NANOS);
                interrupted |= Thread.interrupted();
                checkNoCircle();
                if (!told && context.clock().nanoTime() - sinceNanos >= WARN_NANOS) {
                    told = true;
                    tellWhatItDoes(log);
                }
            }
        } finally {
            closers.remove(Thread.currentThread());
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void tellWhatItDoes(BiConsumer<String, Throwable> log) {
        String callback = context.watched().running();
        Throwable stack = new Throwable("what thread " + thread.getName() + " does");
        stack.setStackTrace(thread.getStackTrace());
        log.accept("thread " + Thread.currentThread().getName() + " has been waiting for "
                + TimeUnit.NANOSECONDS.toSeconds(WARN_NANOS) + " s for IoThread " + id()
                + " to end (IOT-5); its thread " + thread.getName() + " is in "
                + (callback == null ? "what its stack says" : "callback " + callback), stack);
    }

    private void beEnded() {
        ended = true;
        closers.forEach(LockSupport::unpark);
    }

    @Override
    public String toString() {
        return "IoThread[" + id() + ", " + state() + "]";
    }

    private void resize(WorkerPool pool, Properties wanted) {
        try {
            pool.resize(wanted.poolMin, wanted.poolMax);
        } catch (RuntimeException | Error e) {
            pool.keepTo(properties.poolMin, properties.poolMax);
            throw e;
        }
    }

    private void poll(@Nullable PollParameters polling) {
        if (polling == null) {
            context.sleep().poll(PollParameters.DEFAULT, true);
        } else {
            context.setPolling(polling);
        }
    }

    private void loop() {
        Lease lease = context.acquire();
        Parker parker = context.seams().parker();
        parker.threadServes(context, true);
        String because = "the loop of context " + context.name() + " has ended (IOT-7)";
        try {
            ready.countDown();
            while (running) {
                context.turn().takeSome();
            }
        } catch (Throwable e) {
            because = because + ": " + e;
            failure = e;
            context.report("IoThread " + context.name(), e);
            throw e;
        } finally {
            parker.threadServes(context, false);
            try {
                context.end(because);
            } finally {
                lease.closeWithNested();
                beEnded();
            }
        }
    }

    private static String forCaller(String rule) {
        return ", as thread " + Lease.Ownership.caller() + " wants (" + rule + ")";
    }

    private void awaitReady() {
        boolean interrupted = false;
        while (ready.getCount() > 0) {
            try {
                boolean isReady = ready.await(LIVENESS_CHECK_MILLIS, TimeUnit.MILLISECONDS);
                if (!isReady && !thread.isAlive() && ready.getCount() > 0) {
                    throw new IllegalStateException("the thread " + thread.getName()
                            + " ended and did not run the loop of IoThread " + id()
                            + forCaller("IOT-3"));
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** If it cannot be made, the threads of the pool end (AIO-76). */
    private AioContext makeContext(IoThreadConfig config, Inbox<Task> inbox) {
        boolean made = false;
        try {
            AioContext loop = new AioContext(config.name(), ownPool == null
                    ? config.seams() : config.seams().withWorkers(ownPool), inbox);
            made = true;
            return loop;
        } finally {
            if (!made) {
                closePool();
            }
        }
    }

    private void closePool() {
        if (ownPool != null) {
            ownPool.close();
        }
    }

    private final class Stop extends Task {
        @Override
        protected void run() {
            running = false;
            context.turn().disturb();
        }

        @Override
        public String describe() {
            return "stop";
        }
    }

    /**
     * What may be changed while an IoThread runs (IOT-1). Checked when made, so that whoever has
     * one has sound values (IOT-2).
     *
     * @param batchMax how many tasks run before what they have deferred is done, such as publishing
     *     a ring; 0 leaves it to the loop
     * @param poolMin how many threads of its own pool stay though they are idle
     * @param poolMax how many threads its own pool may have
     * @param polling how the loop polls before it sleeps, whatever the number of cores; null for
     *     {@link PollParameters#DEFAULT} as long as there are at least as many cores as loops, that
     *     is the IoThreads that share the parker of their seams, and one for the machine; and for
     *     {@linkplain Parker#offerCore offering the core} where there is one only
     */
    public record Properties(
            int batchMax, int poolMin, int poolMax, @Nullable PollParameters polling) {
        private static final int POOL_MAX = 64;

        /**
         * Checks the values.
         *
         * @param batchMax how many tasks run before what they have deferred is done
         * @param poolMin how many threads of its own pool stay though they are idle
         * @param poolMax how many threads its own pool may have
         * @param polling how the loop polls before it sleeps, or null for the default
         * @throws IllegalArgumentException if a value is out of range, naming it
         */
        public Properties {
            if (batchMax < 0) {
                throw new IllegalArgumentException(
                        "a batch of at most " + batchMax + " tasks: need 0 or more"
                                + forCaller("IOT-1"));
            }
            WorkerPool.checkBounds(poolMin, poolMax);
        }

        /** {@return the defaults of IOT-1} Thread: any. */
        public static Properties defaults() {
            return new Properties(0, 0, POOL_MAX, null);
        }

        /**
         * These properties with another bound of a batch. Thread: any.
         *
         * @param tasks how many tasks run before what they have deferred is done, or 0
         * @return a copy
         * @throws IllegalArgumentException if it is negative
         */
        public Properties withBatchMax(int tasks) {
            return new Properties(tasks, poolMin, poolMax, polling);
        }

        /**
         * These properties with other bounds of the own pool. Thread: any.
         *
         * @param min how many threads stay though they are idle
         * @param max how many threads there may be
         * @return a copy
         * @throws IllegalArgumentException if they make no sense, naming both
         */
        public Properties withPool(int min, int max) {
            return new Properties(batchMax, min, max, polling);
        }

        /**
         * These properties with other parameters of polling. Thread: any.
         *
         * @param parameters how the loop polls before it sleeps, whatever the number of cores; or
         *     null for the default
         * @return a copy
         */
        public Properties withPolling(@Nullable PollParameters parameters) {
            return new Properties(batchMax, poolMin, poolMax, parameters);
        }

        private boolean hasPoolOf(Properties other) {
            return poolMin == other.poolMin && poolMax == other.poolMax;
        }
    }

    /**
     * The IoThreads of one machine: their ids are unique (IOT-8), and they are closed together.
     * Thread: any.
     */
    public static final class Group implements AutoCloseable {
        /** By id, in the order of their start; null while one is starting. Guarded by itself. */
        private final Map<String, @Nullable IoThread> threads = new LinkedHashMap<>();

        /** A group without members. */
        public Group() {
        }

        /**
         * Starts a thread as a member, see {@link IoThread#start}. It replaces a member of that id
         * that has ended, and closes it before: its own pool may still have threads.
         *
         * @param config what to start
         * @return the running thread
         * @throws IllegalArgumentException if another member that has not ended has that id
         * @throws IllegalStateException as for {@link IoThread#start}, or if this is called by the
         *     member that has ended
         */
        public IoThread start(IoThreadConfig config) {
            IoThread replaced = reserve(config.name());
            IoThread member = replaced;
            try {
                if (replaced != null) {
                    replaced.close();
                }
                member = IoThread.start(config);
                return member;
            } finally {
                admit(config.name(), member);
            }
        }

        private @Nullable IoThread reserve(String id) {
            synchronized (threads) {
                IoThread same = threads.get(id);
                if (same == null ? threads.containsKey(id) : same.state() != State.ENDED) {
                    throw new IllegalArgumentException(
                            "there is an IoThread '" + id + "' already" + forCaller("IOT-8"));
                }
                threads.remove(id);
                threads.put(id, null);
                return same;
            }
        }

        private void admit(String id, @Nullable IoThread member) {
            synchronized (threads) {
                threads.remove(id);
                if (member != null) {
                    threads.put(id, member);
                }
            }
        }

        /**
         * {@return the member with that id, or null} It may have ended.
         *
         * @param id the id asked for
         */
        public @Nullable IoThread find(String id) {
            synchronized (threads) {
                return threads.get(id);
            }
        }

        /** {@return the members, in the order of their start, ended ones too} A snapshot. */
        public List<IoThread> members() {
            synchronized (threads) {
                List<IoThread> members = new ArrayList<>();
                for (IoThread member : threads.values()) {
                    if (member != null) {
                        members.add(member);
                    }
                }
                return members;
            }
        }

        /**
         * Closes all members, the youngest first, see {@link IoThread#close}.
         *
         * @throws IllegalStateException if called by a member, or a worker of one; the others are
         *     closed all the same
         */
        @Override
        public void close() {
            List<IoThread> members = members();
            RuntimeException failure = null;
            for (int i = members.size() - 1; i >= 0; i--) {
                try {
                    members.get(i).close();
                } catch (RuntimeException e) {
                    if (failure == null) {
                        failure = e;
                    } else {
                        failure.addSuppressed(e);
                    }
                }
            }
            if (failure != null) {
                throw failure;
            }
        }
    }
}
