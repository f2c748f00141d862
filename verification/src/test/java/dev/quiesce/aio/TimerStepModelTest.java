package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.LoopSeams.NotifyProtocol;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.ClockTimers;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A loop that looks how long it may sleep, against another thread that arms its timer anew, for an
 * earlier time, and against time itself: no deadline is slept through.
 */
class TimerStepModelTest {
    private static final String OVERSLEPT = "loop waits for ever at \"sleeps\"";
    private static final long FAR = 100;
    private static final long NEAR = 10;

    @Test
    @Rule("AIO-55")
    @Rule("AIO-34")
    void shouldNotSleepThroughATimerThatIsArmedAnew() {
        StepReport report = explore(FAR, TimerStepModelTest::armer, TimerStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-55")
    void shouldNotSleepThroughTheFirstTimerThatIsArmed() {
        StepReport report = explore(
                Long.MAX_VALUE, TimerStepModelTest::armer, TimerStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteSayingSoBeforeItIsArmed() {
        StepReport report = explore(FAR, program -> program
                .step("announces", w -> w.protocol.announce())
                .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : "arms the timer")
                .step("unparks", w -> w.permit = true)
                .step("arms the timer", World::armAnew), TimerStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(OVERSLEPT);
    }

    @Test
    void shouldRefuteLookingBeforeItForgetsWhatItWasTold() {
        StepReport report = explore(FAR, TimerStepModelTest::armer, program -> {
            program.branch("fires what is due", w -> w.fires() ? END : null)
                    .step("looks how long it may sleep", World::look)
                    .step("acknowledges", World::acknowledge);
            sleeps(program, "fires what is due");
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(OVERSLEPT);
    }

    @Test
    void shouldRefuteAsleepThatDoesNotAskWhetherItMay() {
        StepReport report = explore(FAR, TimerStepModelTest::armer, program -> program
                .step("acknowledges", World::acknowledge)
                .branch("fires what is due", w -> w.fires() ? END : null)
                .step("looks how long it may sleep", World::look)
                .step("arms", w -> w.protocol.arm())
                .stepWhen("sleeps", World::isAwake, w -> w.permit = false)
                .step("disarms", w -> w.protocol.disarm())
                .branch("goes on", w -> "acknowledges"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(OVERSLEPT);
    }

    /** As {@code LoopTimer.armAt}. */
    private static void armer(StepProgram<World> program) {
        program.branch("arms the timer", w -> w.armAnew() ? null : END)
                .step("announces", w -> w.protocol.announce())
                .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : END)
                .branch("takes it down", w -> w.protocol.takeDown() ? null : END)
                .step("unparks", w -> w.permit = true);
    }

    /** As {@code Turn.take}: forgets, fires, looks, sleeps. */
    private static void loop(StepProgram<World> program) {
        program.step("acknowledges", World::acknowledge)
                .branch("fires what is due", w -> w.fires() ? END : null)
                .branch("is any timer armed?", w -> w.isAnyArmed() ? null : "arms")
                .step("looks how long it may sleep", World::look);
        sleeps(program, "acknowledges");
    }

    private static void sleeps(StepProgram<World> program, String then) {
        program.step("arms", w -> w.protocol.arm())
                .branch("may it sleep?", w -> !w.protocol.isAnnounced() ? null : "disarms")
                .stepWhen("sleeps", World::isAwake, w -> w.permit = false)
                .step("disarms", w -> w.protocol.disarm())
                .branch("goes on", w -> then);
    }

    private static StepReport explore(long armedForNanos, Consumer<StepProgram<World>> armer,
            Consumer<StepProgram<World>> loop) {
        return StepModel.of("can a loop oversleep a timer?", () -> new World(armedForNanos))
                .fingerprint(World::toString)
                .showing(World::toString)
                .actor("armer", armer)
                .actor("time", program -> program.step("passes", w -> w.nowNanos = NEAR))
                .actor("loop", loop)
                .inTheEnd("the timer has fired once", w -> w.fired == 1)
                .explore();
    }

    /** A loop with one timer; its own list of timers, its own handshake, a clock that is moved. */
    private static final class World implements Clock {
        int fired;
        final NotifyProtocol protocol = new NotifyProtocol();
        private final AioContext context =
                new AioContext("loop", LoopSeams.system().withClock(this));
        private final LoopTimer timer =
                new LoopTimer(context, this, "timer", () -> fired++);
        private final LoopTimer.Heap heap = context.turn().timers().of(this);
        boolean permit;
        long nowNanos;

        /** Until when the loop sleeps. */
        private long untilNanos = Long.MAX_VALUE;

        World(long armedForNanos) {
            if (armedForNanos != Long.MAX_VALUE) {
                heap.arm(timer, armedForNanos, false);
            }
        }

        boolean armAnew() {
            return heap.arm(timer, NEAR, false) == ClockTimers.Armed.NEXT;
        }

        void acknowledge() {
            protocol.acknowledge();
        }

        boolean fires() {
            return heap.run();
        }

        boolean isAnyArmed() {
            untilNanos = Long.MAX_VALUE;
            return !heap.isEmpty();
        }

        void look() {
            long sleepNanos = heap.nanosUntilNext();
            untilNanos = sleepNanos == Long.MAX_VALUE ? sleepNanos : nowNanos + sleepNanos;
        }

        boolean isAwake() {
            return permit || untilNanos <= nowNanos;
        }

        @Override
        public long nanoTime() {
            return nowNanos;
        }

        @Override
        public String toString() {
            return "at " + nowNanos + ", next " + heap.nextDeadlineNanos() + ", sleeps until "
                    + untilNanos + (protocol.isAnnounced() ? ", announced" : "")
                    + (protocol.isArmed() ? ", armed" : "") + (permit ? ", permit" : "")
                    + ", fired " + fired;
        }
    }
}
