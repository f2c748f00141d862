package dev.quiesce.testkit;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Runs a scenario under every schedule with few preemptions: first all without any, then all with
 * one, and so on. It is not told what to look for: a failure is whatever a {@link Simulation} calls
 * one, and of each kind the shortest is kept.
 *
 * <pre>
 *     SearchReport report = ScheduleSearch.of(scenario).preemptionsMax(2).explore();
 * </pre>
 */
public final class ScheduleSearch {
    /*
     * A schedule is told by its choices; what is not chosen is 0, "whoever moved last goes on". So
     * the last choice that is not 0 makes a schedule the child of exactly one other, and exploring
     * each one's children beyond its own prefix meets every schedule once. A child costs a
     * preemption or not; those that do wait for the next round. No state is compared, and nothing
     * is pruned: what is counted are distinct schedules.
     */
    private final Scenario scenario;
    private int preemptionsMax = 2;
    private int stepsMax = 1_000;
    private int schedulesMax = 1_000_000;

    private ScheduleSearch(Scenario scenario) {
        this.scenario = scenario;
    }

    /**
     * Makes a search with up to 2 preemptions, 1,000 steps and 1,000,000 schedules.
     *
     * @param scenario what to run
     * @return a search
     */
    public static ScheduleSearch of(Scenario scenario) {
        return new ScheduleSearch(scenario);
    }

    /**
     * Sets how often a schedule may leave somebody who could have gone on.
     *
     * @param preemptions 0 or more
     * @return this search
     * @throws IllegalArgumentException if it is negative
     */
    public ScheduleSearch preemptionsMax(int preemptions) {
        checkBound("preemptions", preemptions, 0);
        preemptionsMax = preemptions;
        return this;
    }

    /**
     * Sets how long a schedule may be; a longer one is cut, and counted as such.
     *
     * @param steps at least 1
     * @return this search
     * @throws IllegalArgumentException if it is less
     */
    public ScheduleSearch stepsMax(int steps) {
        checkBound("steps", steps, 1);
        stepsMax = steps;
        return this;
    }

    /**
     * Sets after how many schedules to stop, in the middle of a round if need be.
     *
     * @param schedules at least 1
     * @return this search
     * @throws IllegalArgumentException if it is less
     */
    public ScheduleSearch schedulesMax(int schedules) {
        checkBound("schedules", schedules, 1);
        schedulesMax = schedules;
        return this;
    }

    /**
     * Searches.
     *
     * @return what was found
     */
    public SearchReport explore() {
        SearchReport report = SearchReport.ofSearch();
        Deque<int[]> next = new ArrayDeque<>();
        next.add(new int[0]);
        for (int round = 0; round <= preemptionsMax && !next.isEmpty(); round++) {
            Deque<int[]> stack = next;
            next = new ArrayDeque<>();
            while (!stack.isEmpty()) {
                if (report.schedules() >= schedulesMax) {
                    return report.tell(scenario);
                }
                int[] prefix = stack.pop();
                RunReport run =
                        Simulation.once(scenario, 0, Choices.given(prefix), stepsMax, false);
                report.count(run);
                branch(run.path(), prefix.length, stack, round < preemptionsMax ? next : null);
            }
            report.roundIsComplete(round);
        }
        report.searchIsComplete(preemptionsMax);
        return report.tell(scenario);
    }

    /** A search of nothing would find nothing, and look like a proof. */
    private static void checkBound(String what, int bound, int least) {
        if (bound < least) {
            throw new IllegalArgumentException("cannot search with at most " + bound + " " + what
                    + ": need " + least + " or more");
        }
    }

    private static void branch(
            Scheduler.Path path, int from, Deque<int[]> same, @Nullable Deque<int[]> costlier) {
        for (int i = path.length() - 1; i >= from; i--) {
            Deque<int[]> queue = path.preemptsAt(i) ? costlier : same;
            if (queue != null) {
                for (int other = path.width(i) - 1; other > 0; other--) {
                    queue.push(path.branch(i, other));
                }
            }
        }
    }
}
