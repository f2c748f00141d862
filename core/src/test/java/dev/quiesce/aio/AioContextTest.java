package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AioContextTest {
    @Test
    @Rule("AIO-16")
    void shouldRunTasksFirstInFirstOut() {
        FakeLoop loop = new FakeLoop();
        loop.context.post(loop.logs("a"));
        loop.context.defer(loop.logs("b"));
        loop.context.execute(() -> loop.log.add("c"));

        boolean progress = loop.poll();

        assertThat(progress).isTrue();
        assertThat(loop.log).containsExactly("a", "b", "c");
    }

    @Test
    void shouldKeepTheOrderOfAPosterThatBecomesHome() {
        FakeLoop loop = new FakeLoop();
        loop.close();
        loop.context.post(loop.logs("as a stranger"));

        Lease lease = loop.context.acquire();
        loop.context.post(loop.logs("as home"));
        loop.poll();
        lease.close();

        assertThat(loop.log).containsExactly("as a stranger", "as home");
    }

    @Test
    @Rule("AIO-17")
    void shouldRunInTheNextSliceWhatASliceQueues() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("first", () -> {
            loop.log.add("first");
            loop.context.defer(loop.logs("second"));
        }));

        loop.poll();
        assertThat(loop.log).containsExactly("first");
        loop.poll();

        assertThat(loop.log).containsExactly("first", "second");
    }

    @Test
    @Rule("AIO-17")
    void shouldEndATurnThatFeedsItself() {
        FakeLoop loop = new FakeLoop();
        Task[] self = new Task[1];
        self[0] = FakeLoop.task("self", () -> {
            loop.log.add("run");
            loop.context.post(self[0]);
        });
        loop.context.post(self[0]);

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("run", "run");
    }

    @Test
    @Rule("AIO-18")
    void shouldRunTheRestOfTheOuterSliceInANestedPollAndNothingTwice() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.log.add("before");
            loop.context.defer(loop.logs("new"));
            loop.poll();
            loop.log.add("after");
        }));
        loop.context.defer(loop.logs("outer 1"));
        loop.context.defer(loop.logs("outer 2"));

        loop.poll();

        assertThat(loop.log).containsExactly("before", "outer 1", "outer 2", "new", "after");
        assertThat(loop.poll()).isFalse();
    }

    @Test
    @Rule("TH-2")
    @Rule("AIO-39")
    void shouldCountTheDepthOfNestedPolls() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("outer", () -> {
            loop.log.add("depth " + loop.context.pollDepth());
            loop.context.defer(FakeLoop.task("inner",
                    () -> loop.log.add("depth " + loop.context.pollDepth())));
            loop.poll();
        }));

        loop.poll();

        assertThat(loop.log).containsExactly("depth 1", "depth 2");
        assertThat(loop.context.isPolling()).isFalse();
    }

    @Test
    @Rule("AIO-41")
    void shouldSayWhetherAnythingRan() {
        FakeLoop loop = new FakeLoop();
        loop.context.wake();

        assertThat(loop.context.poll(Long.MAX_VALUE)).isFalse();
        assertThat(loop.poll()).isFalse();
        loop.context.defer(loop.logs("a"));
        assertThat(loop.poll()).isTrue();
    }

    @Test
    @Rule("AIO-34")
    void shouldNotSleepWhileSomethingIsQueued() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("a"));

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(7);

        assertThat(loop.parker.parks).containsExactly(7L);
    }

    @Test
    @Rule("AIO-33")
    @Rule("BUG-16")
    void shouldRememberANotifyThatCameWhileTheLoopWasAwake() {
        FakeLoop loop = new FakeLoop();

        loop.context.wake();
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.parker.unparks).isZero();
    }

    @Test
    @Rule("AIO-38")
    void shouldUnparkOnlyALoopThatSleeps() {
        FakeLoop loop = new FakeLoop();
        loop.context.wake();
        loop.poll();
        assertThat(loop.parker.unparks).isZero();

        loop.parker.asleep = () -> {
            loop.context.post(loop.logs("while asleep"));
            loop.context.wake();
        };

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("while asleep");
        assertThat(loop.parker.unparks).isEqualTo(1);
    }

    @Test
    void shouldPostManyAtOnceInTheirOrder() {
        FakeLoop loop = new FakeLoop();
        Task[] tasks = {loop.logs("a"), loop.logs("b"), loop.logs("c"), loop.logs("not this")};
        loop.parker.asleep = () -> {
            loop.context.post(loop.logs("before"));
            loop.context.postAll(tasks, 3);
            loop.context.post(loop.logs("after"));
        };

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("before", "a", "b", "c", "after");
        assertThat(loop.parker.unparks).isEqualTo(1);
        loop.context.postAll(tasks, 2);
        loop.context.postAll(tasks, 0);
        loop.poll();
        assertThat(loop.log).endsWith("after", "a", "b");
    }

    @Test
    void shouldRefuseToPostMoreThanThereAre() {
        FakeLoop loop = new FakeLoop();

        assertThatThrownBy(() -> loop.context.postAll(new Task[2], 3))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void shouldPostNoneOfManyTasksIfOneIsMissing() {
        FakeLoop loop = new FakeLoop();
        Task[] tasks = new Task[3];
        tasks[0] = loop.logs("first");
        tasks[2] = loop.logs("third");

        assertThatThrownBy(() -> loop.context.postAll(tasks, 3))
                .isInstanceOf(NullPointerException.class);
        FakeLoop.elsewhere(() -> assertThatThrownBy(() -> loop.context.postAll(tasks, 3))
                .isInstanceOf(NullPointerException.class));

        assertThat(loop.context.isIdle()).isTrue();
        tasks[1] = loop.logs("second");
        loop.context.postAll(tasks, 3);
        loop.poll();
        assertThat(loop.log).containsExactly("first", "second", "third");
    }

    @Test
    void shouldLeaveTasksUnqueuedThatAClosedContextRefuses() {
        FakeLoop closed = new FakeLoop("closed");
        FakeLoop open = new FakeLoop("open");
        Task[] tasks = {open.logs("a"), open.logs("b"), open.logs("c")};
        closed.context.close();

        assertThatThrownBy(() -> closed.context.postAll(tasks, 3))
                .isInstanceOf(IllegalStateException.class);
        closed.close();
        assertThatThrownBy(() -> closed.context.postAll(tasks, 3))
                .isInstanceOf(IllegalStateException.class);
        open.context.postAll(tasks, 3);
        open.poll();

        assertThat(open.log).containsExactly("a", "b", "c");
    }

    @Test
    void shouldTakeForAStrangerWhoeverRunsOnTheSleepersStack() {
        FakeLoop loop = new FakeLoop();
        loop.parker.asleep = () -> {
            assertThat(loop.context.isHome()).isFalse();
            assertThat(loop.context.hasOwner()).isTrue();
            assertThatThrownBy(() -> loop.context.defer(loop.logs("never")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("put it to sleep")
                    .hasMessageContaining("main");
            assertThatThrownBy(loop.context::acquire).isInstanceOf(IllegalStateException.class);
        };

        loop.context.poll(1);

        assertThat(loop.context.isHome()).isTrue();
    }

    @Test
    void shouldReportExceptionsAndGoOn() {
        FakeLoop loop = new FakeLoop();
        RuntimeException cause = new RuntimeException("on purpose");
        loop.context.defer(FakeLoop.task("thrower", () -> {
            throw cause;
        }));
        loop.context.defer(loop.logs("next"));

        boolean progress = loop.poll();

        assertThat(progress).isTrue();
        assertThat(loop.log).containsExactly("next");
        assertThat(loop.errors).containsExactly(cause);
        assertThat(loop.errorSites).containsExactly("thrower");
    }

    @Test
    void shouldSurviveAnErrorHandlerThatThrows() {
        FakeLoop loop = new FakeLoop();
        AioContext context = new AioContext("c", loop.seams().withErrors((where, site, cause) -> {
            throw new IllegalStateException("the handler itself");
        }));
        try (Lease lease = context.acquire()) {
            context.defer(FakeLoop.task("thrower", () -> {
                throw new RuntimeException("on purpose");
            }));
            context.defer(loop.logs("next"));

            context.poll(0);
        }

        assertThat(loop.log).containsExactly("next");
    }

    @Test
    void shouldLetAnErrorOutOfThePollAndRunTheRestLater() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("thrower", () -> {
            loop.context.deferCall(loop.logsCall("publish"));
            throw new StackOverflowError("on purpose");
        }));
        loop.context.defer(loop.logs("rest"));

        assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);

        assertThat(loop.context.pollDepth()).isZero();
        assertThat(loop.poll()).isTrue();
        assertThat(loop.log).containsExactly("rest", "publish");
    }

    @Test
    @Rule("JCQ-T15")
    void jcqT15ShouldRefuseANegativeWait() {
        FakeLoop loop = new FakeLoop();

        assertThatThrownBy(() -> loop.context.poll(-1))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
    }

    @Test
    @Rule("AIO-45")
    void shouldRunOuterOnlyTasksInOutermostTurnsOnly() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.context.postOuter(loop.logs("outer only"));
            loop.context.defer(loop.logs("nestable"));
            loop.poll();
            loop.poll();
            loop.log.add("nested turns over");
        }));

        loop.poll();

        assertThat(loop.log).containsExactly("nestable", "nested turns over", "outer only");
    }

    @Test
    @Rule("AIO-45")
    void shouldNotRunTheRestOfTheOuterOnlyTasksInsideOneThatPolls() {
        FakeLoop loop = new FakeLoop();
        loop.context.postOuter(FakeLoop.task("nesting", () -> {
            loop.poll();
            loop.log.add("first is done");
        }));
        loop.context.postOuter(loop.logs("second"));

        loop.poll();

        assertThat(loop.log).containsExactly("first is done", "second");
    }

    @Test
    @Rule("AIO-45")
    void shouldNotSleepInAnOutermostTurnWhileAnOuterOnlyTaskIsQueued() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.context.postOuter(loop.logs("outer only"));
            loop.poll();
            loop.context.defer(FakeLoop.task("thrower", () -> {
                throw new StackOverflowError("on purpose");
            }));
        }));
        loop.context.defer(FakeLoop.task("thrower", () -> {
            throw new StackOverflowError("on purpose");
        }));
        assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("outer only");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    void shouldPostTheTaskOfAWaiterOnceItsConditionHolds() {
        FakeLoop loop = new FakeLoop();
        boolean[] done = new boolean[1];
        loop.context.whenDone(() -> done[0], loop.logs("done"));
        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.log).isEmpty();

        done[0] = true;
        loop.context.wake();
        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("done");
        assertThat(loop.parker.parks).isEmpty();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    void shouldLookAtAWaiterBeforeItSleeps() {
        FakeLoop loop = new FakeLoop();
        loop.context.whenDone(() -> true, loop.logs("done"));

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("done");
    }

    @Test
    void shouldEvaluateWaitersInNestedTurnsButRunTheirTasksInOutermostOnes() {
        FakeLoop loop = new FakeLoop();
        int[] evaluations = new int[1];
        loop.context.whenDone(() -> {
            evaluations[0]++;
            return loop.context.pollDepth() == 2;
        }, loop.logs("done"));
        loop.context.defer(FakeLoop.task("nesting", () -> {
            loop.poll();
            loop.log.add("nested turn over");
        }));

        loop.poll();

        assertThat(evaluations[0]).isEqualTo(1);
        assertThat(loop.log).containsExactly("nested turn over", "done");
    }

    @Test
    void shouldReportAndForgetAWaiterThatThrows() {
        FakeLoop loop = new FakeLoop();
        loop.context.whenDone(() -> {
            throw new IllegalStateException("on purpose");
        }, loop.logs("broken waiter"));
        loop.context.whenDone(() -> true, loop.logs("other waiter"));

        loop.poll();
        loop.poll();

        assertThat(loop.errorSites).containsExactly("broken waiter");
        assertThat(loop.log).containsExactly("other waiter");
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    void shouldKnowWhetherItIsIdleAndWhetherItCanRun() {
        FakeLoop loop = new FakeLoop();
        assertThat(loop.context.isIdle()).isTrue();
        assertThat(loop.context.hasRunnable()).isFalse();

        LoopTimer timer = new LoopTimer(loop.context, "timer", () -> { });
        timer.armAt(TimeUnit.SECONDS.toNanos(1));
        assertThat(loop.context.isIdle()).isFalse();
        assertThat(loop.context.hasRunnable()).isTrue();
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(1));

        timer.cancel();
        loop.context.whenDone(() -> false, loop.logs("waiter"));
        assertThat(loop.context.isIdle()).isFalse();
        assertThat(loop.context.hasRunnable()).isFalse();
    }

    @Test
    @Rule("AIO-45")
    void shouldCountOuterOnlyTasksAsRunnableWhereTheyCouldRun() {
        FakeLoop loop = new FakeLoop();
        boolean[] runnableInCallback = new boolean[1];
        loop.context.postOuter(loop.logs("outer only"));
        assertThat(loop.context.hasRunnable()).isTrue();
        loop.context.defer(FakeLoop.task("asks",
                () -> runnableInCallback[0] = loop.context.hasRunnable()));

        loop.poll();

        assertThat(runnableInCallback[0]).isFalse();
    }

    @Test
    @Rule("AIO-20")
    @Rule("AIO-75")
    @Rule("SPT-T11")
    void shouldRefuseToCloseAndNameWhatRemains() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("left task"));
        loop.context.postOuter(loop.logs("left control task"));
        new LoopTimer(loop.context, "left timer", () -> { }).armAt(5);
        loop.context.whenDone(() -> false, loop.logs("left waiter"));
        loop.context.deferCall(loop.logsCall("left call"));

        assertThatThrownBy(loop.context::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("main", "left task", "left control task", "left timer",
                        "left waiter", "deferred");

        loop.poll();
        assertThat(loop.log).containsExactly("left task", "left call", "left control task");
    }

    @Test
    @Rule("AIO-75")
    @Rule("SPT-T11")
    void shouldRefuseEverythingOnceClosed() {
        FakeLoop loop = new FakeLoop();
        LoopTimer timer = new LoopTimer(loop.context, "timer", () -> { });
        BottomHalf bottomHalf = new BottomHalf(loop.context, "half", () -> { });

        loop.context.close();
        loop.context.close();

        List<Runnable> refused = List.of(
                () -> loop.context.post(loop.logs("post")),
                () -> loop.context.defer(loop.logs("defer")),
                () -> loop.context.postOuter(loop.logs("outer")),
                () -> loop.context.execute(() -> { }),
                () -> loop.context.whenDone(() -> true, loop.logs("waiter")),
                () -> loop.context.deferCall(loop.logsCall("call")),
                () -> loop.context.deferSettle(loop.logsCall("settle")),
                () -> loop.context.poll(0),
                () -> Workers.inline().submit(loop.context, new NoWork()),
                () -> new EventNotifier("event").attach(loop.context, () -> { }),
                () -> timer.armAt(1),
                bottomHalf::schedule);
        String thread = Thread.currentThread().getName();
        for (Runnable call : refused) {
            assertThatThrownBy(call::run).isInstanceOf(IllegalStateException.class).hasMessage(
                    "context main is closed (AIO-75); thread " + thread + " is refused");
        }
        loop.context.wake();
        loop.close();
        assertThatThrownBy(loop.context::acquire).hasMessageContaining("main is closed (AIO-75)");
        assertThatThrownBy(() -> loop.context.post(loop.logs("post")))
                .hasMessageContaining("main is closed (AIO-75)");
        assertThatThrownBy(() -> loop.context.poll(0)).hasMessageContaining("is closed (AIO-75)");
    }

    @Test
    @Rule("AIO-20")
    void shouldNameOnCloseWhatWasNeverDeletedOrDetached() {
        FakeLoop loop = new FakeLoop();
        BottomHalf deleted = new BottomHalf(loop.context, "deleted", () -> { });
        BottomHalf cancelled = new BottomHalf(loop.context, "cancelled", () -> { });
        EventNotifier notifier = new EventNotifier("attached");
        notifier.attach(loop.context, () -> { });
        deleted.delete();
        cancelled.schedule();
        cancelled.cancel();

        loop.context.close();

        assertThat(loop.errors).hasSize(2);
        assertThat(loop.errors.toString())
                .contains("bottom half cancelled was never deleted",
                        "notifier attached is still attached");
    }

    @Test
    @Rule("BUG-9")
    void shouldRefuseToBeClosedByACallback() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("closer", loop.context::close));

        loop.poll();

        assertThat(loop.errors).hasSize(1);
        assertThat(loop.errors.get(0)).hasMessageContaining("callback");
    }

    private static final class NoWork extends WorkItem {
        @Override
        protected void work() {
            throw new AssertionError("nobody may work on it");
        }

        @Override
        protected void run() {
            throw new AssertionError("it may not come home");
        }
    }
}
