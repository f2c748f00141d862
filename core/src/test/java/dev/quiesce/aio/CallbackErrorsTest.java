package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What a callback of any kind throws: where it is reported, and that the loop goes on. */
class CallbackErrorsTest {
    /** A kind of callback: where its failures are reported, and how to have one run. */
    private record Kind(String name, String site, BiConsumer<FakeLoop, Runnable> schedule) {
    }

    private static List<Kind> kinds() {
        return List.of(
                new Kind("a posted task", "task",
                        (loop, run) -> loop.context.post(FakeLoop.task("task", run))),
                new Kind("an outer-only task", "outer",
                        (loop, run) -> loop.context.postOuter(FakeLoop.task("outer", run))),
                new Kind("a bottom half", "half",
                        (loop, run) -> new BottomHalf(loop.context, "half", run).schedule()),
                new Kind("a timer", "alarm",
                        (loop, run) -> new LoopTimer(loop.context, "alarm", run).armAt(0)),
                new Kind("a notifier's handler", "kick", (loop, run) -> {
                    EventNotifier kick = new EventNotifier("kick");
                    kick.attach(loop.context, run);
                    kick.set();
                }),
                new Kind("a waiter's condition", "waiter",
                        (loop, run) -> loop.context.whenDone(() -> {
                            run.run();
                            return true;
                        }, FakeLoop.task("waiter", () -> { }))),
                new Kind("a deferred call", "call",
                        (loop, run) -> loop.context.deferCall(FakeLoop.call("call", run))),
                new Kind("a settle", "settle",
                        (loop, run) -> loop.context.deferSettle(FakeLoop.call("settle", run))),
                new Kind("a work item that comes home", "item",
                        (loop, run) -> Workers.inline().submit(loop.context, item(run))));
    }

    @TestFactory
    @Rule("NET-T14")
    List<DynamicTest> shouldReportAnExceptionWithItsSiteAndGoOn() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Kind kind : kinds()) {
            tests.add(DynamicTest.dynamicTest(kind.name, () -> {
                FakeLoop loop = new FakeLoop();
                RuntimeException cause = new RuntimeException("on purpose");
                kind.schedule.accept(loop, () -> {
                    throw cause;
                });
                loop.context.post(loop.logs("next"));

                loop.poll();

                assertThat(loop.errors).containsExactly(cause);
                assertThat(loop.errorSites).containsExactly(kind.site);
                assertThat(loop.log).containsExactly("next");
                assertThat(loop.context.pollDepth()).isZero();
                assertThat(loop.context.isIdle()).isTrue();
            }));
        }
        return tests;
    }

    @TestFactory
    @Rule("NET-T14")
    List<DynamicTest> shouldLetAnErrorOutOfThePollAndRunTheRestInTheNext() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Kind kind : kinds()) {
            tests.add(DynamicTest.dynamicTest(kind.name, () -> {
                FakeLoop loop = new FakeLoop();
                boolean[] thrown = new boolean[1];
                kind.schedule.accept(loop, () -> {
                    if (!thrown[0]) {
                        thrown[0] = true;
                        throw new StackOverflowError("on purpose");
                    }
                });
                loop.context.post(loop.logs("next"));

                assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);
                loop.poll();
                loop.poll();

                assertThat(loop.errors).isEmpty();
                assertThat(loop.log).containsExactly("next");
                assertThat(loop.context.pollDepth()).isZero();
                assertThat(loop.context.isIdle()).isTrue();
            }));
        }
        return tests;
    }

    @Test
    void shouldReportACheckedExceptionThatACallbackSmuggles() {
        FakeLoop loop = new FakeLoop();
        loop.context.post(FakeLoop.task("smuggler",
                () -> CallbackErrorsTest.<RuntimeException>smuggle(new Exception("checked"))));

        loop.poll();

        assertThat(loop.errorSites).containsExactly("smuggler");
        assertThat(loop.errors.get(0)).hasMessage("checked");
    }

    @Test
    @Rule("NET-T14")
    void shouldGoOnThoughTheErrorHandlerSmugglesACheckedException() {
        try (FakeLoop loop = new FakeLoop("main", (context, site, cause) ->
                CallbackErrorsTest.<RuntimeException>smuggle(new Exception("checked")))) {
            loop.context.post(FakeLoop.task("task", () -> {
                throw new IllegalArgumentException("on purpose");
            }));
            loop.context.post(loop.logs("next"));

            loop.poll();

            assertThat(loop.log).containsExactly("next");
            assertThat(loop.context.pollDepth()).isZero();
        }
    }

    @Test
    @Rule("NET-T14")
    void shouldLetOutAnErrorOfTheErrorHandlerTogetherWithWhatItWasTold() {
        RuntimeException cause = new IllegalArgumentException("on purpose");
        try (FakeLoop loop = new FakeLoop("main", (context, site, told) -> {
            throw new StackOverflowError("the handler's own");
        })) {
            loop.context.post(FakeLoop.task("task", () -> {
                throw cause;
            }));

            assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class)
                    .hasMessage("the handler's own").hasSuppressedException(cause);
        }
    }

    @Test
    @Rule("NET-T14")
    void shouldLetOutTheErrorThatItsHandlerWasToldAndThrowsAgain() {
        Error told = new StackOverflowError("on purpose");
        try (FakeLoop loop = new FakeLoop("main", (context, site, cause) -> {
            throw (Error) cause;
        })) {
            assertThatThrownBy(() -> loop.context.report("site", told)).isSameAs(told);
        }
    }

    @Test
    void shouldReportATaskThatCannotEvenDescribeItself() {
        FakeLoop loop = new FakeLoop();
        RuntimeException cause = new RuntimeException("on purpose");
        loop.context.post(nameless(() -> {
            throw cause;
        }));
        loop.context.post(loop.logs("next"));

        loop.poll();

        assertThat(loop.errors).containsExactly(cause);
        assertThat(loop.errorSites.get(0)).contains("cannot describe itself", "half changed");
        assertThat(loop.log).containsExactly("next");
    }

    static Task nameless(Runnable run) {
        return new Task() {
            @Override
            protected void run() {
                run.run();
            }

            @Override
            public String describe() {
                throw new IllegalStateException("half changed");
            }
        };
    }

    @SuppressWarnings("unchecked") // that is the point
    private static <E extends Exception> void smuggle(Exception checked) throws E {
        throw (E) checked;
    }

    @Test
    @Rule("AIO-35")
    @Rule("AIO-59")
    void shouldLookAgainAtWhatWasAnnouncedToATurnThatAnErrorEnded() {
        FakeLoop loop = new FakeLoop();
        boolean[] done = new boolean[1];
        loop.context.whenDone(() -> done[0], loop.logs("done"));
        loop.poll();
        FakeLoop.elsewhere(() -> {
            done[0] = true;
            loop.context.wake();
        });
        loop.context.post(FakeLoop.task("breaks", () -> {
            throw new StackOverflowError("on purpose");
        }));

        assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);
        // Would fail if it slept.
        loop.context.poll(Long.MAX_VALUE);
        loop.poll();

        assertThat(loop.log).containsExactly("done");
        assertThat(loop.parker.parks).isEmpty();
    }

    private static WorkItem item(Runnable home) {
        return new WorkItem() {
            @Override
            protected void work() {
                assertThat(isCancelled()).isFalse();
            }

            @Override
            protected void run() {
                home.run();
            }

            @Override
            public String describe() {
                return "item";
            }
        };
    }
}
