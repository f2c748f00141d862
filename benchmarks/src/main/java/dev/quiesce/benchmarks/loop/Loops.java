package dev.quiesce.benchmarks.loop;

import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.YieldingWaitStrategy;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.BottomHalf;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.OtherInboxes;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.source.PollParameters;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.util.Arrays;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The loops of the contenders. */
final class Loops {
    private Loops() {
    }

    /** Waits for a thread to end. */
    static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while waiting for " + thread, e);
        }
    }

    /** Ours; the sub-classes differ in how they ask. */
    abstract static class Quiesce implements Loop {
        /** Shared, so that two loops on two cores do not poll unless they are told to. */
        private static final LoopSeams SEAMS = LoopSeams.system();

        private final IoThread thread;

        Quiesce(String name) {
            this(name, IoThread.Properties.defaults());
        }

        Quiesce(String name, IoThread.Properties properties) {
            this(name, properties, IoThread::start);
        }

        Quiesce(String name, IoThread.Properties properties,
                Function<IoThreadConfig, IoThread> starter) {
            thread = starter.apply(new IoThreadConfig(name, Thread::new, SEAMS, true)
                    .withProperties(properties));
        }

        AioContext context() {
            return thread.context();
        }

        @Override
        public void close() {
            thread.close();
        }
    }

    /** One bottom half, scheduled again and again. */
    static final class QuiesceBottomHalf extends Quiesce {
        private BottomHalf half;

        QuiesceBottomHalf(String name) {
            super(name);
        }

        @Override
        public Runnable way(Runnable body) {
            half = new BottomHalf(context(), "benchmark", body);
            return half::schedule;
        }

        @Override
        public void close() {
            half.deleteAndAwait().toCompletableFuture().join();
            super.close();
        }
    }

    /** One task, posted again when it has run. */
    static class QuiesceTask extends Quiesce {
        QuiesceTask(String name) {
            super(name);
        }

        QuiesceTask(String name, IoThread.Properties properties) {
            super(name, properties);
        }

        @Override
        public Runnable way(Runnable body) {
            AioContext context = context();
            Task task = new Body(body);
            return () -> context.post(task);
        }
    }

    /** The same, on a loop that polls before it sleeps, whatever the number of cores. */
    static final class QuiescePolling extends QuiesceTask {
        QuiescePolling(String name) {
            super(name, IoThread.Properties.defaults().withPolling(PollParameters.DEFAULT));
        }
    }

    /** As many tasks as may be waiting, posted in turn. */
    static final class QuiesceTasks extends Quiesce {
        QuiesceTasks(String name) {
            this(name, IoThread::start);
        }

        /** The same, on a loop that may have another inbox. */
        QuiesceTasks(String name, Function<IoThreadConfig, IoThread> starter) {
            super(name, IoThread.Properties.defaults(), starter);
        }

        @Override
        public Runnable way(Runnable body) {
            return new Runnable() {
                private final AioContext context = context();
                private final Task[] tasks = Body.window(body);
                private final Cursor posted = new Cursor();

                @Override
                public void run() {
                    context.post(tasks[posted.next() & WINDOW - 1]);
                }
            };
        }
    }

    /** As many tasks as may be waiting, in arrays of 32 that are posted in turn. */
    static final class QuiesceBurst extends Quiesce {
        private static final int BURST = 32;

        QuiesceBurst(String name) {
            super(name);
        }

        @Override
        public Runnable way(Runnable body) {
            return new Runnable() {
                private final AioContext context = context();
                private final Task[][] bursts = bursts(body);
                private final Cursor cursor = new Cursor();

                @Override
                public void run() {
                    int asked = cursor.next();
                    if (asked % BURST == 0) {
                        context.postAll(bursts[asked / BURST & bursts.length - 1], BURST);
                    }
                }
            };
        }

        private static Task[][] bursts(Runnable body) {
            Task[][] bursts = new Task[WINDOW / BURST][BURST];
            for (Task[] burst : bursts) {
                Arrays.setAll(burst, i -> new Body(body));
            }
            return bursts;
        }
    }

    /** The executor's method. */
    static final class QuiesceExecute extends Quiesce {
        QuiesceExecute(String name) {
            super(name);
        }

        @Override
        public Runnable way(Runnable body) {
            AioContext context = context();
            return () -> context.execute(body);
        }
    }

    /** A loop of Netty. */
    static final class Netty implements Loop {
        private final MultiThreadIoEventLoopGroup group;

        Netty(IoHandlerFactory factory) {
            group = new MultiThreadIoEventLoopGroup(1, factory);
        }

        @Override
        public Runnable way(Runnable body) {
            EventLoop loop = group.next();
            return () -> loop.execute(body);
        }

        @Override
        public void close() {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    /** The executor of the JDK. */
    static final class Pool implements Loop {
        private final ThreadPoolExecutor pool = new ThreadPoolExecutor(
                1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());

        @Override
        public Runnable way(Runnable body) {
            return () -> pool.execute(body);
        }

        @Override
        public void close() {
            pool.shutdown();
        }
    }

    /** The Disruptor, its consumer yielding and never asleep. */
    static final class Yielding implements Loop {
        private final Disruptor<Slot> disruptor = new Disruptor<>(
                Slot::new, WINDOW, Thread::new, ProducerType.MULTI, new YieldingWaitStrategy());
        private final RingBuffer<Slot> ring = disruptor.getRingBuffer();

        Yielding() {
            disruptor.handleEventsWith((slot, sequence, endOfBatch) -> slot.task.run());
            disruptor.start();
        }

        @Override
        public Runnable way(Runnable body) {
            return () -> {
                long sequence = ring.next();
                ring.get(sequence).task = body;
                ring.publish(sequence);
            };
        }

        @Override
        public void close() {
            disruptor.shutdown();
        }

        private static final class Slot {
            private Runnable task;
        }
    }

    /**
     * What a poster counts, with two cache lines before it and two behind: the body that the loop
     * runs is made just before the way to it, and would lose its line with each post.
     */
    private static final class Cursor {
        private static final int CELL = 32;

        private final int[] cells = new int[2 * CELL + 1];

        int next() {
            return ++cells[CELL];
        }
    }

    /** A task that runs a body; it has a link for the inbox that needs one. */
    static final class Body extends OtherInboxes.Linked {
        private final Runnable body;

        Body(Runnable body) {
            this.body = body;
        }

        static Task[] window(Runnable body) {
            Task[] tasks = new Task[Loop.WINDOW];
            Arrays.setAll(tasks, i -> new Body(body));
            return tasks;
        }

        @Override
        protected void run() {
            body.run();
        }
    }
}
