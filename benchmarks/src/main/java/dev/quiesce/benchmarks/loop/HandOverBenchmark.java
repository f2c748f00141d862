package dev.quiesce.benchmarks.loop;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Tasks handed to a loop by another thread, as fast as it can; it spins while as many are waiting
 * as may be. The time is that of one task through both threads side by side.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class HandOverBenchmark {
    private static final int TASKS = 64 * Loop.WINDOW;

    /** Looking costs a cache line of the other core, so it is done once for so many. */
    private static final int BETWEEN_LOOKS = 64;

    /** Who finds no room has hundreds of tasks before him, and looks again after a while. */
    private static final int PAUSES_BETWEEN_LOOKS = 10;

    /** After so many looks in vain the core is offered to others: the loop may want it. */
    private static final int LOOKS_BEFORE_YIELD = 100;

    /** Each ask runs the task once. */
    @Benchmark
    @OperationsPerInvocation(TASKS)
    public void handOver(OneForOne state) {
        Runnable way = state.way;
        for (int i = 0; i < TASKS; i += BETWEEN_LOOKS) {
            state.awaitRoom();
            for (int j = 0; j < BETWEEN_LOOKS; j++) {
                way.run();
            }
            state.asked += BETWEEN_LOOKS;
        }
        state.awaitAll();
    }

    /** Asks between two runs are one. */
    @Benchmark
    @OperationsPerInvocation(TASKS)
    public void coalescing(Coalescing state) {
        Runnable way = state.way;
        for (int i = 0; i < TASKS; i++) {
            state.asked++;
            way.run();
        }
        state.awaitLast();
    }

    /** A loop, and how far it has come. */
    @State(Scope.Benchmark)
    public static class OneForOne {
        /** Whose loop. */
        @Param({"QUIESCE_TASKS", "QUIESCE_BURST", "QUIESCE_JCTOOLS", "QUIESCE_LINKED",
            "QUIESCE_EXECUTE", "NETTY_NIO", "NETTY_EPOLL", "JCTOOLS_PARK", "DISRUPTOR_YIELDING",
            "THREAD_POOL"})
        public Contender contender;

        private final Counted counted = new Counted();
        private Loop loop;
        private Runnable way;
        private long asked;

        /** Starts the loop. */
        @Setup
        public void start() {
            loop = contender.start("hand-over");
            way = loop.way(counted::count);
        }

        /** Ends it. */
        @TearDown
        public void stop() {
            loop.close();
        }

        private void awaitRoom() {
            counted.await(asked + BETWEEN_LOOKS - Loop.WINDOW);
        }

        private void awaitAll() {
            counted.await(asked);
        }
    }

    /** A bottom half, and which ask it has seen. */
    @State(Scope.Benchmark)
    public static class Coalescing {
        /** Whose loop. */
        @Param("QUIESCE_BOTTOM_HALF")
        public Contender contender;

        private final Counted counted = new Counted();
        private Loop loop;
        private Runnable way;
        private long asked;

        /** Starts the loop. */
        @Setup
        public void start() {
            loop = contender.start("coalescing");
            way = loop.way(() -> counted.reach(asked));
        }

        /** Ends it. */
        @TearDown
        public void stop() {
            loop.close();
        }

        private void awaitLast() {
            counted.await(asked);
        }
    }

    /**
     * A count that the loop writes and the measuring thread reads, apart from everything else. The
     * loop does not read it: the line may be gone to the other core.
     */
    public static class Counted {
        private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

        /** The one cell that counts has two cache lines before it and two behind. */
        private static final int DONE = 16;

        private final long[] cells = new long[2 * DONE + 1];
        private final long[] ofLoop = new long[2 * DONE + 1];

        void count() {
            CELL.setRelease(cells, DONE, ++ofLoop[DONE]);
        }

        void reach(long number) {
            CELL.setRelease(cells, DONE, number);
        }

        void await(long number) {
            for (int looks = 1; (long) CELL.getAcquire(cells, DONE) < number; looks++) {
                if (looks % LOOKS_BEFORE_YIELD == 0) {
                    Thread.yield();
                } else {
                    pause();
                }
            }
        }

        private static void pause() {
            for (int i = 0; i < PAUSES_BETWEEN_LOOKS; i++) {
                Thread.onSpinWait();
            }
        }
    }
}
