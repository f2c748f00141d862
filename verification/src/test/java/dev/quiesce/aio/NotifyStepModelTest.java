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
    @Rule("AIO-36")
    @Rule("AIO-37")
    void shouldNeverSleepOnAPostedEvent() {
        StepReport report = explore(NotifyStepModelTest::poster, NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-33")
    @Rule("AIO-36")
    @Rule("BUG-25")
    void shouldNeverSleepOnATaskInTheInboxThoughNobodyAnnouncesIt() {
        StepReport report = explore(
                NotifyStepModelTest::inboxPoster, NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-33")
    @Rule("JCQ-T19")
    void jcqT19ShouldNeverSleepOnATaskThatIsClaimedAndNotYetThere() {
        StepReport report = explore(
                NotifyStepModelTest::slowPoster, NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-34")
    void shouldRefuteALoopThatLooksForTasksThatAreThereBeforeItSleeps() {
        StepReport report = explore(NotifyStepModelTest::earlyPoster,
                a -> a.step("arms", w -> w.protocol.arm())
                        .branch("is something there?", w -> w.there > 0 ? "disarms" : null)
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("disarms", w -> w.protocol.disarm())
                        .step("looks", World::look)
                        .branch("goes on", w -> w.served == 2 ? END : "arms"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-33")
    void shouldNeverSleepOnEitherWhenBothCome() {
        StepReport report = explore(NotifyStepModelTest::inboxPoster,
                NotifyStepModelTest::poster, NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-34")
    void shouldRefuteALoopThatLooksAtItsInboxBeforeItArms() {
        StepReport report = explore(NotifyStepModelTest::inboxPoster,
                a -> a.branch("is something in the inbox?", w -> w.inbox > 0 ? "looks" : null)
                        .step("arms", w -> w.protocol.arm())
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("disarms", w -> w.protocol.disarm())
                        .step("looks", World::look)
                        .branch("goes on", w -> w.served == 2
                                ? END : "is something in the inbox?"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-33")
    void shouldBeWokenForWhatIsPostedAfterAWakeUpThatFailed() {
        StepReport report = explore(
                a -> failsToWake(a, NotifyProtocol::rearm),
                NotifyStepModelTest::posterAfterAFailure, NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-33")
    void shouldRefuteAPosterThatCannotWakeTheLoopAndLeavesItUnarmed() {
        StepReport report = explore(
                a -> failsToWake(a, protocol -> { }),
                NotifyStepModelTest::posterAfterAFailure, NotifyStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-2")
    @Rule("AIO-33")
    void shouldBeWokenForWhatIsQueuedThoughAnAskThatFindsItPendingComesFirst() {
        StepReport report = explore(
                NotifyStepModelTest::burstPoster, NotifyStepModelTest::asksAgain,
                NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-2")
    @Rule("AIO-33")
    void shouldBeWokenForASecondAskAfterAWakeUpThatFailed() {
        StepReport report = explore(
                a -> failsToWake(asksFirst(a), NotifyProtocol::rearm),
                a -> wakes(a.stepWhen("asks again", w -> w.failed, w -> { })),
                NotifyStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-2")
    void shouldRefuteASecondAskThatDoesNotLookWhetherTheLoopIsArmed() {
        StepReport report = explore(
                a -> failsToWake(asksFirst(a), NotifyProtocol::rearm),
                a -> a.stepWhen("asks again", w -> w.failed, w -> { }),
                NotifyStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-33")
    void shouldRefuteAPosterThatTakesDownBeforeItPushes() {
        StepReport report = explore(
                a -> a.branch("is the loop armed?", w -> w.protocol.isArmed() ? null : "pushes")
                        .step("takes it down", w -> w.permit |= w.protocol.takeDown())
                        .step("pushes", World::push),
                NotifyStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
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
                        .branch("may it sleep?", w -> !w.protocol.isAnnounced() ? null : "disarms")
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("disarms", w -> w.protocol.disarm())
                        .step("looks", w -> w.served = w.posted)
                        .step("acknowledges", w -> w.protocol.acknowledge())
                        .branch("goes on", w -> w.served == 2 ? END : "arms"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    @Rule("AIO-37")
    @Rule("BUG-17")
    void shouldRefuteAnAcknowledgeFromElsewhere() {
        StepReport report = explore(NotifyStepModelTest::poster,
                a -> a.step("makes its event visible", w -> w.posted++)
                        .step("announces", w -> w.protocol.announce())
                        .branch("is the loop armed?",
                                w -> w.protocol.isArmed() ? null : "acknowledges")
                        .branch("takes it down",
                                w -> w.protocol.takeDown() ? null : "acknowledges")
                        .step("unparks", w -> w.permit = true)
                        .step("acknowledges", w -> w.protocol.acknowledge()),
                NotifyStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    @Test
    void shouldRefuteDecidingToSleepBeforeArming() {
        StepReport report = explore(NotifyStepModelTest::poster,
                a -> a.branch("may it sleep?",
                                w -> w.protocol.isAnnounced() ? "acknowledges" : null)
                        .step("arms", w -> w.protocol.arm())
                        .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                        .step("disarms", w -> w.protocol.disarm())
                        .step("acknowledges", w -> w.protocol.acknowledge())
                        .step("looks", w -> w.served = w.posted)
                        .branch("goes on", w -> w.served == 2 ? END : "may it sleep?"));

        assertThat(report.failure()).as(report.toString()).isEqualTo(ASLEEP);
    }

    /** As {@code AioContext.wake}: event, {@code raise}, unpark. */
    private static void poster(StepProgram<World> program) {
        program.step("makes its event visible", w -> w.posted++)
                .step("announces", w -> w.protocol.announce());
        wakes(program);
    }

    /** As {@code AioContext.post}: the event is in the inbox, which the loop looks at itself. */
    private static void inboxPoster(StepProgram<World> program) {
        program.step("pushes", World::push);
        wakes(program);
    }

    /** The same for two tasks; as {@code BottomHalf.schedule}, others find them pending before. */
    private static void burstPoster(StepProgram<World> program) {
        wakes(asksFirst(program).step("pushes", World::push));
    }

    private static StepProgram<World> asksFirst(StepProgram<World> program) {
        return program.step("asks", w -> w.pending = true).step("pushes one", World::push);
    }

    /** As {@code BottomHalf.schedule} of what another one has queued, or is about to. */
    private static void asksAgain(StepProgram<World> program) {
        wakes(program.stepWhen("asks again", w -> w.pending, w -> { }));
    }

    /** The same, interrupted between the claim of a place in the inbox and the store. */
    private static void slowPoster(StepProgram<World> program) {
        program.step("claims", World::claim).step("stores", World::store);
        wakes(program);
    }

    /** Looks at whether the loop is armed before its store is done, as a processor may. */
    private static void earlyPoster(StepProgram<World> program) {
        program.step("claims", World::claim)
                .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : "stores late")
                .branch("takes it down", w -> w.protocol.takeDown() ? null : "stores late")
                .step("unparks", w -> w.permit = true)
                .step("stores late", World::store);
    }

    /** As {@code NotifyProtocol.mustWake}, and unpark. */
    private static void wakes(StepProgram<World> program) {
        program.branch("is the loop armed?", w -> w.protocol.isArmed() ? null : END)
                .branch("takes it down", w -> w.protocol.takeDown() ? null : END)
                .step("unparks", w -> w.permit = true);
    }

    /** As {@link #inboxPoster}, without memory to unpark the loop. */
    private static void failsToWake(
            StepProgram<World> program, Consumer<NotifyProtocol> afterwards) {
        program.step("pushes", World::push)
                .branch("is the loop armed?", w -> w.protocol.isArmed() ? null : "is done")
                .branch("takes it down", w -> w.protocol.takeDown() ? null : "is done")
                .step("cannot unpark", w -> afterwards.accept(w.protocol))
                .step("is done", w -> w.failed = true);
    }

    /** As {@link #poster}, once that one is done. */
    private static void posterAfterAFailure(StepProgram<World> program) {
        program.stepWhen("comes later", w -> w.failed, w -> { });
        poster(program);
    }

    /** As {@code AioContext.poll}, until it has served both. */
    private static void loop(StepProgram<World> program) {
        program.step("arms", w -> w.protocol.arm())
                .branch("was something announced?",
                        w -> w.protocol.isAnnounced() ? "disarms" : null)
                .branch("is something in the inbox?", w -> w.inbox > 0 ? "disarms" : null)
                .stepWhen("sleeps", w -> w.permit, w -> w.permit = false)
                .step("disarms", w -> w.protocol.disarm())
                .step("acknowledges", w -> w.protocol.acknowledge())
                .step("looks", World::look)
                .branch("goes on", w -> w.served == 2 ? END : "arms");
    }

    private static StepReport explore(
            Consumer<StepProgram<World>> poster, Consumer<StepProgram<World>> loop) {
        return explore(poster, poster, loop);
    }

    private static StepReport explore(Consumer<StepProgram<World>> poster,
            Consumer<StepProgram<World>> another, Consumer<StepProgram<World>> loop) {
        return StepModel.of("does the loop sleep on a posted event?", World::new)
                .actor("loop", loop)
                .actor("poster", poster)
                .actor("another", another)
                .fingerprint(World::toString)
                .showing(World::toString)
                .explore();
    }

    /** A loop, its inbox, and the permit of its thread. */
    private static final class World {
        final NotifyProtocol protocol = new NotifyProtocol();
        int posted;
        int served;

        /** Of what was posted, what the loop finds in its inbox. */
        int inbox;

        /** Of what is in the inbox, what it can take. */
        int there;
        boolean permit;

        /** Whether the poster that could not unpark the loop is done. */
        boolean failed;

        /** Whether an ask finds what it asks for queued, or about to be. */
        boolean pending;

        void push() {
            claim();
            store();
        }

        void claim() {
            posted++;
            inbox++;
        }

        void store() {
            there++;
        }

        void look() {
            // An event that is announced, and not in the inbox, is there at once.
            served = posted - inbox + there;
            inbox -= there;
            there = 0;
        }

        @Override
        public String toString() {
            return (protocol.isArmed() ? "armed " : "")
                    + (protocol.isAnnounced() ? "announced " : "")
                    + (permit ? "permit " : "") + (failed ? "failed " : "")
                    + (pending ? "pending " : "")
                    + served + " of " + posted + ", inbox " + inbox
                    + ", there " + there;
        }
    }
}
