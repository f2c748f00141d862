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
 * Three threads that want something of the same bottom half, with and without memory, against a
 * loop that takes a last turn and ends: whoever is told that it is scheduled finds that it ran
 * afterwards, or was reported, or taken back; and whoever is refused finds none of these.
 */
class SchedulersAtEndStepModelTest {
    private static final String LOST = "an ask that was told yes has no answer";
    private static final String TWICE = "an ask that was refused was served or reported, too";
    private static final String KEPT = "a deleted bottom half is not reclaimed";

    @Test
    @Rule("IOT-6")
    @Rule("IOT-7")
    void shouldAnswerEachOfThreeWhoScheduleWhileTheLoopEnds() {
        assertProved(threeSchedule(Poster.REAL));
    }

    @Test
    @Rule("IOT-6")
    @Rule("IOT-7")
    void shouldAnswerEachWhileAThirdCancels() {
        assertProved(ending()
                .actor("one", schedules(1, w -> false, Poster.REAL))
                .actor("two", schedules(2, World::queueErrand, Poster.REAL))
                .actor("canceller", a -> a.step("revokes", w -> w.half.revoke())
                        .step("takes back", w -> w.take(() -> {
                            w.cancelled |= w.open;
                            w.half.unask();
                        }))));
    }

    @Test
    @Rule("IOT-6")
    @Rule("AIO-13")
    void shouldAnswerEachAndReclaimWhileAThirdDeletes() {
        assertProved(ending()
                .actor("one", schedules(1, w -> false, Poster.REAL))
                .actor("two", schedules(2, World::queueErrand, Poster.REAL))
                .actor("deleter", deletes(w -> false)));
    }

    @Test
    @Rule("AIO-13")
    void shouldReclaimOnceThereIsMemoryWhoeverSchedulesOrDeletesAgain() {
        assertProved(model()
                .actor("loop", a -> a.serves()
                        .stepWhen("acknowledges", World::hasNews, w -> w.handshake().acknowledge())
                        .step("queues what is due", w -> w.take(w.context.remains()::feed))
                        .branch("runs", w -> {
                            w.take(w::runs);
                            return "acknowledges";
                        }))
                .actor("one", schedules(1, w -> false, Poster.REAL))
                .actor("deleter", deletes(w -> false))
                .actor("another", deletes(World::queueErrand)));
    }

    @Test
    @Rule("IOT-6")
    void shouldAnswerEachWhoComesBetweenTheStepsOfTheLastLook() {
        assertProved(model()
                .actor("end", SchedulersAtEndStepModelTest::looksForTheLastTime)
                .actor("one", schedules(1, w -> false, Poster.REAL))
                .actor("two", schedules(2, World::queueErrand, Poster.REAL))
                .actor("three", schedules(4, w -> false, Poster.REAL)));
    }

    @Test
    void shouldRefutePostersWhoTakeWhatOthersHaveQueuedOrWillAnswer() {
        StepReport report = threeSchedule(Poster.TAKES_WHAT_IS_PENDING).explore();

        assertThat(report.failure()).as(report.toString()).endsWith("is already in a queue");
    }

