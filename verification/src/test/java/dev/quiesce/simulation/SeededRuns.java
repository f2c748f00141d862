package dev.quiesce.simulation;

import dev.quiesce.testkit.RunReport;
import dev.quiesce.testkit.Scenario;
import dev.quiesce.testkit.Simulation;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Runs a scenario under many seeds, and tells the story of the first that fails. */
final class SeededRuns {
    private static final String SEED = "quiesce.sim.seed";
    private static final String SEEDS = "quiesce.sim.seeds";
    private static final int SEEDS_QUICK = 2_000;
    private static final int LINES_OF_A_RUN_WITHOUT_END = 100;
    private static final String NEW_LINE = System.lineSeparator();

    private SeededRuns() {
    }

    /** {@return how many different schedules there were} */
    static int run(Scenario scenario) {
        Long only = Long.getLong(SEED);
        if (only != null) {
            check(scenario, Simulation.run(scenario, only));
            return 1;
        }
        Set<Long> schedules = new HashSet<>();
        int seeds = Integer.getInteger(SEEDS, SEEDS_QUICK);
        for (long seed = 1; seed <= seeds; seed++) {
            RunReport report = Simulation.run(scenario, seed);
            check(scenario, report);
            schedules.add(report.fingerprint());
        }
        return schedules.size();
    }

    private static void check(Scenario scenario, RunReport report) {
        if (report.isCut()) {
            throw new AssertionError("seed " + report.seed() + " did not end:" + NEW_LINE
                    + lastOf(Simulation.replay(scenario, report).story()));
        }
        if (report.isFailed()) {
            RunReport shortest = Simulation.shrink(scenario, report);
            throw new AssertionError("again: -D" + SEED + "=" + report.seed()
                    + NEW_LINE + shortest, shortest.cause());
        }
    }

    private static String lastOf(List<String> story) {
        int from = Math.max(0, story.size() - LINES_OF_A_RUN_WITHOUT_END);
        return String.join(NEW_LINE, story.subList(from, story.size()));
    }
}
