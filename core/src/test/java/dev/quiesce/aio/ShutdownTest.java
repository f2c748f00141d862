package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.Poller;
import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * What becomes of each kind of pending work when a context is closed, which is then refused, and
 * when its loop ends, which then names it: the table in docs/threads.md.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ShutdownTest {
    /** Items of a loop that a worker would have taken. */
    private final List<WorkItem> atWork = new ArrayList<>();

    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final LoopSeams seams = LoopSeams.system()
            .withErrors((context, site, cause) -> reports.add(site + ": " + cause));
    private final ThreadFactory factory = run -> {
        Thread thread = new Thread(run, "io thread");
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler((who, cause) -> reports.add("uncaught: " + cause));
        return thread;
    };

    /** Leaves something in a loop that would log if it ever ran. */
    private interface Pending {
        void leaveIn(FakeLoop loop);
    }

    private record Kind(String name, String named, Pending pending) {
    }

    private List<Kind> kinds() {
        return List.of(
                new Kind("a posted task", "task posted",
                        loop -> loop.context.post(loop.logs("posted"))),
                new Kind("a piece of code", "task ",
                        loop -> loop.context.execute(() -> loop.log.add("executed"))),
                new Kind("an outer-only task", "task outer",
                        loop -> loop.context.postOuter(loop.logs("outer"))),
                new Kind("a scheduled bottom half", "task half",
                        loop -> new BottomHalf(loop.context, "half", () -> loop.log.add("half"))
                                .schedule()),
                new Kind("an armed timer", "timer alarm",
                        loop -> new LoopTimer(loop.context, "alarm", () -> loop.log.add("alarm"))
                                .armAt(0)),
                new Kind("a set notifier", "task kick", ShutdownTest::leaveSetNotifier),
                new Kind("a waiter", "waiter waits",
                        loop -> loop.context.whenDone(() -> true, loop.logs("waits"))),
                new Kind("a deferred call", "deferred calls",
                        loop -> loop.context.deferCall(loop.logsCall("call"))),
                new Kind("a deferred settle", "deferred calls",
                        loop -> loop.context.deferSettle(loop.logsCall("settle"))),
                new Kind("an item at work", "1 items at work", this::leaveItemAtWork));
    }

    @TestFactory
    @Rule("IOT-6")
    @Rule("AIO-20")
    List<DynamicTest> shouldRunNothingAndNameEverythingWhenTheLoopEnds() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Kind kind : kinds()) {
            tests.add(DynamicTest.dynamicTest(kind.name, () -> {
                FakeLoop loop = new FakeLoop();
                kind.pending.leaveIn(loop);

                loop.context.end("the end");
                loop.close();

                assertThat(loop.log).isEmpty();
                assertThat(loop.errorSites).first().isEqualTo("end of the loop");
                assertThat(loop.errors.get(0)).hasMessageContainingAll("the end", kind.named);
            }));
        }
        return tests;
    }

    @TestFactory
    @Rule("AIO-20")
    @Rule("AIO-75")
    List<DynamicTest> shouldRefuseToCloseNamingEverythingAndRunItAfterwards() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Kind kind : kinds()) {
            tests.add(DynamicTest.dynamicTest(kind.name, () -> {
                FakeLoop loop = new FakeLoop();
                kind.pending.leaveIn(loop);

                assertThatThrownBy(loop.context::close).isInstanceOf(IllegalStateException.class)
                        .hasMessageContainingAll("main", kind.named);

                assertThat(loop.log).isEmpty();
                atWork.forEach(WorkItem::perform);
                atWork.clear();
                loop.poll();
                loop.poll();
                assertThat(loop.log).hasSize(1);
                assertThat(loop.context.isIdle()).isTrue();
                assertThat(loop.errors).isEmpty();
            }));
        }
        return tests;
    }

    @Test
    @Rule("IOT-6")
    void shouldNameEachOnceWhenEveryKindIsLeft() {
        FakeLoop loop = new FakeLoop();
        kinds().forEach(kind -> kind.pending.leaveIn(loop));

        loop.context.end("the end");

        assertThat(loop.errors).hasSize(1);
        kinds().forEach(kind -> assertThat(loop.errors.get(0)).hasMessageContaining(kind.named));
        assertThat(loop.errors.get(0).getMessage()).containsOnlyOnce("task half")
                .containsOnlyOnce("timer alarm").containsOnlyOnce("task kick");
    }

    @Test
    @Rule("IOT-6")
    @Rule("AIO-10")
    void shouldNotNameWhatWasCancelledOrDeletedAndTellWhoWaitsForThat() {
        FakeLoop loop = new FakeLoop();
        BottomHalf cancelled = new BottomHalf(loop.context, "cancelled", () -> { });
        cancelled.schedule();
        cancelled.cancel();
        BottomHalf deleted = new BottomHalf(loop.context, "deleted", () -> { });
        deleted.schedule();
        CompletableFuture<?> gone = deleted.deleteAndAwait().toCompletableFuture();
        LoopTimer timer = new LoopTimer(loop.context, "timer", () -> { });
        timer.armAt(1);
        timer.cancel();

        loop.context.end("the end");

        assertThat(loop.errors).isEmpty();
        assertThat(gone).isCompleted();
        assertThatThrownBy(cancelled::schedule).hasMessageContaining("the end");
    }

    @Test
    @Rule("IOT-6")
    @Rule("IOT-7")
    @Rule("NET-T04")
    void netT04ShouldKeepASetNotifierForAnotherContext() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");
        EventNotifier kick = new EventNotifier("kick");
        kick.attach(loop.context, () -> loop.log.add("kick"));
        kick.set();
        loop.context.end("the end");
        loop.close();

        kick.set();
        kick.detach();
        assertThatThrownBy(() -> kick.attach(loop.context, () -> { }))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("the end");
        kick.attach(other.context, () -> other.log.add("kick"));
        other.poll();

        assertThat(loop.log).isEmpty();
        assertThat(other.log).containsExactly("kick");
    }

    @Test
    @Rule("IOT-6")
    void shouldCarryWorkThroughAndReportThatItsResultIsLost() throws InterruptedException {
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch submitted = new CountDownLatch(1);
        boolean[] worked = new boolean[2];
        IoThread ioThread = IoThread.start(IoThreadConfig.withOwnPool("io", factory, seams)
                .withProperties(IoThread.Properties.defaults().withPool(0, 1)));
        ioThread.context().execute(() -> {
            Workers pool = ioThread.context().workers();
            pool.submit(ioThread.context(), item("begun", () -> {
                await(go);
                worked[0] = true;
            }));
            pool.submit(ioThread.context(), item("queued", () -> worked[1] = true));
            submitted.countDown();
        });
        await(submitted);
        Thread closer = new Thread(ioThread::close);
        closer.start();
        // Counted as ended, it may still take what comes; once it has reported, it does not.
        Spin.until(() -> !reports.isEmpty(), "a report of what is left");

        go.countDown();
        closer.join();

        assertThat(worked).containsExactly(true, true);
        assertThat(reports).hasSize(3).allMatch(r -> r.contains("IOT-7"))
                .anyMatch(r -> r.contains("2 items at work"))
                .anyMatch(r -> r.startsWith("begun: "))
                .anyMatch(r -> r.startsWith("queued: "));
    }

    @Test
    @Rule("NET-T01")
    @Rule("IOT-5")
    void netT01ShouldRunWhatWasQueuedBeforeTheStop() throws InterruptedException {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<String> ran = new CopyOnWriteArrayList<>();
        IoThread ioThread = IoThread.start(new IoThreadConfig("io", factory, seams, true));
        ioThread.context().execute(() -> {
            running.countDown();
            await(go);
            ran.add("running");
        });
        await(running);
        ioThread.context().execute(() -> ran.add("queued 1"));
        ioThread.context().execute(() -> ran.add("queued 2"));
        Thread closer = new Thread(ioThread::close);
        closer.start();
        Spin.until(() -> ioThread.state() != IoThread.State.RUNNING, "the IOThread stops");

        go.countDown();
        closer.join();

        assertThat(ran).containsExactly("running", "queued 1", "queued 2");
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("NET-T06")
    @Rule("AIO-76")
    void netT06ShouldFailEveryStartWhileItsFactoryRefuses() {
        ThreadFactory closed = run -> {
            throw new IllegalStateException("the provider is closed");
        };
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> IoThread.start(
                    new IoThreadConfig("io", closed, seams, true)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the provider is closed");
        }
    }

    @Test
    @Rule("NET-T07")
    void netT07ShouldRunQueuedAndTimedAndQueued() {
        FakeLoop loop = new FakeLoop();
        loop.context.post(loop.logs("first"));
        new LoopTimer(loop.context, "timer", () -> loop.log.add("timed")).armAt(5);
        loop.context.post(loop.logs("second"));

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("first", "second", "timed");
    }

    @Test
    @Rule("NET-T08")
    @Rule("AIO-17")
    void netT08ShouldNotStarveATimerByATaskThatPostsItselfForEver() {
        FakeLoop loop = new FakeLoop();
        Task[] self = new Task[1];
        self[0] = FakeLoop.task("self", () -> {
            loop.clock.nowNanos++;
            loop.context.post(self[0]);
        });
        loop.context.post(self[0]);
        new LoopTimer(loop.context, "timer", () -> loop.log.add("timed")).armAt(10);

        for (int turn = 0; turn < 10; turn++) {
            loop.context.poll(Long.MAX_VALUE);
        }

        assertThat(loop.log).containsExactly("timed");
    }

    private static void leaveSetNotifier(FakeLoop loop) {
        EventNotifier kick = new EventNotifier("kick");
        kick.attach(loop.context, () -> loop.log.add("kick"));
        kick.set();
    }

    private void leaveItemAtWork(FakeLoop loop) {
        WorkItem item = item("item", () -> { }, () -> loop.log.add("item"));
        item.submitted(loop.context);
        atWork.add(item);
    }

    private static WorkItem item(String name, Runnable work) {
        return item(name, work, () -> { });
    }

    private static WorkItem item(String name, Runnable work, Runnable home) {
        return new WorkItem() {
            @Override
            protected void work() {
                work.run();
            }

            @Override
            protected void run() {
                home.run();
            }

            @Override
            public String describe() {
                return name;
            }
        };
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Rule("AIO-20")
    @Rule("AIO-75")
    void shouldLoseNoKickAndRefuseNoPostWhileACloseIsRefused() {
        RacedInbox inbox = new RacedInbox();
        AioContext context = new AioContext("io", seams, inbox);
        MachineClock guest = MachineClock.driven("guest", Clock.Kind.VIRTUAL);
        LoopTimer alarm = new LoopTimer(context, guest, "alarm", () -> { });
        List<Throwable> refusals = new ArrayList<>();
        EventNotifier kick = new EventNotifier("kick");
        List<String> log = new ArrayList<>();
        try (Lease lease = context.acquire()) {
            assertThat(lease).isNotNull();
            kick.attach(context, () -> log.add("kick"));
            inbox.beforeSeal = () -> {
                elsewhere(kick::set);
                elsewhere(() -> context.execute(() -> log.add("posted")));
                elsewhere(() -> refusals.add(catchThrowable(() -> alarm.armAt(5))));
            };

            assertThatThrownBy(context::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("kick");
            assertThat(refusals).singleElement().asString().contains("is being closed");
            elsewhere(() -> alarm.armAt(5));
            assertThatThrownBy(context::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("timer alarm");
            context.poll(0);
            elsewhere(kick::set);
            context.poll(0);

            assertThat(log).containsExactly("kick", "posted", "kick");
            alarm.cancel();
            kick.detach();
            context.close();
        }
    }

    @Test
    @Rule("AIO-75")
    void shouldTakeTimersOfAnyClockAfterARefusedClose() {
        List<LoopTimer> made = new ArrayList<>();
        MachineClock guest = MachineClock.driven("guest", Clock.Kind.VIRTUAL);
        RacedInbox inbox = new RacedInbox();
        AioContext context = new AioContext("io", seams, inbox);
        inbox.beforeSeal = () -> {
            made.add(new LoopTimer(context, guest, "late", () -> { }));
            elsewhere(() -> context.execute(() -> { }));
        };
        try (Lease lease = context.acquire()) {
            assertThat(lease).isNotNull();
            assertThatThrownBy(context::close).isInstanceOf(IllegalStateException.class);

            made.get(0).armAt(1);

            assertThat(made.get(0).isArmed()).isTrue();
            made.get(0).cancel();
            context.poll(0);
            context.close();
        }
        assertThatThrownBy(() -> made.get(0).armAt(1)).isInstanceOf(IllegalStateException.class);
    }

    @TestFactory
    @Rule("IOT-7")
    List<DynamicTest> shouldLeavePollingAndItsSourceBeforeAnyThreadMayDetach() {
        return List.of(
                DynamicTest.dynamicTest("closed", () -> letsGo(AioContext::close)),
                DynamicTest.dynamicTest("ended", () -> letsGo(context -> context.end("the end"))));
    }

    private static void letsGo(Consumer<AioContext> end) {
        FakeLoop loop = new FakeLoop();
        Poller poller = loop.context.sleep().poller();
        poller.set(new PollParameters(1_000, 0, 0));
        poller.budgetNanos();
        for (String name : List.of("one", "two")) {
            poller.add(new PollHook() {
                @Override
                public boolean poll() {
                    return false;
                }

                @Override
                public void pollBegins() {
                    loop.log.add(name + " begins");
                }

                @Override
                public void pollEnds() {
                    loop.log.add(name + " ends, gone " + loop.context.isGone());
                }
            }, () -> { }).served();
        }
        poller.begin(0);
        loop.context.attachSource(new ReadinessSource() {
            @Override
            public void sleep(long maxNanos) {
                throw new AssertionError("nobody polls");
            }

            @Override
            public void wakeUp() {
                loop.log.add("woken");
            }

            @Override
            public void deliver() {
                throw new AssertionError("nobody polls");
            }

            @Override
            public void describe(List<String> out) {
                out.add("handler lent");
            }

            @Override
            public void close() {
                loop.log.add("source closed, gone " + loop.context.isGone());
            }
        });

        end.accept(loop.context);

        assertThat(loop.log).containsExactlyInAnyOrder("one begins", "two begins",
                "one ends, gone false", "two ends, gone false", "source closed, gone false")
                .endsWith("source closed, gone false");
        assertThat(loop.errors).singleElement().asString().contains("handler lent");
        loop.close();
    }

    @Test
    @Rule("IOT-6")
    void shouldFreeTheDeferredCallsOfALoopThatHasEnded() {
        FakeLoop loop = new FakeLoop();
        FakeLoop other = new FakeLoop("other");
        DeferredCall call = other.logsCall("call");
        DeferredCall settle = other.logsCall("settle");
        loop.context.deferCall(call);
        loop.context.deferSettle(settle);
        loop.context.end("the end");
        loop.close();

        other.context.deferCall(call);
        other.context.deferSettle(settle);
        other.poll();

        assertThat(other.log).containsExactly("call", "settle");
    }

    @Test
    @Rule("IOT-6")
    void shouldEndThoughATaskThatIsLeftCannotDescribeItself() {
        FakeLoop loop = new FakeLoop();
        loop.context.post(CallbackErrorsTest.nameless(() -> { }));

        loop.context.end("the end");

        assertThat(loop.errors).singleElement().asString()
                .contains("the end", "cannot describe itself");
        loop.close();
    }
}
