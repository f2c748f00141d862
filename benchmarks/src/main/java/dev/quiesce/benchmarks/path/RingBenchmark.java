package dev.quiesce.benchmarks.path;

import dev.quiesce.testkit.guest.BufferList;
import dev.quiesce.testkit.guest.DriverQueue;
import dev.quiesce.testkit.guest.DriverQueueConfig;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.RingViolation;
import dev.quiesce.testkit.guest.UsedHandler;
import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.QueueConfig;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import dev.quiesce.virtio.queue.Virtqueue;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A chain of two buffers through a split ring, driver and device on one thread: added, popped,
 * pushed, polled; published and looked at once for 64 chains on either side. The driver's share is
 * in the time.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class RingBenchmark implements UsedHandler {
    private static final int BATCH = 64;
    private static final int SIZE = 256;
    private static final int BUFFER_BYTES = 512;

    private final BufferList buffers = new BufferList();
    private final Chain chain = new Chain();
    private DriverQueue driver;
    private SplitVirtqueue device;

    /** Makes a ring in direct memory, with event indexes. */
    @Setup
    public void build() {
        GuestRam ram = GuestRam.direct(1L << 32, 1 << 20);
        driver = new DriverQueue(ram, new DriverQueueConfig(SIZE, false, true));
        device = new SplitVirtqueue(new QueueConfig(SIZE, driver.descriptorAddress(),
                driver.availAddress(), driver.usedAddress(), QueueConfig.EVENT_IDX), ram);
        long read = ram.allocate(BUFFER_BYTES, BUFFER_BYTES);
        long written = ram.allocate(BUFFER_BYTES, BUFFER_BYTES);
        buffers.clear().readable(read, BUFFER_BYTES).writable(written, BUFFER_BYTES);
    }

    /** There and back. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int roundOfChains() {
        for (int i = 0; i < BATCH; i++) {
            driver.add(buffers, i);
        }
        driver.publish();
        device.disableNotify();
        while (device.pop(chain) != Virtqueue.NOTHING) {
            device.push(chain.head(), BUFFER_BYTES);
        }
        device.publish();
        device.enableNotify();
        return driver.poll(this);
    }

    @Override
    public void onUsed(long token, int writtenBytes) {
        // The chain is back, which is all that is asked.
    }

    @Override
    public void onViolation(RingViolation violation) {
        throw new IllegalStateException(violation.toString());
    }
}
