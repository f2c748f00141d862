package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.GroupThreads;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Entering, looking and leaving: on a lane of one's own, on one counter for all, and on counters
 * that share a cache line. It is the reason for lanes and for their padding.
 *
 * <pre>
 *     java -jar benchmarks/target/benchmarks.jar LaneBenchmark
 * </pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class LaneBenchmark {
    /** One thread, one lane. */
    @Benchmark
    @Threads(1)
    public boolean laneAlone(OwnLane own) {
        return own.enterAndLeave();
    }

    /** Two threads, each on its own lane. */
    @Benchmark
    @Threads(2)
    public boolean laneEach(OwnLane own) {
        return own.enterAndLeave();
    }

    /** Two threads on the same lane, as if a gate had one counter. */
    @Benchmark
    @Threads(2)
    public boolean oneLaneForAll(Shared shared) {
        return enterAndLeave(shared.lane);
    }

    /** Two threads, each with two counts of its own, side by side in memory. */
    @Benchmark
    @Threads(2)
    public boolean countsSideBySide(Slot slot, Shared shared) {
        shared.counts.getAndAdd(slot.index, 1);
        boolean open = !shared.gate.isQuiesced();
        shared.counts.getAndAdd(slot.index + 1, 1);
        return open;
    }

    /** A lane, while another thread takes and closes holds on the gate. */
    @Benchmark
    @Group("besideHolds")
    @GroupThreads(1)
    public boolean lane(OwnLane own) {
        return own.enterAndLeave();
    }

    /** The other thread. */
    @Benchmark
    @Group("besideHolds")
    @GroupThreads(1)
    public void holds(Shared shared) {
        shared.gate.hold("benchmark", shared.gate.main()).close();
    }

    private static boolean enterAndLeave(Lane lane) {
        lane.count();
        boolean open = lane.isOpen();
        lane.giveBack(1);
        return open;
    }

    private static AioContext context(String name) {
        return new AioContext(name, LoopSeams.system());
    }

    /** What all threads share. */
    @State(Scope.Benchmark)
    public static class Shared {
        private final Gate gate = new Gate("gate", context("main"));
        private final Lane lane = gate.lane(context("shared"), parked -> { });
        private final AtomicLongArray counts = new AtomicLongArray(64);
        private final AtomicInteger slots = new AtomicInteger(16);
    }

    /** A lane of the thread's own. */
    @State(Scope.Thread)
    public static class OwnLane {
        private Lane lane;

        /** Makes the lane. */
        @Setup
        public void makeLane(Shared shared) {
            lane = shared.gate.lane(context("own"), parked -> { });
        }

        private boolean enterAndLeave() {
            return LaneBenchmark.enterAndLeave(lane);
        }
    }

    /** A place of the thread's own beside that of the other. */
    @State(Scope.Thread)
    public static class Slot {
        private int index;

        /** Takes the place. */
        @Setup
        public void takePlace(Shared shared) {
            index = shared.slots.getAndAdd(2);
        }
    }
}
