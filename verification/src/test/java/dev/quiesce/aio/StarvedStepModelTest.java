package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.LoopSeams.NotifyProtocol;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * Those who find no memory for a place in the queue, against the loop that queues for them when
 * there is some, and against its end: every ask is served, or answered, once.
 */
class StarvedStepModelTest {
    private static final String LOST = "what was due is never queued";
    private static final String UNANSWERED = "it was answered by nobody, or twice";

    @Test
    @Rule("AIO-2")
    @Rule("AIO-3")
    void shouldServeEveryAskThatFoundNoMemory() {
        StepReport report = serving(StarvedStepModelTest::asks, StarvedStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-71")
    void shouldBringHomeAnItemThatFoundNoMemory() {
        StepReport report = serving(StarvedStepModelTest::comesHome, StarvedStepModelTest::loop);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("IOT-6")
    @Rule("IOT-7")
    void shouldAnswerAnAskThatFoundNoMemoryWhileTheLoopEnds() {
        StepReport report = ending(StarvedStepModelTest::asks);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("IOT-6")
    @Rule("IOT-7")
    void shouldAnswerEverybodyWhoSchedulesWhileTheLoopEnds() {
        StepReport report = endingForMany(
                schedules(World::queueErrand, BottomHalf::isRefused));

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("IOT-6")
    @Rule("IOT-7")
    void shouldAnswerEverybodyWhoFindsNoMemoryWhileTheLoopEnds() {
        StepReport report = endingForMany(schedules(w -> false, BottomHalf::isRefused));

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteARefusalThatForgetsWhoCountedOnTheSameAsk() {
        StepReport report = endingForMany(schedules(World::queueErrand,
                half -> BottomHalf.asks(half.begin(), 0) != 0));

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNANSWERED);
    }

    @Test
    @Rule("IOT-6")
    void shouldReportAnItemThatFoundNoMemoryWhileTheLoopEnds() {
        StepReport report = ending(StarvedStepModelTest::comesHome);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-20")
    void shouldAnswerAnAskThatFindsNoMemoryWhileTheContextIsClosed() {
        StepReport report = closing(StarvedStepModelTest::asks, "decides", Remains::beSealed);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-20")
    void shouldAnswerEverybodyWhoFindsNoMemoryWhileTheContextIsClosed() {
        StepReport report = model(UNANSWERED, w -> w.context.isGone()
                        ? w.isEachAnswered() : w.accepted == 2 && w.answers == 0
                                && (w.served == w.asked || w.half.isScheduled()))
                .actor("one", schedules(w -> false, BottomHalf::isRefused))
                .actor("another", schedules(w -> false, BottomHalf::isRefused))
                .actor("close", close("decides", Remains::beSealed))
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteACloseThatDoesNotLookWhoIsStarved() {
        StepReport report = closing(StarvedStepModelTest::asks, "decides", remains -> true);

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNANSWERED);
    }

    @Test
    void shouldRefuteACloseThatLooksAndLeavesThoseUnansweredWhoComeLater() {
        StepReport report = closing(StarvedStepModelTest::asks, "decides",
                remains -> !remains.isStarved());

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNANSWERED);
    }

    @Test
    void shouldRefuteALookBeforeTheFlagIsTakenDown() {
        StepReport report = serving(StarvedStepModelTest::asks, program -> program.serves()
                .stepWhen("acknowledges", World::isAnnounced, World::acknowledge)
                .branch("is anything starved?", w -> w.remains().isStarved() ? null : "runs")
                .step("queues what is due", w -> w.remains().queueStarved())
                .step("nothing is any more", w -> w.remains().beFed())
                .branch("runs", w -> w.runs("acknowledges")));

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefuteSayingSoBeforeTheAskCanBeFound() {
        StepReport report = serving(program -> {
            ask(program);
            starve(program);
            program.step("is not pending", w -> w.half.unpend());
        }, StarvedStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefuteANotificationBeforeTheFlag() {
        StepReport report = serving(program -> {
            ask(program);
            program.step("is not pending", w -> w.half.unpend())
                    .step("notifies", w -> w.handshake().announce())
                    .step("says so", w -> w.remains().beStarved());
        }, StarvedStepModelTest::loop);

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefuteALookWhetherItIsGoneBeforeTheFlag() {
        StepReport report = ending(program -> {
            ask(program);
            program.step("is not pending", w -> w.half.unpend())
                    .branch("is it gone?", w -> w.context.isGone() ? "answers" : null);
            starve(program);
            program.branch("has asked", w -> END)
                    .step("answers", World::refuse);
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNANSWERED);
    }

    @Test
    void shouldRefuteARefusalWithoutTakingTheAsk() {
        StepReport report = ending(program -> {
            ask(program);
            program.step("is not pending", w -> w.half.unpend());
            starve(program);
            program.branch("is it gone?", w -> w.context.isGone() ? null : END)
                    .step("answers", w -> w.answers++);
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNANSWERED);
    }

    /** As {@code BottomHalf.schedule} from elsewhere, without memory. */
    private static void asks(StepProgram<World> program) {
        ask(program);
        program.step("is not pending", w -> w.half.unpend())
                .branch("says so", w -> w.remains().beStarved() ? null : "answers")
                .step("notifies", w -> w.handshake().announce())
                .branch("is it gone?", w -> w.context.isGone() ? "answers" : null)
                .branch("counts on the loop", w -> {
                    w.half.countOnTheLoop();
                    return END;
                })
                .step("answers", World::refuse);
    }

    /** As {@code BottomHalf.schedule} from elsewhere, with a note of what it says. */
    private static Consumer<StepProgram<World>> schedules(
            Predicate<World> queues, Predicate<BottomHalf> isRefused) {
        return program -> program.step("does something", w -> w.asked++)
                .branch("asks", w -> (w.half.ask() & BottomHalf.PENDING) == 0 ? null : w.accept())
                .branch("queues", w -> queues.test(w) ? w.accept() : null)
                .step("is not pending", w -> w.half.unpend())
                .branch("says so", w -> w.remains().beStarved() ? null : "answers")
                .step("notifies", w -> w.handshake().announce())
                .branch("is it gone?", w -> w.context.isGone() ? "answers" : null)
                .branch("counts on the loop", w -> {
                    w.half.countOnTheLoop();
                    return w.accept();
                })
                .step("answers", w -> {
                    if (isRefused.test(w.half)) {
                        w.refused++;
                    } else {
                        w.accepted++;
                    }
                });
    }

    private static void ask(StepProgram<World> program) {
        program.step("does something", w -> w.asked++)
                .branch("asks", w -> (w.half.ask() & BottomHalf.PENDING) == 0 ? null : END);
    }

    /** As {@code WorkItem.perform}, without memory. */
    private static void comesHome(StepProgram<World> program) {
        program.step("does the work", w -> w.asked++)
                .step("strands", w -> w.remains().stranded().add(w.item()));
        starve(program);
        program.branch("is it gone?", w -> w.context.isGone() ? null : END)
                .step("answers", w -> w.remains().stranded().empty(true));
    }

    /** As {@code Remains.starve}. */
    private static void starve(StepProgram<World> program) {
        program.step("says so", w -> w.remains().beStarved())
                .step("notifies", w -> w.handshake().announce());
    }

    /** As {@code Turn.take}. */
    private static void loop(StepProgram<World> program) {
        program.serves()
                .stepWhen("acknowledges", World::isAnnounced, World::acknowledge)
                .branch("is anything starved?", w -> w.remains().isStarved() ? null : "runs")
                .step("nothing is any more", w -> w.remains().beFed())
                .step("queues what is due", w -> w.remains().queueStarved())
                .branch("runs", w -> w.runs("acknowledges"));
    }

    /** Two who are due, and the loop. */
    private static StepReport serving(
            Consumer<StepProgram<World>> due, Consumer<StepProgram<World>> loop) {
        return model(LOST, w -> w.served == w.asked)
                .actor("one", due)
                .actor("another", due)
                .actor("loop", loop)
                .explore();
    }

    /** One who is due, and the end of the loop, as in {@code AioContext.end}. */
    private static StepReport ending(Consumer<StepProgram<World>> due) {
        return model(UNANSWERED, w -> w.answers == 1)
                .actor("one", due)
                .actor("end", StarvedStepModelTest::end)
                .explore();
    }

    /** Two who schedule the same bottom half, and the end of the loop. */
    private static StepReport endingForMany(Consumer<StepProgram<World>> schedules) {
        return model(UNANSWERED, World::isEachAnswered)
                .actor("one", schedules)
                .actor("another", schedules)
                .actor("end", StarvedStepModelTest::end)
                .explore();
    }

    private static void end(StepProgram<World> program) {
        program.step("queues what is due", w -> w.remains().feed())
                .step("is gone", w -> w.context.beGone("the end"))
                .step("abandons", w -> w.remains().abandon("the end"));
    }

    /**
     * One who is due, and a close that has found nothing so far, as in {@code AioContext.close}:
     * it is refused if somebody is starved, or who comes later is.
     */
    private static StepReport closing(Consumer<StepProgram<World>> due, String decides,
            Predicate<Remains> isNobodyStarved) {
        return model(UNANSWERED, w -> w.context.isGone()
                        ? w.refused == 1 && w.answers == 1 : w.served == 1 && w.answers == 0)
                .actor("one", due)
                .actor("close", close(decides, isNobodyStarved))
                .explore();
    }

    private static Consumer<StepProgram<World>> close(
            String decides, Predicate<Remains> isNobodyStarved) {
        return program -> program
                .branch(decides, w -> isNobodyStarved.test(w.remains()) ? null : "feeds")
                .step("is gone", w -> w.context.beGone("the close"))
                .step("looks for the last time", w -> w.remains().feed())
                .branch("has closed", w -> END)
                .step("feeds", w -> w.remains().feed())
                .branch("runs", w -> w.runs(END));
    }

    private static StepModel<World> model(String otherwise, Predicate<World> inTheEnd) {
        return StepModel.of("is everybody served who finds no memory?", World::new)
                .fingerprint(World::toString)
                .showing(World::toString)
                .inTheEnd(otherwise, inTheEnd);
    }

    /** A loop, with a bottom half and items that find no memory. */
    private static final class World {
        private static final String DUE = "what is due";

        final AioContext context = new AioContext("home", LoopSeams.system()
                .withErrors((where, site, cause) -> countAnswer(site + cause)));
        int asked;
        int served;
        int answers;

        /** How many of the answers are refusals; where accepted are counted, how many besides. */
        int refused;

        /** How many were told that it is scheduled. */
        int accepted;
        final BottomHalf half = new BottomHalf(context, DUE, () -> served = asked);
        private final WorkItem[] atWork = {new Item(), new Item()};
        private int done;

        World() {
            assertThat(context.acquire()).isNotNull();
            for (WorkItem item : atWork) {
                item.submitted(context);
            }
        }

        Remains remains() {
            return context.remains();
        }

        NotifyProtocol handshake() {
            return context.sleep().protocol();
        }

        /** The next item that is done. */
        WorkItem item() {
            return atWork[done++];
        }

        boolean isAnnounced() {
            return handshake().isAnnounced();
        }

        void acknowledge() {
            handshake().acknowledge();
        }

        String runs(String then) {
            context.queues().ready().runSlice(context, false);
            return then;
        }

        /** As {@code BottomHalf.schedule}, when the context is gone. */
        void refuse() {
            int asked = half.isRefused() ? 1 : 0;
            refused += asked;
            answers += asked;
        }

        String accept() {
            accepted++;
            return END;
        }

        boolean queueErrand() {
            return Task.push(context.inbox, half.errand());
        }

        /** Each is told yes or no; what was told yes is reported, once for each at most. */
        boolean isEachAnswered() {
            return accepted + refused == 2
                    && answers >= Math.min(accepted, 1) && answers <= accepted;
        }

        private void countAnswer(String report) {
            answers += report.contains(DUE) ? 1 : 0;
        }

        @Override
        public String toString() {
            return served + " of " + asked + " served, flags " + half.flags() + ", " + done
                    + " items done, ready " + context.queues().ready().size()
                    + (remains().isStarved() ? ", starved" : "")
                    + (isAnnounced() ? ", announced" : "") + (context.isGone() ? ", gone" : "")
                    + ", answers " + answers + ", refused " + refused + ", accepted " + accepted
                    + (context.inbox.isEmpty() ? "" : ", queued");
        }

        /** Blocking work that is done. */
        private final class Item extends WorkItem {
            @Override
            protected void work() {
                // Done already.
            }

            @Override
            protected void run() {
                served++;
            }

            @Override
            public String describe() {
                return DUE;
            }
        }
    }
}
