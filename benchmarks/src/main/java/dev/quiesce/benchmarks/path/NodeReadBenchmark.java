package dev.quiesce.benchmarks.path;

import dev.quiesce.aio.LoopSeams;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.driver.memory.NullDriver;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
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
 * A read from submission to completion, a turn of the loop included, through a port, on a node that
 * does nothing and on one that copies. Budget for the null node: 25 ns at depth 1, 27 ns at 64.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class NodeReadBenchmark {
    private static final int DEEP = 64;

    /** What is read. */
    @Param
    public Node node;

    private Requests one;
    private Requests many;

    /** Makes a machine for each depth. */
    @Setup
    public void build() {
        one = new Requests(LoopSeams.system(), node.driver(), 1);
        many = new Requests(LoopSeams.system(), node.driver(), DEEP);
    }

    /** Takes them down. */
    @TearDown
    public void close() {
        one.close();
        many.close();
    }

    /** One request at a time. */
    @Benchmark
    public void depth1() {
        one.readAll(0);
    }

    /** 64 requests at a time. */
    @Benchmark
    @OperationsPerInvocation(DEEP)
    public void depth64() {
        many.readAll(0);
    }

    /** The nodes. */
    public enum Node {
        /** Zeroes the payload. */
        NULL(NullDriver::new),

        /** Copies from memory. */
        MEMORY(MemoryDriver::new);

        private final LongFunction<BlockDriver> maker;

        Node(LongFunction<BlockDriver> maker) {
            this.maker = maker;
        }

        private BlockDriver driver() {
            return maker.apply(1L << 20);
        }
    }
}
