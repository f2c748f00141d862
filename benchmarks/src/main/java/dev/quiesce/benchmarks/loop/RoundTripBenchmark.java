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

/**
 * Two loops that wake each other in turn: a task to the other loop, and one back. What it costs
 * depends on where the two threads are, so it is run twice, pinned to one core and not pinned.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class RoundTripBenchmark {
    private static final int TRIPS = 1_000;

    /** Whose loops. */
    @Param({"QUIESCE_TASK", "QUIESCE_BOTTOM_HALF", "QUIESCE_POLLING", "NETTY_NIO", "NETTY_EPOLL",
        "JCTOOLS_PARK"})
    public Contender contender;

    private final Signal done = new Signal();
    private Loop near;
    private Loop far;
    private Runnable ping;
    private Runnable pong;
    private int left;

    /** Starts the loops. */
    @Setup
    public void start() {
        near = contender.start("near");
        far = contender.start("far");
        ping = far.way(() -> pong.run());
        pong = near.way(this::arrived);
    }

    /** Ends them. */
    @TearDown
    public void stop() {
        near.close();
        far.close();
    }

    /** There and back. */
    @Benchmark
    @OperationsPerInvocation(TRIPS)
    public void roundTrip() {
        left = TRIPS;
        done.prepare();
        ping.run();
        done.await();
    }

    private void arrived() {
        if (--left > 0) {
            ping.run();
        } else {
            done.give();
        }
    }
}
