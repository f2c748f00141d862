package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Asks of two threads against the loop: every ask is followed by a run that sees it. */
class BottomHalfStepModelTest {
    private static final String LOST = "an ask was never served";
    private static final String TWICE = "queued twice";
    private static final String UNANSWERED = "an ask was neither refused nor reported, or both";
    private static final String MISSED = "cancelled, and its cause was not seen";
    private static final String LATE = "it ran after it had been found deleted";

    @Test
    @Rule("AIO-2")
    @Rule("AIO-3")
    @Rule("AIO-4")
    @Rule("AIO-5")
    void shouldServeEveryAskAndBeQueuedOnce() {
        StepReport report = explore(BottomHalfStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-5")
    void shouldRefuteFlagsThatAreClearedAfterTheRun() {
        StepReport report = explore(a -> a.serves()
                .stepWhen("leaves the queue", w -> w.queued == 1, w -> w.queued--)
                .step("runs", w -> w.served = w.asked)
                .branch("clears its flags", w -> {
                    w.half.begin();
                    return "leaves the queue";
                }));

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    @Rule("AIO-5")
    void shouldRefuteFlagsThatAreClearedWhileItIsStillQueued() {
        StepReport report = explore(a -> a.serves()
                .stepWhen("clears its flags", w -> w.queued > 0, w -> w.half.begin())
                .step("leaves the queue", w -> w.queued--)
                .branch("runs", w -> {
                    w.served = w.asked;
                    return "clears its flags";
                }));

        assertThat(report.failure()).as(report.toString()).isEqualTo(TWICE);
    }

    @Test
    @Rule("AIO-12")
    void shouldNeverRunAfterItWasFoundDeleted() {
        StepReport report = model()
                .actor("loop", BottomHalfStepModelTest::loop)
                .actor("scheduler", BottomHalfStepModelTest::scheduler)
                .actor("deleter", a -> a
                        .branch("deletes", w -> queueIfFirst(w.half.markDeleted()))
                        .step("queues", w -> w.queued++))
                .inTheEnd("reclaimed, and in no queue", w -> w.reclaimed && w.queued == 0)
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-11")
    @Rule("BUG-12")
    void shouldShowTheConditionToWhoCancelsAndThenChecksIt() {
        StepReport report = cancelling()
                .actor("consumer", a -> a
                        .step("cancels", w -> w.half.cancel())
                        .step("checks", w -> w.served = w.asked))
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-11")
    void shouldRefuteACheckBeforeTheCancel() {
        StepReport report = cancelling()
                .actor("consumer", a -> a
                        .step("checks", w -> w.served = w.asked)
                        .step("cancels", w -> w.half.cancel()))
                .explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(MISSED);
    }

    private static StepModel<World> cancelling() {
        return model()
                .actor("producer", a -> a
                        .step("makes it true", w -> w.asked++)
                        .branch("asks", w -> queueIfFirst(w.half.ask()))
                        .step("queues", w -> w.queued++))
                .inTheEnd(MISSED, w -> w.served == 1 || w.half.isScheduled());
    }

    @Test
    @Rule("IOT-6")
    void shouldAnswerAScheduleThatComesWhileItsLoopEnds() {
        StepReport report = ending(true).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("IOT-6")
    void shouldRefuteAnEndThatDropsWhatLookedDeadWithoutAnotherLook() {
        StepReport report = ending(false).explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNANSWERED);
    }

    /**
     * A bottom half that is queued and cancelled when its loop ends; as {@code Task.Fifo.describe}.
     */
    private static StepModel<World> ending(boolean looksAgain) {
        return StepModel.of("is every ask answered?", World::ended)
                .fingerprint(World::toString)
                .showing(World::toString)
                .actor("end", a -> a
                        .branch("is it live?", w -> {
                            w.reported = w.half.isLive();
                            return w.reported ? END : null;
                        })
                        .step("drops it", w -> {
                            boolean left = w.half.abandon();
                            w.reported = looksAgain && left;
                        }))
                .actor("scheduler", a -> a.step("schedules", World::schedule))
                .inTheEnd(UNANSWERED, w -> w.reported != w.refused);
    }

    /** As {@code BottomHalf.step}. */
    private static void loop(StepProgram<World> program) {
        program.serves()
                .stepWhen("leaves the queue", w -> w.queued == 1, w -> w.queued--)
                .branch("clears its flags", w -> {
                    int old = w.half.begin();
                    w.reclaimed |= (old & BottomHalf.DELETED) != 0;
                    boolean runs = (old & (BottomHalf.DELETED | BottomHalf.SCHEDULED))
                            == BottomHalf.SCHEDULED;
                    return runs ? null : "leaves the queue";
                })
                .branch("runs", w -> {
                    w.served = w.asked;
                    w.late |= w.reclaimed;
                    return "leaves the queue";
                });
    }

    /** As {@code BottomHalf.schedule}, twice. */
    private static void scheduler(StepProgram<World> program) {
        program.step("does something", w -> w.asked++)
                .branch("asks", w -> queueIfFirst(w.half.ask()) == null
                        ? null : "does more")
                .step("queues", w -> w.queued++)
                .step("does more", w -> w.asked++)
                .branch("asks again", w -> queueIfFirst(w.half.ask()))
                .step("queues again", w -> w.queued++);
    }

    /** The next step, if it is to queue; else the end. A deleted one is left alone by an ask. */
    private static String queueIfFirst(int old) {
        return (old & (BottomHalf.PENDING | BottomHalf.DELETED)) == 0 ? null : END;
    }

    private static StepReport explore(Consumer<StepProgram<World>> loop) {
        return model()
                .actor("loop", loop)
                .actor("scheduler", BottomHalfStepModelTest::scheduler)
                .actor("another", BottomHalfStepModelTest::scheduler)
                .inTheEnd(LOST, w -> w.served == w.asked)
                .explore();
    }

    private static StepModel<World> model() {
        return StepModel.of("is every ask served?", World::new)
                .fingerprint(World::toString)
                .showing(World::toString)
                .always(TWICE, w -> w.queued <= 1)
                .always(LATE, w -> !w.late);
    }

    /** A bottom half, and how often it is in its context's queue. */
    private static final class World {
        final AioContext context = new AioContext("home", LoopSeams.system());
        final BottomHalf half = new BottomHalf(context, "half", () -> { });
        int asked;
        int served;
        int queued;
        boolean reclaimed;
        boolean late;
        boolean reported;
        boolean refused;

        /** The loop has ended; a bottom half that was cancelled is still in its queue. */
        static World ended() {
            World world = new World();
            try (Lease lease = world.context.acquire()) {
                world.context.end("the end");
            }
            world.half.ask();
            world.half.cancel();
            return world;
        }

        void schedule() {
            try {
                half.schedule();
            } catch (IllegalStateException e) {
                refused = true;
            }
        }

        @Override
        public String toString() {
            return "flags " + half.flags() + ", " + queued + " queued, " + served + " of " + asked
                    + " served" + (reclaimed ? ", reclaimed" : "")
                    + (reported ? ", reported" : "") + (refused ? ", refused" : "");
        }
    }
}
