package dev.quiesce.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What JMH's threads allocate, and what operations do: the results are as JMH writes them. */
class AllocationTest {
    private static final double OPERATION_NANOS = 30_000;
    private static final double OPERATIONS = 250e6 / OPERATION_NANOS;

    /** The most that JMH's own threads took in an iteration, and the least. */
    private static final double HARNESS_MAX = 22_000;
    private static final double HARNESS_MIN = 5_500;
    private static final double TEAR_DOWN = 300_000;

    @TempDir
    private Path directory;

    @Test
    void shouldLeaveToJmhWhatItsThreadsAllocate() throws IOException {
        Allocation seen = read(new double[] {HARNESS_MAX, HARNESS_MAX, HARNESS_MAX});

        assertThat(seen.bytesPerOperation()).isBetween(2.6, 2.7);
        assertThat(seen.isByOperations()).isFalse();
    }

    @Test
    void shouldCatchOneSmallestObjectForEachOperation() throws IOException {
        double bytes = HARNESS_MIN + 16 * OPERATIONS;
        Allocation seen = read(new double[] {bytes, bytes, bytes});

        assertThat(seen.bytesPerIteration()).isBetween(138e3, 139e3);
        assertThat(seen.isByOperations()).isTrue();
    }

    @Test
    void shouldCatchWhatIsAllocatedInSomeIterationsOnly() throws IOException {
        double bytes = HARNESS_MIN + 16 * OPERATIONS;
        Allocation seen = read(new double[] {HARNESS_MIN, bytes, HARNESS_MIN},
                new double[] {bytes, bytes, HARNESS_MIN});

        assertThat(seen.isByOperations()).isTrue();
    }

    @Test
    void shouldNotCountTheIterationInWhichTheBenchmarkIsTornDown() throws IOException {
        double[] fork = {HARNESS_MIN, HARNESS_MIN, HARNESS_MIN + TEAR_DOWN};
        Allocation seen = read(fork, fork);

        assertThat(seen.iterations()).isEqualTo(4);
        assertThat(seen.bytesPerIteration()).isBetween(5_499.0, 5_501.0);
        assertThat(seen.isByOperations()).isFalse();
    }

    @Test
    void shouldCountTheOnlyIterationThatThereIs() throws IOException {
        Allocation seen = read(new double[] {HARNESS_MIN + 16 * OPERATIONS});

        assertThat(seen.iterations()).isOne();
        assertThat(seen.isByOperations()).isTrue();
    }

    @Test
    void shouldLeaveToJmhLessThanOneByteForEachOfMany() {
        assertThat(new Allocation(3, 0.99, 1e6).isByOperations()).isFalse();
        assertThat(new Allocation(3, 1, 1e6).isByOperations()).isTrue();
    }

    @Test
    void shouldWeighByIterationsWhatItPutsTogether() {
        Allocation all = new Allocation(1, 8, 800).and(new Allocation(3, 4, 400));

        assertThat(all).isEqualTo(new Allocation(4, 5, 500));
    }

    /** What is read if so many bytes were allocated in each iteration of each fork. */
    private Allocation read(double[]... forks) throws IOException {
        Path file = Files.writeString(directory.resolve("result.json"), """
                [{
                    "benchmark" : "dev.quiesce.Benchmark.roundTrip",
                    "measurementTime" : "250 ms",
                    "params" : {"contender" : "QUIESCE_TASK"},
                    "primaryMetric" : {"rawData" : %s},
                    "secondaryMetrics" : {
                        "gc.alloc.rate" : {"rawData" : %s},
                        "gc.alloc.rate.norm" : {"rawData" : %s}
                    }
                }]
                """.formatted(raw(0, OPERATION_NANOS, forks), raw(4.0 / (1 << 20), 0, forks),
                raw(1 / OPERATIONS, 0, forks)));
        List<Measurement> all = Measurement.read(file.toFile(), "pinned");

        assertThat(all).singleElement().satisfies(one -> {
            assertThat(one.suite()).isEqualTo("roundTrip, pinned");
            assertThat(one.contender()).isEqualTo("QUIESCE_TASK");
            assertThat(one.median()).isEqualTo(OPERATION_NANOS);
        });
        return all.get(0).allocation();
    }

    private static String raw(double factor, double summand, double[]... forks) {
        return Arrays.stream(forks).map(fork -> DoubleStream.of(fork)
                .mapToObj(bytes -> String.format(Locale.ROOT, "%f", factor * bytes + summand))
                .collect(Collectors.joining(", ", "[", "]")))
                .collect(Collectors.joining(", ", "[", "]"));
    }
}
