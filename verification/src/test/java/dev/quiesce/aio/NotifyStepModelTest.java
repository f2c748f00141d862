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

/** A loop that falls asleep against two threads that post: nobody sleeps on a posted event. */
class NotifyStepModelTest {
    private static final String ASLEEP = "loop waits for ever at \"sleeps\"";

    @Test
    @Rule("AIO-33")
    @Rule("AIO-34")
    @Rule("AIO-35")
    @Rule("AIO-37")
    @Rule("JCQ-T19")
    void shouldNeverSleepOnAPostedEvent() {
        StepReport report = explore(NotifyStepModelTest::poster, NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-33")
    @Rule("BUG-16")
    void shouldRefuteANotifyOnlyWhileTheLoopIsArmed() {
        StepReport report = explore(
                a -> a.step("makes its event visible", w -> w.posted++)
                        .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : END)
                        .step("announces", w -> w.protocol.announce())
                        .step("unparks", w -> w.permit = true),
                NotifyStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    void shouldRefuteAnnouncingBeforeTheEventIsVisible() {
        StepReport report = explore(
                a -> a.step("announces", w -> w.protocol.announce())
                        .step("makes its event visible", w -> w.posted++)
                        .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : END)
                        .step("unparks", w -> w.permit = true),
                NotifyStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-37")
    @Rule("BUG-15")
    void shouldRefuteAnAcknowledgeAfterTheLook() {
        StepReport report = explore(NotifyStepModelTest::poster,
                a -> a.step("arms", w -> w.protocol.arm())
                        .branch("may it sleep?", w -> w.protocol.mayPark() ? null : "disarms")
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("disarms", w -> w.protocol.disarm())
                        .step("looks", w -> w.served = w.posted)
                        .step("acknowledges", w -> w.protocol.acknowledge())
                        .branch("goes on", w -> w.served == 2 ? END : "arms"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    void shouldRefuteDecidingToSleepBeforeArming() {
        StepReport report = explore(NotifyStepModelTest::poster,
                a -> a.branch("may it sleep?", w -> w.protocol.mayPark() ? null : "acknowledges")
                        .step("arms", w -> w.protocol.arm())
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("disarms", w -> w.protocol.disarm())
                        .step("acknowledges", w -> w.protocol.acknowledge())
                        .step("looks", w -> w.served = w.posted)
                        .branch("goes on", w -> w.served == 2 ? END : "may it sleep?"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    /** As {@code AioContext.post}: event, {@code raise}, unpark. */
    private static void poster(StepProgram<World> program) {
        program.step("makes its event visible", w -> w.posted++)
                .step("announces", w -> w.protocol.announce())
                .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : END)
                .step("unparks", w -> w.permit = true);
    }

    /** As {@code AioContext.poll}, until it has served both. */
    private static void loop(StepProgram<World> program) {
        program.step("arms", w -> w.protocol.arm())
                .branch("may it sleep?", w -> w.protocol.mayPark() ? null : "disarms")
                .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                .step("disarms", w -> w.protocol.disarm())
                .step("acknowledges", w -> w.protocol.acknowledge())
                .step("looks", w -> w.served = w.posted)
                .branch("goes on", w -> w.served == 2 ? END : "arms");
    }

    private static StepReport explore(
            Consumer<StepProgram<World>> poster, Consumer<StepProgram<World>> loop) {
        return StepModel.of("does the loop sleep on a posted event?", World::new)
                .actor("loop", loop)
                .actor("poster", poster)
                .actor("another", poster)
                .fingerprint(World::toString)
                .showing(World::toString)
                .explore();
    }

    /** A loop, its inbox, and the permit of its thread. */
    private static final class World {
        final NotifyProtocol protocol = new NotifyProtocol();
        int posted;
        int served;
        boolean permit;

        @Override
        public String toString() {
            return (protocol.isArmed() ? "armed " : "") + (protocol.mayPark() ? "" : "notified ")
                    + (permit ? "permit " : "") + served + " of " + posted;
        }
    }
}
