package dev.quiesce.testkit;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link ScheduleSearch}, or a number of seeds, found: how many different schedules were
 * run, and the shortest failure of each kind.
 */
public final class SearchReport {
    static final Comparator<RunReport> SHORTEST_FIRST = Comparator.comparingInt(RunReport::steps)
            .thenComparingInt(RunReport::preemptions)
            .thenComparing(run -> run.path().chosen(), Arrays::compare);

    private final Map<String, RunReport> shortest = new TreeMap<>();
    private final Set<Long> seen = new HashSet<>();
    private final boolean random;
    private long runs;
    private long schedules;
    private long failed;
    private long cut;
    private int preemptionsDone = -1;
    private boolean complete;
    private @Nullable RunReport firstCut;

    private SearchReport(boolean random) {
        this.random = random;
    }

    /** Of a search, which runs no schedule twice. */
    static SearchReport ofSearch() {
        return new SearchReport(false);
    }

    /** Of random schedules, which may repeat each other. */
    static SearchReport ofSeeds() {
        return new SearchReport(true);
    }

    /** {@return how often the scenario was run} */
    public long runs() {
        return runs;
    }

    /** {@return how many different schedules were run} */
    public long schedules() {
        return schedules;
    }

    /** {@return how many of them failed} */
    public long failedSchedules() {
        return failed;
    }

    /** {@return how many of them were cut for their length} */
    public long cutSchedules() {
        return cut;
    }

    /** {@return up to how many preemptions every schedule was run; -1 if not even those with 0} */
    public int preemptionsDone() {
        return preemptionsDone;
    }

    /** {@return whether every schedule within the bounds was run, to its end or its failure} */
    public boolean isComplete() {
        return complete && cut == 0;
    }

    /** {@return whether no schedule failed, and none was cut: what that comes to is not known} */
    public boolean isClean() {
        return failed == 0 && cut == 0;
    }

    /** {@return the kinds of failure found, in alphabetical order} */
    public List<String> kinds() {
        return List.copyOf(shortest.keySet());
    }

    /** {@return the shortest failure of each kind, with its story} */
    public Collection<RunReport> failures() {
        return List.copyOf(shortest.values());
    }

    /**
     * The shortest failure of a kind.
     *
     * @param kind the kind
     * @return the run, with its story
     * @throws IllegalArgumentException if no schedule failed like that
     */
    public RunReport failure(String kind) {
        RunReport run = shortest.get(kind);
        if (run == null) {
            throw new IllegalArgumentException("no failure '" + kind + "', only " + kinds());
        }
        return run;
    }

    @Override
    public String toString() {
        String what = random
                ? runs + " runs, " + schedules + " different schedules"
                : schedules + " schedules, all of those with up to " + preemptionsDone
                        + " preemptions";
        StringBuilder text =
                new StringBuilder(what + ", " + failed + " failed, " + cut + " cut");
        for (RunReport run : shortest.values()) {
            text.append(String.format("%n")).append(run);
        }
        if (firstCut != null) {
            text.append(String.format("%n")).append(firstCut);
        }
        return text.toString();
    }

    void count(RunReport run) {
        runs++;
        if (random && !seen.add(run.fingerprint())) {
            return;
        }
        schedules++;
        if (run.isCut()) {
            cut++;
            firstCut = firstCut == null ? run : firstCut;
        }
        if (run.isFailed()) {
            failed++;
            shortest.merge(run.kind(), run,
                    (a, b) -> SHORTEST_FIRST.compare(b, a) < 0 ? b : a);
        }
    }

    void roundIsComplete(int preemptions) {
        preemptionsDone = preemptions;
    }

    void searchIsComplete(int preemptionsMax) {
        preemptionsDone = preemptionsMax;
        complete = true;
    }

    SearchReport tell(Scenario scenario) {
        shortest.replaceAll((kind, run) -> {
            RunReport told = Simulation.replay(scenario, run);
            boolean repeats = told.isFailed() && told.kind().equals(kind);
            return repeats ? told : run.withoutStory("the same choices have not failed like this"
                    + " again: the scenario depends on something outside the simulation");
        });
        return this;
    }
}