    @Test
    void shouldRefutePostersWhoDoNotSayThatTheyWait() {
        StepReport report = ending()
                .actor("one", schedules(1, w -> false, Poster.IS_NOT_COUNTED))
                .actor("two", schedules(2, World::queueErrand, Poster.IS_NOT_COUNTED))
                .explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefutePostersWhoAreRefusedForTheAskOfALaterOne() {
        StepReport report = threeSchedule(Poster.IS_REFUSED_FOR_OTHERS).explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(TWICE);
    }

    private static StepModel<World> threeSchedule(Poster poster) {
        return ending()
                .actor("one", schedules(1, w -> false, poster))
                .actor("two", schedules(2, World::queueErrand, poster))
                .actor("three", schedules(4, w -> false, poster));
    }

    /** As {@code BottomHalf.schedule} from elsewhere. */
    private static Consumer<StepProgram<World>> schedules(
            int who, Predicate<World> queues, Poster poster) {
        return program -> waits(program
                .branch("asks", w -> w.ask(who) ? null : w.accept(who))
                .branch("queues", w -> queues.test(w) ? w.accept(who) : null), poster)
                .branch("counts on the loop", w -> {
                    poster.countOnTheLoop(w.half);
                    return w.accept(who);
                })
                .step("answers", w -> w.decide(who, poster));
    }

    /** As {@code BottomHalf.delete} from elsewhere. */
    private static Consumer<StepProgram<World>> deletes(Predicate<World> queues) {
        return program -> waits(program
                .branch("deletes", w -> w.delete() ? null : END)
                .branch("queues", w -> queues.test(w) ? END : null), Poster.REAL)
                .branch("counts on the loop", w -> {
                    w.half.countOnTheLoop();
                    return END;
                })
                .step("answers", w -> w.take(w.half::takeLeft));
    }

    private static StepProgram<World> waits(StepProgram<World> program, Poster poster) {
        return program.step("is not pending", w -> poster.unpend(w.half))
                .branch("says so", w -> w.context.remains().beStarved() ? null : "answers")
                .step("notifies", w -> w.handshake().announce())
                .branch("is it gone?", w -> w.context.isGone() ? "answers" : null);
    }

    /** A last turn, and as {@code AioContext.end}. */
    private static void end(StepProgram<World> program) {
        program.step("queues what is due", w -> w.take(w.context.remains()::feed))
                .step("runs", w -> w.take(w::runs))
                .step("queues what is due now", w -> w.take(w.context.remains()::feed))
                .step("is gone", w -> w.context.beGone("the end"))
                .step("seals", w -> w.context.queues().seal())
                .step("abandons", w -> w.take(() -> w.context.remains().abandon("the end")));
    }

    /** As {@code AioContext.end}, with the steps of {@code Remains.feed} and of requeueing. */
    private static void looksForTheLastTime(StepProgram<World> program) {
        program.step("is gone", w -> w.context.beGone("the end"))
                .step("abandons", w -> w.take(() -> w.context.remains().abandonAll("the end")))
                .branch("is anything starved?", w -> w.context.remains().isStarved() ? null : END)
                .step("nothing is any more", w -> w.context.remains().beFed())
                .branch("is it due?", w -> w.isDue() ? null : END)
                .branch("claims", w -> (w.half.claim() & BottomHalf.PENDING) == 0 ? null : END)
                .branch("cannot queue it", w -> w.context.tryDefer(w.half.errand()) ? END : null)
                .step("is not pending", w -> w.half.unpend())
                .step("answers", w -> w.take(() -> {
                    if (w.half.takeLeft() != 0) {
                        w.context.remains().reportStarved(w.half);
                    }
                }));
    }

    private static void assertProved(StepModel<World> model) {
        StepReport report = model.explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    private static StepModel<World> ending() {
        return model().actor("end", SchedulersAtEndStepModelTest::end);
    }

    private static StepModel<World> model() {
        return StepModel.of("is every ask answered once?", World::new)
                .fingerprint(World::toString)
                .showing(World::toString)
                .inTheEnd(LOST, w -> w.deleted
                        || (w.accepted & ~w.answered & ~w.cancelled) == 0)
                .inTheEnd(TWICE, w -> (w.refused & w.answered) == 0)
                .inTheEnd(KEPT, w -> !w.deleted || w.context.remains().registry().isEmpty());
    }

    /** What a thread does that finds no memory, or the inbox sealed; and what it must not do. */
    private enum Poster {
        REAL,
        /** It takes PENDING too, which another one may have set. */
        TAKES_WHAT_IS_PENDING,
        /** Others do not see that it waits. */
        IS_NOT_COUNTED,
        /** What it takes counts as its own. */
        IS_REFUSED_FOR_OTHERS;

        void unpend(BottomHalf half) {
            half.unpend();
            if (!isCounted()) {
                half.countOnTheLoop();
            }
        }

        void countOnTheLoop(BottomHalf half) {
            if (isCounted()) {
                half.countOnTheLoop();
            }
        }

        boolean isRefused(World world) {
            BottomHalf half = world.half;
            return switch (this) {
                case REAL -> half.isRefused();
                case IS_REFUSED_FOR_OTHERS -> world.answerFor(half.takeLeft());
                case IS_NOT_COUNTED -> (half.flags() & BottomHalf.PENDING) == 0
                        && world.answerFor(half.begin());
                case TAKES_WHAT_IS_PENDING -> world.answerFor(half.begin());
            };
        }

        private boolean isCounted() {
            return this == REAL || this == IS_REFUSED_FOR_OTHERS;
        }
    }

    /** A loop and a bottom half; sets of those who want something of it, one bit each. */
    private static final class World {
        private static final String DUE = "what is due";

        private int answers;

        /** Whose ask is noted in the flags. */
        int open;

        /** Whose ask ran or was reported. */
        int answered;
        int cancelled;

        /** Who was told that it is scheduled, and who that it is not. */
        int accepted;
        int refused;
        boolean deleted;

        final AioContext context = new AioContext("home", LoopSeams.system()
                .withErrors((where, site, cause) -> answers += cause.getMessage().contains(DUE)
                        && !cause.getMessage().contains("never deleted") ? 1 : 0));
        final BottomHalf half = new BottomHalf(context, DUE, () -> answers++);

        World() {
            assertThat(context.acquire()).isNotNull();
        }

        NotifyProtocol handshake() {
            return context.sleep().protocol();
        }

        boolean hasNews() {
            return context.sleep().isNotified();
        }

        /** Returns whether to queue the errand. */
        boolean ask(int who) {
            int old = half.ask();
            open |= (old & BottomHalf.DELETED) == 0 ? who : 0;
            return isFirst(old);
        }

        boolean delete() {
            deleted = true;
            return isFirst(half.markDeleted());
        }

        private static boolean isFirst(int old) {
            return (old & (BottomHalf.PENDING | BottomHalf.DELETED)) == 0;
        }

        /** As {@code BottomHalf.requeue}, for one that is not reclaimed. */
        boolean isDue() {
            int now = half.flags();
            return (now & BottomHalf.PENDING) == 0
                    && (BottomHalf.asks(now, 0) != 0 || (now & BottomHalf.DELETED) != 0);
        }

        /** Reports what was taken if others count on it; returns whether anything was. */
        boolean answerFor(int taken) {
            if ((taken & BottomHalf.SHARED) != 0) {
                context.remains().reportStarved(half);
            }
            return BottomHalf.asks(taken, 0) != 0;
        }

        String accept(int who) {
            accepted |= who;
            return END;
        }

        void decide(int who, Poster poster) {
            int own = open & who;
            take(() -> {
                if (poster.isRefused(this)) {
                    refused |= who;
                } else {
                    accepted |= who;
                }
            });
            // What was reported by who is refused is that of the others.
            answered &= ~(own & refused);
        }

        boolean queueErrand() {
            return Task.push(context.inbox, half.errand());
        }

        void runs() {
            context.queues().takeInbox();
            context.queues().ready().runSlice(context, false);
        }

        /** Takes a step in which all asks may be taken; if they are, it may have answered them. */
        void take(Runnable step) {
            int before = answers;
            step.run();
            if (BottomHalf.asks(half.flags(), 0) == 0) {
                answered |= answers > before ? open : 0;
                open = 0;
            }
        }

        @Override
        public String toString() {
            return "flags " + half.flags() + ", open " + open + ", answered " + answered
                    + ", accepted " + accepted + ", refused " + refused + ", cancelled "
                    + cancelled + ", ready " + context.queues().ready().size()
                    + (context.inbox.isEmpty() ? "" : ", queued")
                    + (context.remains().isStarved() ? ", starved" : "")
                    + (handshake().isAnnounced() ? ", announced" : "")
                    + (deleted ? ", deleted" : "")
                    + (context.isGone() ? ", gone" : "");
        }
    }
}
