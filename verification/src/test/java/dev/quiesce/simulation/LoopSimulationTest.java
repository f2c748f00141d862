package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.Actor;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * What loops promise to everybody who uses them at the same time, seen by one who knows what each
 * of them has asked for: after every step, at every callback, and when a loop ends. Turns are whole
 * here; the steps inside them are asked by the step models.
 */
class LoopSimulationTest {
    private static final int PREEMPTIONS = 2;

    /** What the two of the small model do. */
    private enum Move {
        SCHEDULE, IDLE, CANCEL, DELETE, AWAIT, SET, PASS_ON, CLEAR_AND_PASS_ON, CLOSE
    }

    private static final List<Move> AT_HOME = List.of(Move.SCHEDULE, Move.IDLE, Move.CANCEL,
            Move.DELETE, Move.AWAIT, Move.PASS_ON, Move.CLOSE);
    private static final List<Move> ELSEWHERE = List.of(Move.SCHEDULE, Move.IDLE, Move.CANCEL,
            Move.DELETE, Move.AWAIT, Move.SET);

    @Test
    @Rule("AIO-2")
    @Rule("AIO-3")
    @Rule("AIO-10")
    @Rule("AIO-12")
    @Rule("AIO-13")
    @Rule("AIO-16")
    @Rule("AIO-20")
    @Rule("AIO-21")
    @Rule("AIO-24")
    @Rule("AIO-45")
    @Rule("AIO-55")
    @Rule("AIO-56")
    @Rule("AIO-62")
    @Rule("AIO-71")
    @Rule("AIO-75")
    @Rule("IOT-6")
    void shouldKeepThePromisesOfLoopsUnderRandomSchedules(TestReporter reporter) {
        Set<LoopStory.Sight> sights = EnumSet.noneOf(LoopStory.Sight.class);

        int distinct = SeededRuns.run(sim -> new LoopStory(sim, sights).tell());

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        assertThat(distinct).isPositive();
        assertThat(sights).as("seen with all seeds").hasSizeGreaterThan(
                distinct == 1 ? 0 : LoopStory.Sight.values().length - 1);
    }

    @Test
    @Rule("AIO-3")
    @Rule("AIO-10")
    @Rule("AIO-12")
    @Rule("AIO-13")
    @Rule("AIO-20")
    @Rule("AIO-24")
    void shouldKeepThePromisesOfOneBottomHalfAndOneEventUnderEverySchedule(
            TestReporter reporter) {
        long schedules = 0;
        for (Move first : AT_HOME) {
            for (Move second : AT_HOME) {
                for (Move third : ELSEWHERE) {
                    for (Move fourth : ELSEWHERE) {
                        SearchReport report =
                                search(List.of(first, second), List.of(third, fourth));

                        assertThat(report.isClean()).as(report.toString()).isTrue();
                        assertThat(report.isComplete()).isTrue();
                        schedules += report.schedules();
                    }
                }
            }
        }

        reporter.publishEntry("schedules", Long.toString(schedules));
        assertThat(schedules).isGreaterThan(10_000);
    }

    /** The mistake of an owner that gives an event on: it takes the news with it. */
    @Test
    void shouldFindAnEventThatIsClearedByWhoGivesItOn() {
        SearchReport report = search(List.of(Move.CLEAR_AND_PASS_ON), List.of(Move.SET));

        assertThat(report.kinds()).containsExactly("every event was served");
        assertThat(search(List.of(Move.PASS_ON), List.of(Move.SET)).isClean()).isTrue();
    }

    private static SearchReport search(List<Move> atHome, List<Move> elsewhere) {
        return ScheduleSearch.of(sim -> new Small(sim).tell(atHome, elsewhere))
                .preemptionsMax(PREEMPTIONS).explore();
    }

    /** A context with its owner, another one, and somebody else. */
    private static final class Small {
        private final Simulation sim;
        private final LoopStory story;
        private final AioContext home;
        private final AioContext next;
        private final LoopHalf half;
        private final LoopNotifier event;
        private int sets;

        Small(Simulation sim) {
            this.sim = sim;
            this.story = new LoopStory(sim, EnumSet.noneOf(LoopStory.Sight.class));
            this.home = story.contexts().get(1);
            this.next = story.contexts().get(2);
            this.half = story.add(new LoopHalf(story, "half", home));
            this.event = story.add(new LoopNotifier(story, "event"));
            sim.given(home, () -> event.attach(home));
        }

        void tell(List<Move> atHome, List<Move> elsewhere) {
            Actor owner = sim.actor("owner", home);
            atHome.forEach(move -> owner.does("moves", () -> does(move, home)));
            Actor other = sim.actor("somebody");
            elsewhere.forEach(move -> other.does("moves", () -> does(move, null)));
            sim.inTheEnd("nothing is due", () -> story.isQuiet());
            sim.inTheEnd("every event was served", () -> home.isGone()
                    || sets == 0 || event.services() > 0);
        }

        private void does(Move move, @Nullable AioContext at) {
            switch (move) {
                case SCHEDULE -> half.schedule();
                case IDLE -> half.scheduleIdle(at);
                case CANCEL -> half.cancel();
                case DELETE -> half.delete();
                case AWAIT -> half.deleteAndAwait();
                case SET -> {
                    sets++;
                    event.set();
                }
                case CLOSE -> story.close(home);
                default -> passOn(move);
            }
        }

        private void passOn(Move move) {
            if (!event.isAttachedTo(home)) {
                return;
            }
            event.detach();
            if (move == Move.CLEAR_AND_PASS_ON) {
                event.clear();
            }
            next.execute(() -> event.attach(next));
        }
    }
}
