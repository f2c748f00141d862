package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an embedder must not do is refused at once, with the context, the thread and the rule. */
class MisuseTest {
    private final FakeLoop loop = new FakeLoop("io7");
    private final String me = Thread.currentThread().getName();
    private final ExecutorService stranger =
            Executors.newSingleThreadExecutor(run -> new Thread(run, "stranger"));

    @AfterEach
    void stopStranger() throws InterruptedException {
        stranger.shutdown();
        assertThat(stranger.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }

    private void refusedAsItQueuesItself(Task task, String rule) throws Exception {
        AioContext context = loop.context;
        Task[] many = {loop.logs("first of many"), task};
        List<ThrowingCallable> calls = List.of(() -> context.post(task),
                () -> context.postAll(many, 2), () -> context.postOuter(task));
        for (ThrowingCallable call : calls) {
            refused(stranger.submit(() -> Assertions.catchThrowable(call)).get(), "stranger",
                    task, rule);
            refused(Assertions.catchThrowable(call), me, task, rule);
        }
        refused(Assertions.catchThrowable(() -> context.defer(task)), me, task, rule);
        refused(Assertions.catchThrowable(() -> context.whenDone(() -> true, task)), me, task,
                rule);
        assertThat(context.isIdle()).isTrue();
    }

    private static void refused(Throwable thrown, String who, Task task, String rule) {
        assertThat(thrown).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("context io7", who, task.describe(), rule);
    }

    @Test
    @Rule("AIO-2")
    void shouldRefuseABottomHalfThatSomebodyPosts() throws Exception {
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("half"));

        refusedAsItQueuesItself(half, "AIO-2");

        half.schedule();
        loop.poll();
        assertThat(loop.log).containsExactly("half");
    }

    @Test
    @Rule("AIO-71")
    void shouldRefuseAnItemThatSomebodyPosts() throws Exception {
        WorkItem item = new WorkItem() {
            @Override
            protected void work() {
                loop.log.add("work");
            }

            @Override
            protected void run() {
                loop.log.add("home");
            }

            @Override
            public String describe() {
                return "item";
            }
        };

        refusedAsItQueuesItself(item, "AIO-71");

        loop.context.workers().submit(loop.context, item);
        assertThatThrownBy(() -> loop.context.post(item))
                .isInstanceOf(IllegalArgumentException.class);
        loop.poll();
        loop.poll();
        assertThat(loop.log).containsExactly("work", "home");
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    void shouldRefuseMoreEndsOfParkingThanBegins() {
        loop.context.parkingBegins();
        loop.context.parkingEnds();

        assertThatThrownBy(loop.context::parkingEnds).isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", me, "parkingEnds");

        assertThat(loop.context.isIdle()).isTrue();
        loop.context.parkingBegins();
        assertThat(loop.context.isIdle()).isFalse();
    }

    @Test
    @Rule("AIO-39")
    void shouldRefuseAPollFromAWrongThread() {
        assertThatThrownBy(() -> stranger.submit(() -> loop.context.poll(0)).get())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", "stranger", me, "AIO-39");
    }

    @Test
    @Rule("AIO-39")
    void shouldRefuseAPollOfAContextThatItsOwnThreadHasPutToSleep() {
        loop.parker.asleep = () -> assertThatThrownBy(loop::poll)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", me, "put it to sleep", "AIO-39");

        loop.context.poll(1);
    }

    @Test
    @Rule("AIO-57")
    void shouldRefuseAPollByAConditionOfThatContext() {
        loop.context.whenDone(loop::poll, loop.logs("waiter that polls"));
        loop.context.whenDone(() -> true, loop.logs("other waiter"));

        loop.poll();
        loop.poll();

        assertThat(loop.errorSites).containsExactly("waiter that polls");
        assertThat(loop.errors.get(0)).hasMessageContainingAll("context io7", me, "AIO-57");
        assertThat(loop.log).containsExactly("other waiter");
    }

    @Test
    @Rule("AIO-57")
    void shouldPollAgainAfterAConditionHasThrownAnError() {
        loop.context.whenDone(() -> {
            throw new StackOverflowError("on purpose");
        }, loop.logs("waiter"));
        assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);
        loop.context.defer(loop.logs("task"));

        assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);

