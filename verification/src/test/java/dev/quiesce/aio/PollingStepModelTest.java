package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.LoopSeams.NotifyProtocol;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A loop that polls before it sleeps, against a poster, whose task in the inbox is its own notice,
 * and a device whose notifications are suppressed while the loop polls: nobody's event is slept on.
 */
class PollingStepModelTest {
    private static final String ASLEEP = "loop waits for ever at \"sleeps\"";
    private static final int EVENTS = 2;

    @Test
    @Rule("AIO-32")
    @Rule("AIO-34")
    @Rule("AIO-38")
    void shouldNeverSleepOnAnEventThatPollingMissed() {
        StepReport report = explore(PollingStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-32")
    void shouldRefuteSleepingWithoutAskingOnceMore() {
        StepReport report = explore(a -> {
            polls(a);
            a.step("asks to be told again", w -> w.suppressed = false);
            sleepsAndServes(a);
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-32")
    void shouldRefuteAskingBeforeItIsToldAgain() {
        StepReport report = explore(a -> {
            polls(a);
            a.branch("asks once more", w -> w.rung < w.produced ? "acknowledges" : null)
                    .step("asks to be told again", w -> w.suppressed = false);
            sleepsAndServes(a);
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-34")
    void shouldRefuteTakingPollingForTheLookBeforeTheSleep() {
        StepReport report = explore(a -> {
            polls(a);
            a.step("asks to be told again", w -> w.suppressed = false)
                    .branch("asks once more", w -> w.rung < w.produced ? "acknowledges" : null)
                    .step("arms", w -> w.protocol.arm())
                    .stepWhen("sleeps", w -> w.permit, w -> w.permit = false);
            serves(a);
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    /** As {@code Turn.Sleep}: polls unarmed, leaves polling mode, and sleeps as ever. */
    private static void loop(StepProgram<World> program) {
        polls(program);
        program.step("asks to be told again", w -> w.suppressed = false)
                .branch("asks once more", w -> w.rung < w.produced ? "acknowledges" : null);
        sleepsAndServes(program);
    }

    private static void polls(StepProgram<World> program) {
        program.step("need not be told", w -> w.suppressed = true)
                .branch("was something announced?",
                        w -> w.protocol.isAnnounced() ? "acknowledges" : null)
                .branch("is something in the inbox?",
                        w -> w.served < w.posted ? "acknowledges" : null)
                .branch("asks the device", w -> w.rung < w.produced ? "acknowledges" : null);
    }

    private static void sleepsAndServes(StepProgram<World> program) {
        program.step("arms", w -> w.protocol.arm())
                .branch("was something announced before the sleep?",
                        w -> w.protocol.isAnnounced() ? "disarms" : null)
                .branch("is something in the inbox before the sleep?",
                        w -> w.served < w.posted ? "disarms" : null)
                .stepWhen("sleeps", w -> w.permit, w -> w.permit = false);
        serves(program);
    }

    private static void serves(StepProgram<World> program) {
        program.step("disarms", w -> w.disarmIfArmed())
                .step("acknowledges", w -> w.acknowledge())
                .step("looks", w -> {
                    w.served = w.posted;
                    w.rung = w.produced;
                })
                .branch("goes on", w -> w.served + w.rung == EVENTS ? END : "need not be told");
    }

    /** As {@code AioContext.post}. */
    private static void poster(StepProgram<World> program) {
        program.step("pushes", w -> w.posted++);
        wakes(program);
    }

    /** As a guest that looks whether its device wants to be told. */
    private static void device(StepProgram<World> program) {
        program.step("produces", w -> w.produced++)
                .branch("is it to tell?", w -> w.suppressed ? END : null)
                .step("announces", w -> w.protocol.announce());
        wakes(program);
    }

    /** As {@code NotifyProtocol.mustWake}, and unpark. */
    private static void wakes(StepProgram<World> program) {
        program.branch("is the loop armed?", w -> w.protocol.isArmed() ? null : END)
                .branch("takes it down", w -> w.protocol.takeDown() ? null : END)
                .step("unparks", w -> w.permit = true);
    }

    private static StepReport explore(Consumer<StepProgram<World>> loop) {
        return StepModel.of("does the loop sleep on an event that polling missed?", World::new)
                .actor("loop", loop)
                .actor("poster", PollingStepModelTest::poster)
                .actor("device", PollingStepModelTest::device)
                .fingerprint(World::toString)
                .showing(World::toString)
                .explore();
    }

    private static final class World {
        final NotifyProtocol protocol = new NotifyProtocol();
        int posted;
        int served;
        int produced;
        int rung;
        boolean suppressed;
        boolean permit;

        /** Steps that jump over the sleep find the loop unarmed. */
        void disarmIfArmed() {
            if (protocol.isArmed()) {
                protocol.disarm();
            }
        }

        void acknowledge() {
            boolean unused = protocol.acknowledge();
        }

        @Override
        public String toString() {
            return (protocol.isArmed() ? "armed " : "")
                    + (protocol.isAnnounced() ? "announced " : "")
                    + (suppressed ? "suppressed " : "") + (permit ? "permit " : "")
                    + served + " of " + posted + ", " + rung + " of " + produced;
        }
    }
}
