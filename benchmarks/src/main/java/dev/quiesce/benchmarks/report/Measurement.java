package dev.quiesce.benchmarks.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What one benchmark measured for one contender.
 *
 * @param suite the benchmark and where it ran
 * @param contender the values of its parameters, or an empty string
 * @param iterations the times of all iterations of all forks, in ascending order
 * @param bytesPerOperation what the garbage collector's profiler saw
 */
record Measurement(
        String suite, String contender, List<Double> iterations, double bytesPerOperation) {
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    /** The same with the iterations of another run, of the same benchmark and contender. */
    private Measurement and(Measurement other) {
        int mine = iterations.size();
        int all = mine + other.iterations.size();
        return new Measurement(suite, contender,
                Stream.concat(iterations.stream(), other.iterations.stream()).sorted().toList(),
                (bytesPerOperation * mine + other.bytesPerOperation * (all - mine)) / all);
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
                elements(result.required("primaryMetric").required("rawData"))
                        .flatMapToDouble(fork -> elements(fork).mapToDouble(JsonNode::asDouble))
                        .sorted().boxed().toList(),
                result.required("secondaryMetrics").required(ALLOCATED).required("score")
                        .asDouble());
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