        assertThat(loop.log).containsExactly("task");
    }

    @Test
    @Rule("AIO-39")
    @Rule("AIO-22")
    void shouldRefuseAPollByAHookThatIsPolled() {
        served(loop::poll);

        loop.context.poll(1_000);

        assertThat(loop.errorSites).containsExactly("polling");
        assertThat(loop.errors.get(0)).isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", me, "poll hook", "AIO-39");
        assertThat(loop.context.pollDepth()).isZero();
        loop.context.defer(loop.logs("task"));
        loop.poll();
        assertThat(loop.log).endsWith("task");
    }

    @Test
    @Rule("AIO-39")
    void shouldRefuseAPollByAHookAsPollingBegins() {
        served(new PollHook() {
            @Override
            public boolean poll() {
                return false;
            }

            @Override
            public void pollBegins() {
                loop.poll();
            }
        });

        loop.context.poll(1_000);

        assertThat(loop.errors.get(0)).hasMessageContainingAll("context io7", me, "AIO-39");
    }

    @Test
    @Rule("AIO-39")
    void shouldRefuseAPollByAHookAsPollingEndsWithTheLease() {
        served(new PollHook() {
            private boolean asked;

            @Override
            public boolean poll() {
                boolean first = !asked;
                asked = true;
                return first;
            }

            @Override
            public void pollEnds() {
                loop.poll();
            }
        });
        loop.context.poll(1_000);
        assertThat(loop.errors).as("in polling mode").isEmpty();

        loop.close();

        assertThat(loop.errors.get(0)).hasMessageContainingAll("context io7", me, "AIO-39");
        assertThat(loop.context.hasOwner()).isFalse();
    }

    @Test
    @Rule("DRAIN-9")
    void shouldRefuseToPollAndToWaitInAHookOfASection() {
        ControlWait.enterHook(loop.context);
        ControlWait.enterHook(loop.context);
        ControlWait.leaveHook(loop.context);

        refused(loop::poll, me, "DRAIN-9");
        refused(() -> ControlWait.until(loop.context, ControlWaitTest.target(() -> true,
                out -> { })), me, "DRAIN-9");
        ControlWait.leaveHook(loop.context);

        assertThat(loop.poll()).isFalse();
        assertThatThrownBy(() -> stranger.submit(() -> ControlWait.enterHook(loop.context)).get())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", "stranger", me);
    }

    @Test
    @Rule("DRAIN-9")
    @Rule("AIO-62")
    @Rule("AIO-75")
    void shouldRefuseToLeaveInAHookOfASectionOutsideATurn() {
        ControlWait.enterHook(loop.context);
        try (Lease nested = loop.context.acquire()) {
            assertThat(loop.context.isHome()).isTrue();
        }

        refused(loop::close, me, "a hook of a section", "AIO-62");
        refused(loop.context::close, me, "a hook of a section", "AIO-75");
        assertThat(loop.context.isHome()).isTrue();
        ControlWait.leaveHook(loop.context);
        refused(() -> ControlWait.leaveHook(loop.context), me, "DRAIN-9");

        loop.close();
        try (Lease next = loop.context.acquire()) {
            assertThat(loop.poll()).as("a turn of the next owner").isFalse();
        }
    }

    @Test
    @Rule("AIO-62")
    @Rule("AIO-75")
    void shouldRefuseToLeaveInAHookThatIsToldTheEndOfPolling() {
        served(new PollHook() {
            private boolean asked;

            @Override
            public boolean poll() {
                boolean first = !asked;
                asked = true;
                return first;
            }

            @Override
            public void pollEnds() {
                refused(loop.context::close, me, "a poll hook", "AIO-75");
                loop.close();
            }
        });
        loop.context.poll(1_000);
        assertThat(loop.errors).as("in polling mode").isEmpty();

        loop.close();

        assertThat(loop.errors).singleElement().satisfies(e -> assertThat(e)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", me, "a poll hook", "AIO-62"));
        assertThat(loop.context.hasOwner()).isFalse();
    }

    @Test
    @Rule("AIO-62")
    void shouldRefuseToLeaveInWhatAWaitEvaluatesBetweenItsTurns() {
        for (int turns = 0; turns < 2; turns++) {
            AtomicInteger left = new AtomicInteger(turns);
            assertThatThrownBy(() -> ControlWait.until(loop.context, ControlWaitTest.target(() -> {
                if (left.getAndDecrement() == 0) {
                    loop.close();
                }
                return false;
            }, out -> { }))).isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("context io7", me, "a wait", "AIO-62");
        }

        loop.close();
    }

    @Test
    @Rule("AIO-39")
    @Rule("AIO-57")
    void shouldRefuseAPollByTheErrorHandlerWhoIsToldOfAHookOrACondition() {
        List<String> refusals = new ArrayList<>();
        AioContext told = new AioContext("io8", loop.seams().withErrors((where, site, cause) -> {
            assertThatThrownBy(() -> where.poll(0)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("context io8", me)
                    .satisfies(e -> refusals.add(site + ": " + e.getMessage()));
        }));
        try (Lease lease = told.acquire()) {
            served(told, () -> {
                throw new IllegalStateException("on purpose");
            });
            told.poll(1_000);
            told.whenDone(() -> {
                throw new IllegalStateException("on purpose");
            }, loop.logs("waiter"));
            told.poll(0);
        }

        assertThat(refusals).hasSize(2);
        assertThat(refusals.get(0)).startsWith("polling: ").contains("AIO-39");
        assertThat(refusals.get(1)).startsWith("waiter: ").contains("AIO-57");
    }

    @Test
    @Rule("AIO-40")
    void shouldRefuseANegativeTime() {
        assertThatThrownBy(() -> loop.context.poll(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("context io7", me, "-1 ns", "AIO-40");
    }

    @Test
    @Rule("AIO-62")
    void shouldRefuseALeaseOfAContextThatIsOwned() {
        assertThatThrownBy(() -> stranger.submit(loop.context::acquire).get())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", "stranger", me, "AIO-62");
    }

    @Test
    @Rule("AIO-62")
    void shouldRefuseToCloseALeaseTwiceOrInTheWrongOrderOrByAnother() {
        Lease outer = loop.context.acquire();
        Lease inner = loop.context.acquire();

        refused(outer::close, me, "AIO-62");
        inner.close();
        refused(inner::close, me, "AIO-62");
        assertThatThrownBy(() -> stranger.submit(outer::close).get())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", "stranger", me, "AIO-62");
        outer.close();
    }

    @Test
    @Rule("AIO-75")
    void shouldRefuseToCloseAContextFromInside() {
        loop.context.defer(FakeLoop.task("closer", loop.context::close));

        loop.poll();

        assertThat(loop.errors).singleElement().satisfies(e -> assertThat(e)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io7", me, "AIO-75"));
        assertThat(loop.context.isIdle()).isTrue();
        loop.context.close();
    }

    @Test
    @Rule("AIO-62")
    void shouldRefuseToGiveTheLeaseBackFromInside() {
        loop.context.defer(FakeLoop.task("closer", loop::close));

        loop.poll();

        assertThat(loop.errors.get(0)).hasMessageContainingAll("context io7", me, "AIO-62");
    }

    @Test
    @Rule("AIO-20")
    void shouldRefuseToCloseAContextThatHasWork() {
        loop.context.defer(loop.logs("left"));

        refused(loop.context::close, me, "left", "AIO-20");
    }

    @Test
    @Rule("AIO-62")
    void shouldRefuseWhatIsForHomeWhenNobodyOwnsTheContext() {
        loop.close();

        refused(() -> loop.context.defer(loop.logs("t")), me, "by nobody", "AIO-62");
        refused(() -> loop.context.poll(0), me, "by nobody", "AIO-39");
    }

    @Test
    @Rule("AIO-21")
    void shouldRefuseASecondAttachmentOfANotifier() {
        EventNotifier notifier = new EventNotifier("kick");
        notifier.attach(loop.context, () -> { });

        assertThatThrownBy(() -> notifier.attach(loop.context, () -> { }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("kick", "io7", me, "AIO-21");
    }

    private void served(PollHook hook) {
        served(loop.context, hook);
    }

    /** Attaches what is polled from now on, whenever the loop waits. */
    private void served(AioContext context, PollHook hook) {
        EventNotifier event = new EventNotifier("ring");
        event.attach(context, () -> loop.log.add("served"), hook);
        context.setPolling(new PollParameters(10_000, 0, 0));
        context.poll(0);
        for (int i = 0; i < 2; i++) {
            loop.parker.asleep = () -> {
                loop.clock.nowNanos += 2_000;
                event.set();
            };
            context.poll(Long.MAX_VALUE);
        }
        loop.parker.asleep = null;
        assertThat(loop.log).endsWith("served");
    }

    private static void refused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("context io7").hasMessageContainingAll(parts);
    }
}
