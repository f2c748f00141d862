package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.watch.LoopObserver;
import dev.quiesce.aio.watch.LoopStats;
import dev.quiesce.rules.Rule;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A loop that is busy with tasks only takes quick turns, and overlooks nothing in them. */
class QuickTurnTest {
    private final FakeLoop loop = new FakeLoop();
    private final AioContext context = loop.context;
    private final List<Runnable> inTheTask = new ArrayList<>();

    /** A task that queues itself again in each of its runs. */
    private final Task self = new Task() {
        @Override
        protected void run() {
            context.post(this);
            List<Runnable> now = List.copyOf(inTheTask);
            inTheTask.clear();
            now.forEach(Runnable::run);
        }
    };

    @BeforeEach
    void beBusy() {
        context.post(self);
        loop.poll();
        loop.poll();
    }

    @Test
    @Rule("AIO-17")
    void shouldRunEachTaskOnceInATurn() {
        context.post(loop.logs("one"));
        context.post(loop.logs("two"));

        assertThat(loop.poll()).isTrue();

        assertThat(loop.log).containsExactly("one", "two");
    }

    @Test
    @Rule("AIO-40")
    void shouldFireATimerThatATaskArms() {
        LoopTimer timer = new LoopTimer(context, "timer", () -> loop.log.add("timed"));
        inTheTask.add(() -> timer.armAt(loop.clock.nowNanos));
        loop.poll();

        loop.poll();

        assertThat(loop.log).containsExactly("timed");
    }

    @Test
    @Rule("AIO-40")
    void shouldFireATimerThatIsArmedBetweenTwoTurns() {
        new LoopTimer(context, "timer", () -> loop.log.add("timed")).anticipate(0);

        loop.poll();

        assertThat(loop.log).containsExactly("timed");
    }

    @Test
    @Rule("AIO-40")
    void shouldFireATimerThatIsArmedFromElsewhere() {
        LoopTimer timer = new LoopTimer(context, "timer", () -> loop.log.add("timed"));
        elsewhere(() -> timer.armAt(0));

        loop.poll();

        assertThat(loop.log).containsExactly("timed");
    }

    @Test
    @Rule("AIO-45")
    void shouldRunAnOuterOnlyTaskThatATaskPosts() {
        inTheTask.add(() -> context.postOuter(loop.logs("outer")));
        loop.poll();

        loop.poll();

        assertThat(loop.log).containsExactly("outer");
    }

    @Test
    @Rule("AIO-45")
    void shouldRunAnOuterOnlyTaskThatIsPostedFromElsewhere() {
        elsewhere(() -> context.postOuter(loop.logs("outer")));

        loop.poll();

        assertThat(loop.log).containsExactly("outer");
    }

    @Test
    @Rule("AIO-35")
    void shouldTakeWhatOthersPostAndRunItBehindWhatWasThere() {
        context.post(loop.logs("own"));
        elsewhere(() -> context.post(loop.logs("foreign")));

        loop.poll();

        assertThat(loop.log).containsExactly("own", "foreign");
    }

    @Test
    @Rule("AIO-59")
    void shouldLookAtAWaiterThatATaskAdds() {
        inTheTask.add(() -> context.whenDone(() -> true, loop.logs("done")));
        loop.poll();

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("done");
    }

    @Test
    @Rule("AIO-78")
    void shouldMakeDeferredCallsAtTheEndOfTheSliceAndThoseOfOutsideToo() {
        inTheTask.add(() -> context.deferCall(loop.logsCall("call")));
        context.deferCall(loop.logsCall("outside"));

        loop.poll();

        assertThat(loop.log).containsExactlyInAnyOrder("call", "outside");
    }

    @Test
    @Rule("AIO-18")
    void shouldFinishTheOuterSliceInANestedTurnAndLookAtEverythingThere() {
        LoopTimer timer = new LoopTimer(context, "timer", () -> loop.log.add("timed"));
        inTheTask.add(() -> {
            timer.armAt(0);
            context.poll(0);
            loop.log.add("polled");
        });
        context.post(loop.logs("rest"));

        loop.poll();

        assertThat(loop.log).containsExactly("rest", "timed", "polled");
    }

    @Test
    void shouldTellAnObserverThatComesMeanwhile() {
        context.watched().observe(new LoopObserver() {
            @Override
            public long slowCallbackNanos() {
                return 0;
            }

            @Override
            public long longTurnNanos() {
                return Long.MAX_VALUE;
            }

            @Override
            public void onSlowCallback(String loop, String callback, long tookNanos) {
                QuickTurnTest.this.loop.log.add("told");
            }

            @Override
            public void onLongTurn(String loop, long tasks, long tookNanos) {
                throw new AssertionError("no turn is that long");
            }
        });

        loop.poll();

        assertThat(loop.log).contains("told");
    }

