package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;

/**
 * Asks of other threads and at home against the loop: every ask is followed by a run that sees it.
 */
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
        StepReport report = explore(a -> serve(a.serves()));

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-2")
    @Rule("AIO-3")
    @Rule("AIO-4")
    void shouldServeAsksAtHomeAndFromElsewhere() {
        StepReport report = model()
                .actor("home", a -> serve(askAtHome(a.serves(), w -> true, World::flags)))
                .actor("scheduler", BottomHalfStepModelTest::scheduler)
                .inTheEnd(LOST, w -> w.served == w.asked)
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-10")
    void shouldServeAnAskAtHomeThatComesAfterACancelFromElsewhere() {
        StepReport report = exploreCancel(World::flags);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-10")
    void shouldRefuteAnAskAtHomeThatLeavesAnOlderCancelStanding() {
        StepReport report = exploreCancel(w -> 0);

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    @Rule("AIO-5")
    void shouldRefuteFlagsThatAreClearedAfterTheRun() {
        StepReport report = explore(a -> a.serves()
                .stepWhen("leaves the queue", w -> w.queue.equals("E"), w -> w.queue = "")
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
                .stepWhen("clears its flags", w -> !w.queue.isEmpty(), w -> w.half.begin())
                .step("leaves the queue", World::leave)
                .branch("runs", w -> {
                    w.served = w.asked;
                    return "clears its flags";
                }));

        assertThat(report.failure()).as(report.toString()).isEqualTo(TWICE);
    }

    @Test
    @Rule("AIO-5")
    void shouldRefuteARunAtHomeThatSaysTheErrandHasLeftItsQueue() {
        StepReport report = model()
                .actor("home", a -> serve(
                        askAtHome(a.serves(), w -> true, World::flags), BottomHalf::begin))
                .actor("scheduler", BottomHalfStepModelTest::scheduler)
                .explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo(TWICE);
    }

    @Test
    @Rule("AIO-12")
    void shouldNeverRunAfterItWasFoundDeleted() {
        StepReport report = model()
                .actor("home", a -> serve(askAtHome(a.serves(), w -> true, World::flags)))
                .actor("scheduler", BottomHalfStepModelTest::scheduler)
                .actor("deleter", a -> a
                        .branch("deletes", w -> queueIfFirst(w.half.markDeleted()))
                        .step("queues", World::queueErrand))
                .inTheEnd("reclaimed, and in no queue", w -> w.reclaimed && w.queue.isEmpty())
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
                        .step("queues", World::queueErrand))
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
     * A bottom half that is queued and cancelled when its loop ends; as {@code Remains.describe}.
     */
    private static StepModel<World> ending(boolean looksAgain) {
        return StepModel.of("is every ask answered?", World::ended)
                .fingerprint(World::toString)
                .showing(World::toString)
                .actor("end", a -> a
                        .branch("is it live?", w -> {
                            w.reported = w.half.errand().isLive();
                            return w.reported ? END : null;
                        })
                        .step("drops it", w -> {
                            boolean left = w.half.errand().abandon();
                            w.reported = looksAgain && left;
                        }))
                .actor("scheduler", a -> a.step("schedules", World::schedule))
                .inTheEnd(UNANSWERED, w -> w.reported != w.refused);
    }

    /** As {@code BottomHalf.schedule} at home. */
    private static StepProgram<World> askAtHome(StepProgram<World> program,
            Predicate<World> possible, ToIntFunction<World> flags) {
        return program.stepWhen("does something at home", possible, w -> w.asked++)
                .step("looks at the flags", w -> w.seen = flags.applyAsInt(w))
                .step("asks at home", w -> {
                    if ((w.seen & BottomHalf.DELETED) == 0 && w.half.askAtHome(w.seen)) {
                        w.queue += "H";
                    }
                });
    }

    private static void serve(StepProgram<World> program) {
        serve(program, BottomHalf::beginAtHome);
    }

    /** As {@code BottomHalf.step} and that of its errand, whichever comes first. */
    private static void serve(
            StepProgram<World> program, ToIntFunction<BottomHalf> beginAtHome) {
        program.branchWhen("leaves the queue", w -> !w.queue.isEmpty(), w -> {
                    boolean errand = w.leave() == 'E';
                    w.askedAtHome = errand ? w.half.forgetAsks() : w.half.leaveQueue();
                    return errand ? "begins" : null;
                })
                .branch("begins at home", w -> {
                    w.seen = beginAtHome.applyAsInt(w.half);
                    return "decides";
                })
                .branch("begins", w -> {
                    w.seen = w.half.begin();
                    w.reclaimed |= (w.seen & BottomHalf.DELETED) != 0;
                    return "decides";
                })
                .branch("decides", w -> (w.seen & BottomHalf.DELETED) == 0
                        && BottomHalf.asks(w.seen, w.askedAtHome) != 0 ? null : "leaves the queue")
                .branch("runs", w -> {
                    w.served = w.asked;
                    w.late |= w.reclaimed;
                    return "leaves the queue";
                });
    }

    /** As {@code BottomHalf.schedule} from elsewhere, twice. */
    private static void scheduler(StepProgram<World> program) {
        program.step("does something", w -> w.asked++)
                .branch("asks", w -> queueIfFirst(w.half.ask()) == null
                        ? null : "does more")
                .step("queues", World::queueErrand)
                .step("does more", w -> w.asked++)
                .branch("asks again", w -> queueIfFirst(w.half.ask()))
                .step("queues again", World::queueErrand);
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

    /** One ask at home before or beside a cancel from elsewhere, one after it. */
    private static StepReport exploreCancel(ToIntFunction<World> flags) {
        return model()
                .actor("home", a -> {
                    a.serves().step("asks before", w -> {
                        w.asked++;
                        if (w.half.askAtHome(w.half.flags())) {
                            w.queue += "H";
                        }
                    });
                    serve(askAtHome(a, w -> w.cancelled, flags));
                })
                .actor("canceller", a -> a
                        .step("revokes", w -> w.half.revoke())
                        .step("takes back", w -> w.half.unask())
                        .step("has cancelled", w -> w.cancelled = true))
                .inTheEnd(LOST, w -> w.served == w.asked)
                .explore();
    }

    private static StepModel<World> model() {
        return StepModel.of("is every ask served?", World::new)
                .fingerprint(World::toString)
                .showing(World::toString)
                .always(TWICE, w -> w.queue.length() == w.queue.chars().distinct().count())
                .always(LATE, w -> !w.late);
    }

    /** A bottom half, and how often each of its tasks is in its context's queue. */
    private static final class World {
        final AioContext context = new AioContext("home", LoopSeams.system());
        final BottomHalf half = new BottomHalf(context, "half", () -> { });
        int asked;
        int served;

        /** What is queued, oldest first: H for the task of the home, E for the errand. */
        String queue = "";

        /** Of the home. */
        int seen;
        int askedAtHome;

        boolean cancelled;
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

        int flags() {
            return half.flags();
        }

        void queueErrand() {
            queue += "E";
        }

        char leave() {
            char first = queue.charAt(0);
            queue = queue.substring(1);
            return first;
        }

        @Override
        public String toString() {
            return "flags " + half.flags() + (half.isLive() ? " asked at home" : "")
                    + ", queue '" + queue + "', " + served + " of " + asked + " served, seen "
                    + seen + " and " + askedAtHome + (cancelled ? ", cancelled" : "")
                    + (reclaimed ? ", reclaimed" : "")
                    + (reported ? ", reported" : "") + (refused ? ", refused" : "");
        }
    }
}
