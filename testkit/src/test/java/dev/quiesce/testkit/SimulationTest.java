package dev.quiesce.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.BottomHalf;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.WorkItem;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class SimulationTest {
    @Test
    void shouldFindALostUpdateThatNeedsOnePreemption() {
        SearchReport report = ScheduleSearch.of(SimulationTest::lostUpdate).explore();

        RunReport shortest = report.failure("both counted");
        assertThat(report.isComplete()).isTrue();
        assertThat(shortest.preemptions()).isEqualTo(1);
        assertThat(shortest.story()).containsExactly(
                "left      reads", "right     reads", "right     writes", "left      writes");
    }

    @Test
    void shouldCountEachScheduleOnce() {
        List<Integer> seen = new ArrayList<>();
        Scenario scenario = sim -> {
            StringBuilder order = new StringBuilder();
            sim.actor("a").repeats(2, "moves", () -> order.append('a'));
            sim.actor("b").repeats(2, "moves", () -> order.append('b'));
            sim.inTheEnd("seen", () -> seen.add(order.toString().hashCode()));
        };

        SearchReport report = ScheduleSearch.of(scenario).preemptionsMax(4).explore();

        assertThat(report.schedules()).isEqualTo(6);
        assertThat(seen).doesNotHaveDuplicates().hasSize(6);
    }

    @Test
    void shouldRunTheSameScheduleFromTheSameSeed() {
        Set<Long> schedules = new HashSet<>();

        for (long seed = 0; seed < 50; seed++) {
            RunReport first = Simulation.run(SimulationTest::lostUpdate, seed);
            RunReport second = Simulation.run(SimulationTest::lostUpdate, seed);
            RunReport replayed = Simulation.replay(SimulationTest::lostUpdate, first);

            assertThat(second.choices()).isEqualTo(first.choices());
            assertThat(replayed.fingerprint()).isEqualTo(first.fingerprint());
            assertThat(replayed.isFailed()).isEqualTo(first.isFailed());
            schedules.add(first.fingerprint());
        }

        assertThat(schedules).hasSizeGreaterThan(3);
    }

    @Test
    void shouldShrinkAFailureToItsShortestSchedule() {
        Scenario noisy = sim -> {
            lostUpdate(sim);
            for (int i = 0; i < 3; i++) {
                sim.actor("noise " + i).repeats(4, "hums", () -> { });
            }
        };
        RunReport failed = firstFailure(noisy);

        RunReport shortest = Simulation.shrink(noisy, failed);

        assertThat(shortest.isFailed()).isTrue();
        assertThat(shortest.preemptions()).isEqualTo(1);
        assertThat(shortest.preemptions()).isLessThan(failed.preemptions());
    }

    @Test
    void shouldStepOthersWhereTheControlThreadWaits() {
        Scenario scenario = sim -> {
            boolean[] done = new boolean[1];
            AioContext io = sim.context("io");
            sim.main().execute(() -> {
                io.execute(() -> {
                    assertThat(sim.main().isHome()).isFalse();
                    assertThat(io.isHome()).isTrue();
                    assertThat(sim.current()).isSameAs(io);
                    done[0] = true;
                    sim.main().wake();
                });
                assertThat(io.isHome()).isFalse();
                await(sim.main(), () -> done[0]);
                assertThat(sim.main().isHome()).isTrue();
            });
            sim.inTheEnd("waited", () -> done[0]);
        };

        assertThat(ScheduleSearch.of(scenario).explore().isClean()).isTrue();
    }

    @Test
    @Rule("AIO-59")
    @Rule("BUG-11")
    void shouldFindAWaitThatNobodyWakes() {
        Scenario scenario = sim -> {
            boolean[] done = new boolean[1];
            AioContext io = sim.context("io");
            sim.actor("control", sim.main()).does("waits", () -> {
                io.execute(() -> done[0] = true);
                await(sim.main(), () -> done[0]);
            });
        };

        SearchReport report = ScheduleSearch.of(scenario).explore();

        assertThat(report.kinds()).containsExactly("stuck");
        assertThat(report.failure("stuck").detail()).contains("main waits");
    }

    @Test
    void shouldLetAWaitLastUntilATimerEndsItHoweverFarThatIs() {
        for (boolean onMain : List.of(true, false)) {
            Scenario scenario = sim -> {
                boolean[] done = new boolean[1];
                AioContext io = onMain ? sim.main() : sim.context("io");
                Actor control = sim.actor("control", sim.main());
                Actor arming = onMain ? control : sim.actor("guest", io);
                arming.does("arms", () -> new LoopTimer(io, "alarm", () -> {
                    done[0] = true;
                    sim.main().wake();
                }).armAt(sim.clock().nanoTime() + TimeUnit.SECONDS.toNanos(20)));
                control.does("waits", () -> await(sim.main(), () -> done[0]));
                sim.inTheEnd("waited", () -> done[0]);
            };

            SearchReport report = ScheduleSearch.of(scenario).explore();

            assertThat(report.isClean()).as(report.toString()).isTrue();
            assertThat(report.isComplete()).isTrue();
        }
    }

    @Test
    void shouldCutAWaitThatATimerMerelyKeepsFromBeingStuck() {
        Scenario scenario = sim -> {
            LoopTimer[] timer = new LoopTimer[1];
            timer[0] = new LoopTimer(sim.main(), "alarm", () -> { });
            timer[0].armAt(Long.MAX_VALUE - 1);
            sim.actor("control", sim.main()).does("waits", () -> await(sim.main(), () -> false));
        };

        assertThat(Simulation.run(scenario, 1).isCut()).isTrue();
    }

    @Test
    void shouldNotPassALivelock() {
        Scenario scenario = sim -> {
            AioContext io = sim.context("io");
            BottomHalf[] again = new BottomHalf[1];
            again[0] = new BottomHalf(io, "again", () -> again[0].schedule());
            sim.actor("guest", io).does("begins a livelock", () -> again[0].schedule());
            sim.inTheEnd("never looked at", () -> false);
        };

        RunReport run = Simulation.run(scenario, 1);
        SearchReport search = ScheduleSearch.of(scenario).stepsMax(200).explore();

        assertThat(run.isCut()).isTrue();
        assertThatThrownBy(run::orThrow).isInstanceOf(AssertionError.class)
                .hasMessageContaining("cut after");
        assertThat(search.cutSchedules()).isPositive();
        assertThat(search.isClean()).isFalse();
        assertThat(search.isComplete()).isFalse();
        assertThat(search.toString()).contains("cut after 201 steps");
    }

    @Test
    void shouldPutIntoTheReportWhatAConditionThrows() {
        Runnable boom = () -> {
            throw new IllegalStateException("boom");
        };
        List<Scenario> scenarios = List.of(
                sim -> sim.inTheEnd("condition", () -> isNotHeld(boom)),
                sim -> {
                    boolean[] moved = new boolean[1];
                    sim.actor("guest").does("moves", () -> moved[0] = true);
                    sim.always("condition", () -> !moved[0] || isNotHeld(boom));
                },
                sim -> sim.actor("condition").doesWhen("moves", () -> isNotHeld(boom), boom));

        for (Scenario scenario : scenarios) {
            RunReport report = Simulation.run(scenario, 1);

            assertThat(report.isFailed()).isTrue();
            assertThat(report.cause()).hasMessage("boom");
            assertThat(report.kind() + report.detail()).contains("condition", "boom");
        }
    }

    @Test
    void shouldEndThoughATimerOfASecondClockIsFurtherAwayThanTimeGoes() {
        Scenario scenario = sim -> {
            AioContext io = sim.context("io");
            sim.clock().advance(1_000);
            MachineClock guest = MachineClock.paced("guest", Clock.Kind.VIRTUAL, sim.clock());
            guest.start();
            new LoopTimer(io, guest, "far", () -> { }).armAt(Long.MAX_VALUE - 1);
        };

        assertThat(Simulation.run(scenario, 1).orThrow().isFailed()).isFalse();
    }

    @Test
    void shouldSayThatAFailureDoesNotRepeatItself() {
        int[] runs = new int[1];
        Scenario scenario = sim ->
                sim.inTheEnd("only the first fails", () -> ++runs[0] > 1);

        SearchReport report = ScheduleSearch.of(scenario).explore();

        RunReport kept = report.failure("only the first fails");
        assertThat(kept.isFailed()).isTrue();
        assertThat(kept.story()).singleElement().asString().contains("outside the simulation");
    }

    @Test
    void shouldReportAnActorThatWaitsForEver() {
        Scenario scenario = sim -> sim.actor("guest").doesWhen("reads", () -> false, () -> { });

        RunReport report = Simulation.run(scenario, 1);

        assertThat(report.kind()).isEqualTo("stuck");
        assertThat(report.detail()).contains("guest never reads");
    }

    @Test
    void shouldRunOneTaskInEachStep() {
        Set<String> orders = new HashSet<>();
        Scenario scenario = sim -> {
            StringBuilder order = new StringBuilder();
            for (String name : List.of("a", "b")) {
                AioContext context = sim.context(name);
                context.execute(() -> order.append(name));
                context.execute(() -> order.append(name));
            }
            sim.inTheEnd("order", () -> remember(orders, order.toString()));
        };

        ScheduleSearch.of(scenario).preemptionsMax(4).explore();

        assertThat(orders).containsExactlyInAnyOrder(
                "aabb", "abab", "abba", "bbaa", "baba", "baab");
    }

    @Test
    void shouldFinishWorkInAnyOrderThatTwoWorkersCan() {
        Set<String> orders = new HashSet<>();
        Scenario scenario = sim -> {
            StringBuilder order = new StringBuilder();
            AioContext io = sim.context("io");
            io.execute(() -> {
                for (String name : List.of("a", "b", "c")) {
                    io.workers().submit(io, new Job(name, order));
                }
            });
            sim.inTheEnd("order", () -> remember(orders, order.toString()));
        };

        ScheduleSearch.of(scenario).preemptionsMax(3).explore();

        assertThat(orders).containsExactlyInAnyOrder("abc", "acb", "bac", "bca");
    }

    @Test
    void shouldLetTimePassOnlyWhereNobodyCanMove() {
        List<Long> fired = new ArrayList<>();
        Scenario scenario = sim -> {
            fired.clear();
            LoopTimer[] timer = new LoopTimer[1];
            timer[0] = new LoopTimer(sim.context("io"), "alarm",
                    () -> fired.add(sim.clock().nanoTime()));
            timer[0].armAt(1_000);
            sim.actor("other").repeats(5, "hums", () -> assertThat(fired).isEmpty());
        };

        assertThat(Simulation.run(scenario, 7).orThrow().isFailed()).isFalse();
        assertThat(fired).containsExactly(1_000L);
    }

    @Test
    void shouldLetOthersLookIntoTheMiddleOfAControlOperation() {
        Scenario scenario = sim -> {
            int[] halves = new int[2];
            sim.actor("control", sim.main()).does("changes both halves", () -> {
                halves[0] = 1;
                sim.interleave("has changed one half");
                halves[1] = 1;
            });
            sim.actor("reader").does("compares the halves", () -> {
                if (halves[0] != halves[1]) {
                    sim.fail("halves differ", halves[0] + " and " + halves[1]);
                }
            });
        };

        SearchReport report = ScheduleSearch.of(scenario).explore();

        assertThat(report.failure("halves differ").story()).containsExactly(
                "control   changes both halves",
                "          has changed one half",
                "reader    compares the halves");
    }

    @Test
    void shouldFailARunWhoseCallbackThrows() {
        Scenario scenario = sim -> sim.context("io").execute(() -> {
            throw new IllegalStateException("broken");
        });

        RunReport report = Simulation.run(scenario, 1);

        assertThat(report.kind()).isEqualTo("error in a callback");
        assertThat(report.detail()).contains("broken").contains("io");
    }

    @Test
    void shouldRefuseBoundsUnderWhichNothingWouldHappen() {
        Scenario nothing = sim -> { };
        ScheduleSearch search = ScheduleSearch.of(nothing);

        refused(() -> search.preemptionsMax(-1), "-1 preemptions");
        refused(() -> search.stepsMax(0), "0 steps");
        refused(() -> search.schedulesMax(0), "0 schedules");
        Simulation.run(sim -> {
            refused(() -> sim.tasksPerTurn(0), "0 tasks");
            refused(() -> sim.actor("guest").repeats(-1, "moves", () -> { }), "guest", "-1");
        }, 1).orThrow();
    }

    @Test
    void shouldRefuseContextsThatItDoesNotStepAndToEndTheRunItself() {
        AioContext stranger = new AioContext("stranger", LoopSeams.system());

        Simulation.run(sim -> {
            refused(() -> sim.given(stranger, () -> { }), "stranger", "not of this simulation");
            refused(() -> sim.actor("guest", stranger), "stranger", "not of this simulation");
            refused(() -> sim.endLoop(stranger), "stranger", "not of this simulation");
            refused(() -> sim.endLoop(sim.main()), "control thread");
        }, 1).orThrow();
        assertThat(stranger.hasOwner()).isFalse();
    }

    @Test
    void shouldRefuseToBeBuiltWhileItRuns() {
        RunReport report = Simulation.run(sim ->
                sim.actor("control", sim.main()).does("builds", () ->
                        sim.given(sim.main(), () -> { })), 1);

        assertThat(report.isFailed()).isTrue();
        assertThat(report.detail()).contains("built already");
    }

    @Test
    @Rule("AIO-58")
    void shouldRefuseToLetAnybodyButControlWait() {
        Scenario scenario = sim -> {
            AioContext io = sim.context("io");
            io.execute(() -> io.poll(Long.MAX_VALUE));
        };

        assertThat(Simulation.run(scenario, 1).kind()).isEqualTo("wait");
    }

    private static void lostUpdate(Simulation sim) {
        int[] value = new int[1];
        for (String name : List.of("left", "right")) {
            int[] seen = new int[1];
            sim.actor(name).does("reads", () -> seen[0] = value[0])
                    .does("writes", () -> value[0] = seen[0] + 1);
        }
        sim.inTheEnd("both counted", () -> value[0] == 2);
    }

    private static boolean isNotHeld(Runnable throwing) {
        throwing.run();
        return true;
    }

    private static boolean remember(Set<String> orders, String order) {
        orders.add(order);
        return true;
    }

    private static RunReport firstFailure(Scenario scenario) {
        for (long seed = 0; ; seed++) {
            RunReport report = Simulation.run(scenario, seed);
            if (report.isFailed()) {
                return report;
            }
        }
    }

    private static void await(AioContext main, BooleanSupplier done) {
        ControlWait.until(main, new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return done.getAsBoolean();
            }

            @Override
            public void describe(WaitReport out) {
                // Nothing that could not make progress.
            }
        });
    }

    private static void refused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(parts);
    }

    private static final class Job extends WorkItem {
        private final String name;
        private final StringBuilder order;

        Job(String name, StringBuilder order) {
            this.name = name;
            this.order = order;
        }

        @Override
        protected void work() {
            order.append(name);
        }

        @Override
        protected void run() {
            // Back home.
        }
    }
}