    @Test
    void shouldCountTurnsAndTasksAsEver() {
        LoopStats before = context.watched().stats();

        context.post(loop.logs("another"));
        loop.poll();
        loop.poll();

        LoopStats after = context.watched().stats();
        assertThat(after.turns() - before.turns()).isEqualTo(2);
        assertThat(after.tasks() - before.tasks()).isEqualTo(3);
        assertThat(after.tasksInTurnMax()).isEqualTo(2);
    }

    @Test
    void shouldCountEachOfTheTurnsThatALoopTakesAtOnce() {
        LoopStats before = context.watched().stats();

        context.turn().takeSome();
        LoopStats alone = context.watched().stats();
        inTheTask.add(() -> {
            context.post(loop.logs("two"));
            context.post(loop.logs("three"));
        });
        context.turn().takeSome();

        LoopStats after = context.watched().stats();
        assertThat(before.tasksInTurnMax()).isEqualTo(1);
        assertThat(alone.turns() - before.turns()).isEqualTo(1_000);
        assertThat(alone.tasks() - before.tasks()).isEqualTo(1_000);
        assertThat(alone.tasksInTurnMax()).isEqualTo(1);
        assertThat(after.turns() - alone.turns()).isEqualTo(1_000);
        assertThat(after.tasks() - alone.tasks()).isEqualTo(1_002);
        assertThat(after.tasksInTurnMax()).isEqualTo(3);
        assertThat(after.turnsUnderWay()).isZero();
    }

    @Test
    void shouldCountATaskThatPollsOnce() {
        LoopStats before = context.watched().stats();

        inTheTask.add(() -> context.poll(0));
        context.turn().takeSome();

        LoopStats after = context.watched().stats();
        // The nested turn has run the task that it found, and nobody knows that all is quiet.
        assertThat(after.turns() - before.turns()).isEqualTo(2);
        assertThat(after.tasks() - before.tasks()).isEqualTo(2);
        assertThat(after.tasksInTurnMax()).isEqualTo(2);
    }

    @Test
    void shouldKnowTheMostTasksOfATurnThoughManyTurnsArePassing() {
        FakeLoop other = new FakeLoop();
        List<LoopStats> seen = new ArrayList<>();
        other.poll();
        other.context.post(new Task() {
            private int runs;

            @Override
            protected void run() {
                other.context.post(this);
                if (++runs == 500) {
                    seen.add(other.context.watched().stats());
                }
            }
        });

        other.context.turn().takeSome();

        assertThat(seen).extracting(LoopStats::tasks).containsExactly(499L);
        assertThat(seen).extracting(LoopStats::tasksInTurnMax).containsExactly(1L);
    }

    @Test
    void shouldKeepNoTaskThatHasRunWhenItWaits() {
        FakeLoop other = new FakeLoop();
        WeakReference<Task> task = postedTo(other, other.context::post);
        other.poll();
        other.poll();

        assertThatIsCollected(task);
        assertThat(other.log).containsExactly("once");
    }

    @Test
    void shouldKeepNoOuterOnlyTaskThatHasRun() {
        FakeLoop other = new FakeLoop();
        WeakReference<Task> task = postedTo(other, other.context::postOuter);
        other.poll();
        other.poll();

        assertThatIsCollected(task);
        assertThat(other.log).containsExactly("once");
    }

    @Test
    void shouldKeepNoTaskThatHasRunWhileItIsBusyWithOthers() {
        FakeLoop other = new FakeLoop();
        WeakReference<Task> task = postedTo(other, other.context::post);
        for (int i = 0; i < 2; i++) {
            other.context.post(new Task() {
                @Override
                protected void run() {
                    other.context.post(this);
                }
            });
        }
        other.poll();

        other.context.turn().takeSome();

        assertThatIsCollected(task);
        assertThat(other.log).containsExactly("once");
    }

    @Test
    void shouldKeepNoTaskThatHasRunWhenItIsClosed() {
        FakeLoop other = new FakeLoop();
        WeakReference<Task> task = postedTo(other, other.context::post);
        other.poll();

        other.context.close();

        assertThatIsCollected(task);
        assertThat(other.log).containsExactly("once");
    }

    private static WeakReference<Task> postedTo(FakeLoop loop, Consumer<Task> way) {
        Task task = loop.logs("once");
        way.accept(task);
        return new WeakReference<>(task);
    }

    private static void assertThatIsCollected(WeakReference<Task> task) {
        for (int looks = 0; task.get() != null && looks < 100; looks++) {
            System.gc();
        }
        assertThat(task.get()).isNull();
    }

    @Test
    void shouldLookAtEverythingAfterAnErrorInTheTurnThatWasTold() {
        elsewhere(() -> context.postOuter(loop.logs("outer")));
        inTheTask.add(() -> {
            throw new AssertionError("leaves the poll");
        });
        Throwable thrown = catchThrowable(loop::poll);

        loop.poll();

        assertThat(thrown).isInstanceOf(AssertionError.class);
        assertThat(loop.log).containsExactly("outer");
    }
}
