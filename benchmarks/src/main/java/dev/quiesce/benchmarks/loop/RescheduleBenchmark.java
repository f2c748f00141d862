package dev.quiesce.benchmarks.loop;

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

/** A task that asks its own loop for its next run. The measuring thread sleeps meanwhile. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class RescheduleBenchmark {
    /** So many runs that starting and waiting, a tenth of a millisecond, is lost among them. */
    private static final int RUNS = 1_000_000;

    /** Whose loop. */
    @Param({"QUIESCE_BOTTOM_HALF", "QUIESCE_TASK", "QUIESCE_EXECUTE", "NETTY_NIO", "NETTY_EPOLL",
        "JCTOOLS_PARK", "THREAD_POOL"})
    public Contender contender;

    private final Signal done = new Signal();
    private Loop loop;
    private Runnable again;
    private int left;

    /** Starts the loop. */
    @Setup
    public void start() {
        loop = contender.start("reschedule");
        again = loop.way(this::task);
    }

    /** Ends it. */
    @TearDown
    public void stop() {
        loop.close();
    }

    /** One run of the task. */
    @Benchmark
    @OperationsPerInvocation(RUNS)
    public void reschedule() {
        left = RUNS;
        done.prepare();
        again.run();
        done.await();
    }

    private void task() {
        if (--left > 0) {
            again.run();
        } else {
            done.give();
        }
    }
}
