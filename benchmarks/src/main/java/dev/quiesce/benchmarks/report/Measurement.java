package dev.quiesce.benchmarks.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * What one benchmark measured for one contender.
 *
 * @param suite the benchmark and where it ran
 * @param contender the values of its parameters, or an empty string
 * @param iterations the times of all iterations of all forks, in ascending order
 * @param allocation what the garbage collector's profiler saw
 */
record Measurement(
        String suite, String contender, List<Double> iterations, Allocation allocation) {
    /** In MB (2^20 bytes) a second. */
    private static final String ALLOCATION_RATE = "gc.alloc.rate";
    private static final double RATE_UNIT_BYTES = 1 << 20;
    private static final String BYTES_PER_OPERATION = "gc.alloc.rate.norm";

    /** The same with the iterations of another run, of the same benchmark and contender. */
    private Measurement and(Measurement other) {
        return new Measurement(suite, contender,
                Stream.concat(iterations.stream(), other.iterations.stream()).sorted().toList(),
                allocation.and(other.allocation));
    }

    /**
     * One measurement of each contender in each benchmark, of all the runs in which it took its
     * turns; in the order in which they came first.
     */
    static List<Measurement> merged(List<Measurement> runs) {
        Map<List<String>, Measurement> merged = new LinkedHashMap<>();
        for (Measurement run : runs) {
            merged.merge(List.of(run.suite, run.contender), run, Measurement::and);
        }
        return List.copyOf(merged.values());
    }

    /** Reads a file of JMH; the placement, such as "pinned", becomes part of the suite's name. */
    static List<Measurement> read(File file, String placement) throws IOException {
        List<Measurement> all = new ArrayList<>();
        for (JsonNode result : new ObjectMapper().readTree(file)) {
            all.add(of(result, placement));
        }
        return all;
    }

    private static Measurement of(JsonNode result, String placement) {
        String name = result.required("benchmark").asText();
        String suite = name.substring(name.lastIndexOf('.') + 1);
        List<String> params = new ArrayList<>();
        result.path("params").forEach(p -> params.add(p.asText()));
        return new Measurement(
                placement.isEmpty() ? suite : suite + ", " + placement,
                String.join(" ", params),
                forks(result.required("primaryMetric"), 1).stream()
                        .flatMap(List::stream).sorted().toList(),
                allocation(result));
    }

    private static Allocation allocation(JsonNode result) {
        double seconds = TimeValue.fromString(result.required("measurementTime").asText())
                .convertTo(TimeUnit.NANOSECONDS) / 1e9;
        JsonNode seen = result.required("secondaryMetrics");
        List<List<Double>> perOperation = forks(seen.required(BYTES_PER_OPERATION), 1);
        List<List<Double>> perIteration =
                forks(seen.required(ALLOCATION_RATE), RATE_UNIT_BYTES * seconds);
        return IntStream.range(0, perOperation.size())
                .mapToObj(i -> Allocation.ofFork(perOperation.get(i), perIteration.get(i)))
                .reduce(Allocation::and).orElseThrow();
    }

    /** What a metric was in each iteration of each fork, in some other unit. */
    private static List<List<Double>> forks(JsonNode metric, double unit) {
        return elements(metric.required("rawData"))
                .map(fork -> elements(fork).map(value -> value.asDouble() * unit).toList())
                .toList();
    }

    private static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    /** The middle of the iterations: one that others disturbed does not move it. */
    double median() {
        int middle = iterations.size() / 2;
        return iterations.size() % 2 == 1
                ? iterations.get(middle)
                : DoubleStream.of(iterations.get(middle - 1), iterations.get(middle))
                        .average().orElseThrow();
    }

    double fastest() {
        return iterations.get(0);
    }

    double slowest() {
        return iterations.get(iterations.size() - 1);
    }
}
