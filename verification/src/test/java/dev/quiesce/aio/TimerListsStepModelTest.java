package dev.quiesce.aio;

import static dev.quiesce.testkit.StepProgram.END;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.ClockTimers;
import dev.quiesce.aio.time.ClockTimers.Armed;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import dev.quiesce.testkit.StepReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The lists of timers of a context, against those who arm the first timer of a clock, those who let
 * go of lists that are not used, and the close: what is armed is on a clock that is watched, once,
 * no clock goes on watching for a context that is closed, and a timer knows where it is armed.
 */
class TimerListsStepModelTest {
    private static final String UNWATCHED = "a timer is armed on a clock that nobody watches";
    private static final String TWICE = "two lists of one clock take timers";
    private static final String LOST = "a timer was armed, and is in no list";
    private static final String UNKNOWN = "a timer is armed, and does not know it";
    private static final String LEFT = "a clock tells a list that takes no timers";
    private static final String KEPT = "a list that takes no timers is looked at in every turn";

    @Test
    @Rule("AIO-56")
    void shouldMakeOneListOfAClockThatTwoThreadsBeginToUse() {
        StepReport report = explore(0, a -> arms(a, 0), a -> arms(a, 1));

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-55")
    @Rule("AIO-56")
    void shouldArmOnAWatchedClockThoughListsAreLetGo() {
        StepReport report = explore(LoopTimer.Lists.KEPT - 1,
                a -> arms(a, 0), TimerListsStepModelTest::letsGo);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("AIO-20")
    @Rule("AIO-56")
    void shouldRefuseEitherTheTimerOrTheClose() {
        StepReport report = explore(0, a -> arms(a, 0), TimerListsStepModelTest::closes);

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteAListThatIsOpenBeforeItsClockIsWatched() {
        StepReport report = explore(0, a -> arms(a, 0, w -> w.heap(0).open(), w -> {
            w.heap(0).watch();
            w.heap[0] = w.lists.openUnlessKnown(w.heap(0));
        }), a -> arms(a, 1));

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNWATCHED);
    }

    @Test
    void shouldRefuteOpeningAListWithoutALookForAnother() {
        StepReport report = explore(0, a -> arms(a, 0, w -> w.heap(0).watch(),
                w -> w.heap(0).open()), a -> arms(a, 1));

        assertThat(report.failure()).as(report.toString()).isEqualTo(TWICE);
    }

    @Test
    void shouldRefuteACloseThatLooksBeforeItSeals() {
        StepReport report = explore(0, a -> arms(a, 0), program -> {
            program.branch("looks", w -> w.lists.hasArmed() ? END : null)
                    .step("seals", w -> w.lists.seal());
            ends(program);
        });

        assertThat(report.failure()).as(report.toString()).isEqualTo(LOST);
    }

    @Test
    void shouldRefuteACloseThatHasClocksForgetBeforeItIsDecided() {
        StepReport report = explore(0, a -> arms(a, 0), program -> program
                .step("seals", w -> w.lists.seal())
                .step("ends the lists", w -> w.lists.beEnded())
                .step("has the clocks forget", w -> w.lists.forget())
                .step("takes it back", w -> w.lists.unseal()));

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNWATCHED);
    }

    @Test
    @Rule("AIO-55")
    void shouldKnowWhereATimerIsArmedThoughListsAreLetGo() {
        StepReport report = exploreOne((w, list) -> w.shared().moveOn(list, w.heap(1)));

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldRefuteGoingBackToAListThatWasFoundEarlier() {
        StepReport report = exploreOne(
                (w, list) -> w.shared().moveOn(w.shared().heap(), w.heap(1)));

        assertThat(report.failure()).as(report.toString()).isEqualTo(UNKNOWN);
    }

    /** Two threads arm one timer, while its lists are let go and a close is refused. */
    private static StepReport exploreOne(BiConsumer<World, LoopTimer.Heap> notes) {
        return StepModel.of("is it known where a timer is armed?", World::withClosedList)
                .fingerprint(World::describeShared)
                .showing(World::describeShared)
                .actor("one", program -> program
                        .step("looks where it was armed last", w -> w.heap[0] = w.shared().heap())
                        .branch("arms it there", w -> w.armsShared() ? END : null)
                        .branch("finds an open list", w -> w.finds() ? null : END)
                        .step("notes it", w -> notes.accept(w, w.heap(0)))
                        .branch("goes on", w -> "looks where it was armed last"))
                .actor("other", program -> program
                        .step("arms it", w -> w.shared().armAt(5))
                        .step("has it fired", w -> w.shared().cancel())
                        .step("has the list let go", World::letGo)
                        .step("arms it again", w -> w.shared().armAt(5))
                        .step("seals", w -> w.lists.seal())
                        .step("takes it back", w -> w.lists.unseal()))
                .inTheEnd(UNKNOWN, w -> w.shared().isArmed())
                .explore();
    }

    private static void arms(StepProgram<World> program, int who) {
        arms(program, who, w -> w.heap(who).watch(),
                w -> w.heap[who] = w.lists.openUnlessKnown(w.heap(who)));
    }

    /** As {@code LoopTimer.armAt}, with a list of its clock as {@code Lists.of} finds one. */
    private static void arms(StepProgram<World> program, int who, Consumer<World> watches,
            Consumer<World> opens) {
        program.branch("is it sealed?", w -> w.lists.isSealed() ? END : null)
                .branch("is there a list?", w -> {
                    LoopTimer.Heap known = w.lists.openListOf(w);
                    w.heap[who] = known == null ? new LoopTimer.Heap(w.lists, w) : known;
                    return known == null ? null : "arms";
                })
                .step("makes a place", w -> w.lists.reserve(w.heap(who)))
                .step("watches", watches)
                .step("opens", opens)
                .step("has the clocks forget", w -> w.lists.forget())
                .step("drops what they forget", w -> w.lists.drop())
                .branch("arms", w -> w.arms(who) ? END : "is it sealed?");
    }

    /** As {@code LoopTimer.armAt} for a timer of another clock. */
    private static void letsGo(StepProgram<World> program) {
        program.step("makes a place for another clock", w -> w.lists.reserve(w.other))
                .step("watches that", w -> w.other.watch())
                .step("opens it", w -> w.lists.openUnlessKnown(w.other))
                .step("has the clocks forget others", w -> w.lists.forget())
                .step("drops the others", w -> w.lists.drop());
    }

    /** As {@code AioContext.close}, twice; the first time there is something in the inbox. */
    private static void closes(StepProgram<World> program) {
        program.step("seals", w -> w.lists.seal())
                .branch("looks", w -> w.lists.hasArmed() ? "takes it back" : null)
                .step("takes it back for the inbox", w -> w.lists.unseal())
                .step("seals again", w -> w.lists.seal())
                .branch("looks again", w -> w.lists.hasArmed() ? "takes it back" : null);
        ends(program);
        program.branch("has closed", w -> END)
                .step("takes it back", w -> w.lists.unseal());
    }

    private static void ends(StepProgram<World> program) {
        program.step("is closed", w -> w.closed = true)
                .step("ends the lists", w -> w.lists.beEnded())
                .step("has the clocks forget", w -> w.lists.forget());
    }

    private static StepReport explore(
            int others, Consumer<StepProgram<World>> one, Consumer<StepProgram<World>> other) {
        return StepModel.of("is what is armed on a watched clock?", () -> new World(others))
                .fingerprint(World::describe)
                .showing(World::describe)
                .actor("one", one)
                .actor("other", other)
                .always(UNWATCHED, w -> w.closed || w.isEachArmed(w.watchers))
                .always(TWICE, w -> w.open().size() <= 1)
                .inTheEnd(LOST, w -> w.isEachArmed(w.closed ? List.of() : w.open()))
                .inTheEnd(LEFT, w -> w.watchers.size() == (w.closed ? 0 : w.open().size()))
                .inTheEnd(KEPT, w -> w.lists.table().stream().allMatch(ClockTimers::isOpen))
                .explore();
    }

    /** A context with some lists that are in use; and the clock that the timers are armed on. */
    private static final class World implements Clock {
        final AioContext context = new AioContext("home", LoopSeams.system());
        final LoopTimer.Lists lists = context.turn().timers();
        final LoopTimer.Heap other = new LoopTimer.Heap(lists, new Unchanging());
        final List<Watcher> watchers = new ArrayList<>();
        final LoopTimer.@Nullable Heap[] heap = new LoopTimer.Heap[2];
        final boolean[] armed = new boolean[2];
        boolean closed;
        private @Nullable LoopTimer shared;
        private final LoopTimer[] timers = {timer(), timer()};

        World(int others) {
            for (int i = 0; i < others; i++) {
                lists.of(new Unchanging()).arm(timer(), 5, false);
            }
        }

        /** With a timer whose list was let go, and as many others as it takes to do so again. */
        static World withClosedList() {
            World world = new World(LoopTimer.Lists.KEPT - 1);
            world.shared = new LoopTimer(world.context, world, "timer", () -> { });
            world.letGo();
            return world;
        }

        LoopTimer shared() {
            return Objects.requireNonNull(shared);
        }

        /** Lets go of all lists that no timer is armed in, for a new one. */
        void letGo() {
            lists.of(new Unchanging());
        }

        boolean armsShared() {
            try {
                return heap(0).arm(shared(), 5, false) != Armed.NOWHERE;
            } catch (IllegalStateException refused) {
                return true;
            }
        }

        boolean finds() {
            try {
                heap[1] = lists.ofOpen(this);
                return true;
            } catch (IllegalStateException refused) {
                return false;
            }
        }

        LoopTimer.Heap heap(int who) {
            return Objects.requireNonNull(heap[who]);
        }

        boolean arms(int who) {
            try {
                armed[who] = heap(who).arm(timers[who], 5, false) != Armed.NOWHERE;
                return armed[who];
            } catch (IllegalStateException refused) {
                return true;
            }
        }

        /** The lists of this clock that take timers. */
        List<LoopTimer.Heap> open() {
            return lists.table().stream()
                    .filter(list -> list.clock() == this && list.isOpen()).toList();
        }

        /** Whether each timer that is armed is so in one of these lists. */
        boolean isEachArmed(List<?> lists) {
            return (!armed[0] || lists.contains(heap[0])) && (!armed[1] || lists.contains(heap[1]));
        }

        private LoopTimer timer() {
            return new LoopTimer(context, "timer", () -> { });
        }

        @Override
        public long nanoTime() {
            return 0;
        }

        @Override
        public Kind kind() {
            return Kind.VIRTUAL;
        }

        @Override
        public void watch(Watcher watcher) {
            watchers.add(watcher);
        }

        @Override
        public void unwatch(Watcher watcher) {
            watchers.remove(watcher);
        }

        String describe() {
            List<LoopTimer.Heap> table = new ArrayList<>(lists.table());
            return table + ", of the armers " + table.indexOf(heap[0]) + " and "
                    + table.indexOf(heap[1]) + ", watching " + watchers.size()
                    + (watchers.contains(heap[0]) ? " one" : "")
                    + (watchers.contains(heap[1]) ? " two" : "")
                    + (armed[0] ? ", one armed" : "") + (armed[1] ? ", two armed" : "")
                    + (lists.isSealed() ? ", sealed" : "") + (closed ? ", closed" : "");
        }

        String describeShared() {
            LoopTimer.Heap now = shared().heap();
            return lists.table() + ", last armed in " + now + ", looks at " + heap[0]
                    + (heap[0] == now ? ", the same" : "") + ", has found " + heap[1]
                    + (heap[1] == now ? ", the same" : "")
                    + (heap[1] == heap[0] ? ", where it looks" : "")
                    + (lists.isSealed() ? ", sealed" : "");
        }

        @Override
        public String toString() {
            return "machine";
        }
    }

    /** A clock of another machine, which nothing but time changes. */
    private static final class Unchanging implements Clock {
        @Override
        public long nanoTime() {
            return 0;
        }

        @Override
        public Kind kind() {
            return Kind.VIRTUAL;
        }

        @Override
        public String toString() {
            return "other";
        }
    }
}
