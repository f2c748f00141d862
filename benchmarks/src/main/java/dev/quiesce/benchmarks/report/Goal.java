package dev.quiesce.benchmarks.report;

import java.util.List;
import java.util.stream.Stream;

/**
 * What the issue asks for: a contender's time, as a share of the best of its rivals.
 *
 * @param suite where the contender was measured
 * @param contender who
 * @param rivalSuite where the rivals were measured, in the same run
 * @param rivals with whom it is compared; the fastest counts
 * @param limit the largest ratio that meets the goal
 */
record Goal(
        String suite, String contender, String rivalSuite, List<String> rivals, double limit) {
    private static final List<String> NETTY = List.of("NETTY_NIO", "NETTY_EPOLL");

    /** All goals that are gated. */
    static final List<Goal> ALL = List.of(
            new Goal("reschedule", "QUIESCE_BOTTOM_HALF", "reschedule", NETTY, 1.0),
            new Goal("handOver", "QUIESCE_TASKS", "handOver", NETTY, 0.7),
            new Goal("coalescing", "QUIESCE_BOTTOM_HALF", "handOver", NETTY, 1.0),
            new Goal("handOver", "QUIESCE_BURST", "handOver", NETTY, 0.4),
            new Goal("roundTrip, pinned", "QUIESCE_TASK",
                    "roundTrip, pinned", List.of("JCTOOLS_PARK"), 1.0));

    /** Who has to be measured for the ratio, and was not. */
    List<String> missing(List<Measurement> measured) {
        return Stream.concat(Stream.of(contender).filter(c -> !isIn(measured, suite, c)),
                        rivals.stream().filter(c -> !isIn(measured, rivalSuite, c)))
                .toList();
    }

    /** The ratio that was reached, if nobody is {@link #missing}. */
    double ratio(List<Measurement> measured) {
        double best = rivals.stream()
                .mapToDouble(rival -> median(measured, rivalSuite, rival))
                .min().orElseThrow();
        return median(measured, suite, contender) / best;
    }

    private static boolean isIn(List<Measurement> measured, String suite, String contender) {
        return measured.stream().anyMatch(m -> isOf(m, suite, contender));
    }

    private static double median(List<Measurement> measured, String suite, String contender) {
        return measured.stream()
                .filter(m -> isOf(m, suite, contender))
                .mapToDouble(Measurement::median)
                .findFirst().orElseThrow();
    }

    private static boolean isOf(Measurement one, String suite, String contender) {
        return one.suite().equals(suite) && one.contender().equals(contender);
    }
}
