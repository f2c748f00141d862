package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.LoopTimer;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Somebody stops a clock at every place, also in the middle of a callback of one of its timers. */
class ClockStopTest {
    private static final int PREEMPTIONS = 3;

    @Test
    @Rule("AIO-56")
    void shouldTellWhoStopsAClockWhenTheCallbackThatItFoundRunningHasEnded() {
        int[] foundRunning = new int[1];

        SearchReport report = ScheduleSearch.of(sim -> new Story(sim, foundRunning).tell())
                .preemptionsMax(PREEMPTIONS).explore();

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
        assertThat(foundRunning[0]).as("schedules in which one ran").isPositive();
    }

    private static final class Story {
        private final Simulation sim;
        private final int[] foundRunning;
        private final MachineClock clock;
        private boolean running;
        private boolean told;

        Story(Simulation sim, int[] foundRunning) {
            this.sim = sim;
            this.foundRunning = foundRunning;
            this.clock = MachineClock.paced("guest", Clock.Kind.VIRTUAL, sim.clock());
        }

        void tell() {
            new LoopTimer(sim.main(), clock, "timer", this::fire).armAt(0);
            sim.actor("somebody").does("starts", clock::start).does("stops", this::stop);
            sim.inTheEnd("the stop was answered", () -> told);
        }

        private void fire() {
            running = true;
            sim.interleave("is in the middle of a callback");
            running = false;
        }

        private void stop() {
            foundRunning[0] += running ? 1 : 0;
            CompletionStage<@Nullable Void> stopped = clock.stop();
            if (stopped.toCompletableFuture().isDone() == running) {
                sim.fail(running ? "told too early" : "told too late", "at the stop");
            }
            stopped.thenRun(() -> {
                told = true;
                if (running) {
                    sim.fail("told too early", "the callback runs");
                }
            });
        }
    }
}
