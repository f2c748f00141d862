package dev.quiesce.benchmarks.path;

import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * As many reads of 4 KiB at once as the depth says, of a file that is in the page cache, through
 * the loop and a pool of four workers. The time is that of all of them together.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class FileReadBenchmark {
    private static final int FILE_BYTES = 1 << 20;
    private static final int WORKERS = 4;

    /** How many at once. */
    @Param({"1", "8", "64"})
    public int depth;

    private Path file;
    private Workers workers;
    private Requests requests;

    /** Writes the file, which leaves it in the page cache. */
    @Setup
    public void build() throws IOException {
        file = Files.createTempFile("quiesce-benchmark", ".img");
        Files.write(file, new byte[FILE_BYTES]);
        workers = Workers.pool(Thread::new, WORKERS, WORKERS);
        requests = new Requests(LoopSeams.system().withWorkers(workers),
                FileDriver.open(FileConfig.readOnly(file)), depth);
    }

    /** Takes it down. */
    @TearDown
    public void close() throws IOException {
        requests.close();
        workers.close();
        Files.delete(file);
    }

    /** All of them. */
    @Benchmark
    public void cachedReads() {
        requests.readAll(Long.MAX_VALUE);
    }
}
