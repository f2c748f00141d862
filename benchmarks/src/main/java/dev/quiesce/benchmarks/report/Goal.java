package dev.quiesce.benchmarks.report;

import java.util.List;

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

    /** The ratio that was reached. */
    double ratio(List<Measurement> measured) {
        double best = measured.stream()
                .filter(m -> m.suite().equals(rivalSuite) && rivals.contains(m.contender()))
                .mapToDouble(Measurement::median)
                .min().orElseThrow(() -> missing(rivalSuite, rivals.toString()));
        return measured.stream()
                .filter(m -> m.suite().equals(suite) && m.contender().equals(contender))
                .mapToDouble(Measurement::median)
                .findFirst().orElseThrow(() -> missing(suite, contender)) / best;
    }

    private static IllegalArgumentException missing(String suite, String contender) {
        return new IllegalArgumentException(
                "the results lack " + contender + " in " + suite + ": run the whole suite");
    }
}
