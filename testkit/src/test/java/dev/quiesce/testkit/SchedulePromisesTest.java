package dev.quiesce.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.WorkItem;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the scheduler promises: it finds, repeats, shortens and counts schedules. */
class SchedulePromisesTest {
    @Test
    void shouldFindAndTellAMistakeAcrossLoopsWorkersAndANestedWait() {
        SearchReport report = ScheduleSearch.of(sim -> new Pond(sim, false)).explore();

        RunReport shortest = report.failure("freed under a worker");
        assertThat(shortest.preemptions()).isEqualTo(1);
        assertThat(String.join("\n", shortest.story()))
                .containsSubsequence("guest", "looks", "control", "drains", "guest", "submits");
        assertThat(ScheduleSearch.of(sim -> new Pond(sim, true)).explore().isClean()).isTrue();
    }

    @Test
    void shouldRepeatARunExactlyFromItsSeedAndFromItsChoices() {
        Scenario scenario = sim -> new Pond(sim, false);
        Set<Boolean> outcomes = new HashSet<>();

        for (long seed = 1; seed <= 40; seed++) {
            RunReport first = Simulation.run(scenario, seed);
            RunReport again = Simulation.run(scenario, seed);
            RunReport told = Simulation.replay(scenario, first);
            RunReport toldAgain = Simulation.replay(scenario, seed, first.choices());

            assertThat(again.choices()).isEqualTo(first.choices());
            assertThat(told.choices()).isEqualTo(first.choices());
            assertThat(told.fingerprint()).isEqualTo(first.fingerprint());
            assertThat(told.steps()).isEqualTo(first.steps());
            assertThat(toldAgain.toString()).isEqualTo(told.toString());
            assertThat(told.isFailed()).isEqualTo(first.isFailed());
            if (first.isFailed()) {
                assertThat(told.kind()).isEqualTo(first.kind());
                assertThat(told.detail()).isEqualTo(first.detail());
            }
            outcomes.add(first.isFailed());
        }

        assertThat(outcomes).containsExactlyInAnyOrder(true, false);
    }

    @Test
    void shouldShrinkToTheShortestThatASearchOfEverythingFinds() {
        Scenario scenario = sim -> new Pond(sim, false);
        RunReport shortest = ScheduleSearch.of(scenario).explore().failure("freed under a worker");
        int shrunk = 0;

        for (long seed = 1; seed <= 40; seed++) {
            RunReport failed = Simulation.run(scenario, seed);
            if (failed.isFailed()) {
                RunReport small = Simulation.shrink(scenario, failed);

                assertThat(small.kind()).isEqualTo(failed.kind());
                assertThat(small.steps()).as("seed %d", seed).isEqualTo(shortest.steps());
                assertThat(small.preemptions()).isEqualTo(shortest.preemptions());
                shrunk++;
            }
        }

        assertThat(shrunk).isPositive();
    }

    @Test
    void shouldRunEveryScheduleUpToItsBoundAndSayHowFarItCame() {
        Scenario scenario = sim -> {
            sim.actor("a").repeats(2, "moves", () -> { });
            sim.actor("b").repeats(2, "moves", () -> { });
        };

        // aabb and bbaa; then abba and baab; then abab and baba.
        for (int bound = 0; bound <= 2; bound++) {
            SearchReport report = ScheduleSearch.of(scenario).preemptionsMax(bound).explore();

            assertThat(report.schedules()).isEqualTo(2 + 2 * bound);
            assertThat(report.isComplete()).isTrue();
            assertThat(report.preemptionsDone()).isEqualTo(bound);
        }
        SearchReport stopped = ScheduleSearch.of(scenario).schedulesMax(3).explore();
        assertThat(stopped.isComplete()).isFalse();
        assertThat(stopped.preemptionsDone()).isZero();
    }

    @Test
    void shouldCountSchedulesAndNotSeeds() {
        Scenario scenario = sim -> {
            sim.actor("a").does("moves", () -> { });
            sim.actor("b").does("moves", () -> { });
        };

        SearchReport report = Simulation.runSeeds(scenario, 1, 200);

        assertThat(report.runs()).isEqualTo(200);
        assertThat(report.schedules()).isEqualTo(2);
        assertThat(report.isClean()).isTrue();
        assertThat(report.isComplete()).isFalse();
        assertThat(report.toString()).startsWith("200 runs, 2 different schedules");
    }

    @Test
    void shouldKeepTheShortestFailureThatTheSeedsFound() {
        Scenario scenario = sim -> new Pond(sim, false);

        SearchReport report = Simulation.runSeeds(scenario, 1, 40);

        assertThat(report.kinds()).containsExactly("freed under a worker");
        assertThat(report.failedSchedules()).isPositive().isLessThan(report.schedules());
        assertThat(report.schedules()).isLessThanOrEqualTo(40);
        RunReport kept = report.failure("freed under a worker");
        assertThat(Simulation.replay(scenario, kept).kind()).isEqualTo(kept.kind());
        assertThatThrownBy(() -> Simulation.runSeeds(scenario, 1, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("0 seeds");
    }

    /**
     * A guest submits work to the pool of its loop, control drains and frees what the work needs. A
     * guest that looks whether it may submit before it counts itself can be freed under.
     */
    private static final class Pond {
        private boolean draining;
        private boolean freed;
        private int inFlight;

        Pond(Simulation sim, boolean countsFirst) {
            AioContext io = sim.context("io");
            boolean[] admitted = new boolean[1];
            LoopTimer tick = new LoopTimer(io, "tick", () -> { });
            Actor guest = sim.actor("guest", io);
            Runnable look = () -> admitted[0] = !draining;
            if (countsFirst) {
                guest.does("counts", () -> inFlight++);
                guest.does("looks", look);
            } else {
                guest.does("looks", look);
                guest.does("counts", () -> inFlight++);
            }
            guest.does("submits", () -> {
                if (admitted[0]) {
                    io.workers().submit(io, work(sim, io));
                    tick.armAt(1_000);
                } else {
                    leave(sim);
                }
            });
            sim.actor("control", sim.main()).does("drains", () -> {
                draining = true;
                sim.interleave("has closed the door");
                ControlWait.until(sim.main(), new ControlWait.Target() {
                    @Override
                    public boolean isDone() {
                        return inFlight == 0;
                    }

                    @Override
                    public void describe(WaitReport out) {
                        out.outstanding("the pond", io, inFlight, false);
                    }
                });
                freed = true;
            });
            sim.inTheEnd("drained", () -> inFlight == 0);
        }

        private WorkItem work(Simulation sim, AioContext io) {
            return new WorkItem() {
                @Override
                protected void work() {
                    if (freed) {
                        sim.fail("freed under a worker", "in flight: " + inFlight);
                    }
                }

                @Override
                protected void run() {
                    assertThat(io.isHome()).isTrue();
                    leave(sim);
                }
            };
        }

        private void leave(Simulation sim) {
            inFlight--;
            sim.main().wake();
        }
    }
}
