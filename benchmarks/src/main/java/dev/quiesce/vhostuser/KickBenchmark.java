package dev.quiesce.vhostuser;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.newsclub.net.unix.AFPipe;
import org.newsclub.net.unix.AFUNIXSelectorProvider;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * From a guest's kick to the first line of the handler in an IOThread that slept: by the doorbell
 * alone, as an emulator in this process rings it, and through a kick descriptor, as another process
 * does. The guest spins until the handler has run, as a vCPU that polls does.
 *
 * <pre>
 *     java -jar benchmarks/target/benchmarks.jar KickBenchmark
 * </pre>
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Benchmark)
public class KickBenchmark {
    private final EventNotifier doorbell = new EventNotifier("kick");
    private final ByteBuffer one = ByteBuffer.allocateDirect(Long.BYTES);
    private IoThread loop;
    private AFPipe pipe;
    private KickPoller poller;
    private volatile long handled;

    /** Starts the loop and the poller. */
    @Setup(Level.Trial)
    public void start() throws IOException, Violation {
        loop = IoThread.start(
                new IoThreadConfig("io", KickBenchmark::daemon, LoopSeams.system(), true));
        AioContext context = loop.context();
        context.execute(() -> doorbell.attach(context, this::onKick));
        pipe = AFUNIXSelectorProvider.getInstance().openPipe();
        poller = new KickPoller("benchmark", 1, KickBenchmark::daemon, () -> { });
        poller.watch(0, Pollable.of(pipe.source().getFileDescriptor()), doorbell);
    }

    /** Ends both. */
    @TearDown(Level.Trial)
    public void stop() throws IOException {
        loop.context().execute(doorbell::detach);
        poller.close();
        pipe.close();
        loop.close();
    }

    /** The loop's share: one thread wakes another. */
    @Benchmark
    public void doorbell() {
        long before = handled;
        doorbell.set();
        awaitHandler(before);
    }

    /** Descriptor, poller, doorbell: two threads are waked one after the other. */
    @Benchmark
    public void descriptor() throws IOException {
        long before = handled;
        one.clear();
        pipe.sink().write(one);
        awaitHandler(before);
    }

    private void onKick() {
        handled++; // single writer: the loop
    }

    private void awaitHandler(long before) {
        while (handled == before) {
            Thread.onSpinWait();
        }
    }

    private static Thread daemon(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        return thread;
    }
}
