package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IoThreadTest {
    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final LoopSeams seams = LoopSeams.system()
            .withErrors((context, site, cause) -> reports.add(site + ": " + cause));
    private final ThreadFactory factory = run -> {
        Thread thread = new Thread(run, "io thread");
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler((who, cause) -> reports.add("uncaught: " + cause));
        return thread;
    };

    @Test
    @Rule("IOT-3")
    void shouldOwnItsContextWhenStartReturns() {
        Thread starter = Thread.currentThread();
        ThreadFactory slow = run -> factory.newThread(() -> {
            Spin.until(() -> isWaiting(starter), "whoever starts the thread waits for it");
            run.run();
        });
        try (IoThread ioThread = IoThread.start(new IoThreadConfig("io", slow, seams, true))) {
            assertThat(ioThread.context().owner()).isNotNull();
            assertThat(ioThread.context().owner().getName()).isEqualTo("io thread");
            assertThat(ioThread.context().name()).isEqualTo("io");
        }
    }

    @Test
    @Rule("IOT-4")
    void shouldRunWhatIsPosted() throws InterruptedException {
        try (IoThread ioThread = start()) {
            for (int turn = 0; turn < 3; turn++) {
                CountDownLatch ran = new CountDownLatch(1);
                ioThread.context().execute(ran::countDown);

                assertThat(ran.await(60, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    @Test
    @Rule("AIO-62")
    void shouldReportTheLeasesThatCallbacksHaveLeftOpenAndGiveThemBack() {
        IoThread ioThread = start();
        ioThread.context().execute(() -> ioThread.context().acquire());
        ioThread.context().execute(() -> ioThread.context().acquire());

        ioThread.close();

        assertThat(reports).singleElement().asString().startsWith("end of the loop: ")
                .contains("context io ", "thread io thread", "2 nested leases", "AIO-62");
        assertThat(ioThread.context().hasOwner()).isFalse();
    }

    @Test
    @Rule("IOT-5")
    @Rule("IOT-7")
    void shouldStopOnceAndRefuseEverythingAfterwards() {
        IoThread ioThread = start();

        ioThread.close();
        ioThread.close();

        assertThat(ioThread.context().hasOwner()).isFalse();
        assertThatThrownBy(() -> ioThread.context().execute(() -> { }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the loop of context io has ended (IOT-7); thread "
                        + Thread.currentThread().getName() + " is refused");
        assertThatThrownBy(ioThread.context()::acquire)
                .hasMessageContaining("the loop of context io has ended (IOT-7)");
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> ioThread.context().poll(0),
                () -> ioThread.context().defer(FakeLoop.task("t", () -> { })),
                () -> ioThread.context().isIdle(),
                () -> new EventNotifier("event").attach(ioThread.context(), () -> { }))) {
            assertThatThrownBy(call).isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("context io", "ended", "IOT-7");
        }
        ioThread.context().close();
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("IOT-5")
    @Rule("NET-T10")
    void netT10ShouldRefuseToBeClosedByItself() throws InterruptedException {
        CountDownLatch refused = new CountDownLatch(1);
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        try (IoThread ioThread = start()) {
            ioThread.context().execute(() -> {
                try {
                    ioThread.close();
                } catch (IllegalStateException e) {
                    thrown.add(e);
                }
                refused.countDown();
            });

            assertThat(refused.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(thrown).singleElement().asString()
                    .contains("IoThread io ", "wait for itself", "thread io thread", "IOT-5");
            assertThat(ioThread.state()).isEqualTo(IoThread.State.RUNNING);
        }
    }

    @Test
    @Rule("IOT-6")
    void shouldNameWhatNeverRan() throws InterruptedException {
        IoThread ioThread = start();
        CountDownLatch go = new CountDownLatch(1);
        ioThread.context().post(FakeLoop.task("holds up", () -> await(go)));
        Thread closer = new Thread(ioThread::close);
        LoopTimer timer = new LoopTimer(ioThread.context(), "left timer", () -> { });
        timer.armAt(Long.MAX_VALUE);
        closer.start();
        go.countDown();
        closer.join();

        assertThat(reports).hasSize(1);
        assertThat(reports.get(0)).contains("left timer", "io");
    }

    @Test
    @Rule("IOT-7")
    void shouldEndVisiblyOnAnError() throws InterruptedException {
        IoThread ioThread = start();
        CountDownLatch left = new CountDownLatch(1);
        ioThread.context().post(FakeLoop.task("thrower", () -> {
            ioThread.context().defer(FakeLoop.task("never run", left::countDown));
            throw new StackOverflowError("on purpose");
        }));
        ioThread.close();

        assertThat(left.getCount()).isEqualTo(1);
        assertThat(reports).anyMatch(r -> r.startsWith("IoThread io: java.lang.StackOverflow"))
                .anyMatch(r -> r.contains("never run"))
                .anyMatch(r -> r.startsWith("uncaught: "));
        assertThatThrownBy(() -> ioThread.context().execute(() -> { }))
                .hasMessageContaining("on purpose");
        AioContext main = new AioContext("main", seams);
        try (Lease lease = main.acquire()) {
            WaitReport report = new WaitReport();
            report.outstanding("disk0", ioThread.context(), 1, false);
            assertThat(report.canProgress(main)).isFalse();
            assertThat(report.toString()).contains("disk0", "io", "on purpose");
        }
    }

    @Test
    void shouldRefuseInlineWorkersUnlessAskedByName() {
        assertThatThrownBy(() -> new IoThreadConfig("io", factory, seams, false))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("io");
        try (Workers pool = Workers.pool(factory, 0, 1)) {
            assertThat(new IoThreadConfig("io", factory, seams.withWorkers(pool), false).name())
                    .isEqualTo("io");
        }
    }

    @Test
    @Rule("AIO-76")
    void shouldRefuseABlankNameAndAFactoryThatMakesNothing() {
        assertThatThrownBy(() -> new IoThreadConfig(" ", factory, seams, true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IoThread.start(new IoThreadConfig("io", r -> null, seams, true)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldKeepTheInterruptOfWhoeverClosesIt() {
        IoThread ioThread = start();
        Thread.currentThread().interrupt();

        ioThread.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(ioThread.context().hasOwner()).isFalse();
    }

    @Test
    @Rule("IOT-2")
    void shouldHaveTheDefaultsAndRefuseValuesOutOfRangeNamingThem() {
        IoThread.Properties defaults = IoThread.Properties.defaults();
        assertThat(defaults).isEqualTo(new IoThread.Properties(0, 0, 64, null));

        assertThatThrownBy(() -> defaults.withBatchMax(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("-1", "IOT-1");
        assertThatThrownBy(() -> defaults.withPool(-2, 3))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-2 to 3");
        assertThatThrownBy(() -> defaults.withPool(4, 3))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("4 to 3");
    }

    @Test
    @Rule("IOT-2")
    @Rule("AIO-69")
    void shouldChangeItsPoolAndBatchWhileItRuns() throws InterruptedException {
        List<Thread> made = new CopyOnWriteArrayList<>();
        try (IoThread ioThread = IoThread.start(
                IoThreadConfig.withOwnPool("io", remembering(made), seams))) {
            assertThat(made).hasSize(1);
            WorkerPool pool = (WorkerPool) ioThread.context().workers();
            assertThat(pool.max()).isEqualTo(64);

            ioThread.change(ioThread.properties().withPool(2, 3).withBatchMax(5));

            assertThat(ioThread.properties()).isEqualTo(new IoThread.Properties(5, 2, 3, null));
            assertThat(pool.min()).isEqualTo(2);
            assertThat(pool.max()).isEqualTo(3);
            assertThat(made).hasSize(3);
            assertThat(publishesOf(10, ioThread.context())).isEqualTo(2);

            ioThread.change(ioThread.properties().withBatchMax(0));
            assertThat(publishesOf(10, ioThread.context())).isEqualTo(1);
        }
        assertThat(made).noneMatch(Thread::isAlive);
    }

    @Test
    @Rule("IOT-2")
    void shouldRefuseAChangeOfAPoolItDoesNotOwnAndChangeNothing() {
        try (IoThread ioThread = start()) {
            IoThread.Properties before = ioThread.properties();

            assertThatThrownBy(() -> ioThread.change(before.withBatchMax(3).withPool(1, 2)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("io", "1 to 2");

            assertThat(ioThread.properties()).isEqualTo(before);
            ioThread.change(before.withBatchMax(3));
            assertThat(ioThread.properties().batchMax()).isEqualTo(3);
        }
    }

    @Test
    @Rule("IOT-2")
    @Rule("IOT-7")
    void shouldRefuseAChangeOnceItHasBeenStopped() {
        IoThread ioThread = start();
        IoThread.Properties properties = ioThread.properties();
        ioThread.close();

        assertThatThrownBy(() -> ioThread.change(properties.withBatchMax(1)))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("io");
    }

    @Test
    @Rule("IOT-8")
    @Rule("NET-T11")
    void netT11ShouldSayWhoItIsAndWhatItDoes() throws InterruptedException {
        CountDownLatch go = new CountDownLatch(1);
        IoThread ioThread = start();
        assertThat(ioThread.id()).isEqualTo("io");
        assertThat(ioThread.thread().getName()).isEqualTo("io thread");
        assertThat(ioThread.thread().isAlive()).isTrue();
        assertThat(ioThread.context().owner()).isSameAs(ioThread.thread());
        assertThat(ioThread.state()).isEqualTo(IoThread.State.RUNNING);
        assertThat(ioThread.failure()).isNull();

        ioThread.context().execute(() -> await(go));
        Thread closer = new Thread(ioThread::close);
        closer.start();
        Spin.until(() -> ioThread.state() != IoThread.State.RUNNING, "the IOThread stops");
        assertThat(ioThread.state()).isEqualTo(IoThread.State.STOPPING);
        assertThat(ioThread).hasToString("IoThread[io, STOPPING]");

        go.countDown();
        closer.join();
        assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
    }

    @Test
    @Rule("IOT-8")
    void shouldKeepTheErrorThatEndedIt() throws InterruptedException {
        IoThread ioThread = start();
        StackOverflowError cause = new StackOverflowError("on purpose");
        ioThread.context().execute(() -> {
            throw cause;
        });
        ioThread.thread().join();

        assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
        assertThat(ioThread.failure()).isSameAs(cause);
        ioThread.close();
    }

    @Test
    @Rule("IOT-8")
    void shouldHaveAnIdOfItsOwnAmongTheThreadsOfAMachine() {
        try (IoThread.Group machine = new IoThread.Group();
                IoThread.Group another = new IoThread.Group()) {
            IoThread first = machine.start(config("io0"));
            IoThread second = machine.start(config("io1"));
            assertThat(machine.members()).containsExactly(first, second);
            assertThat(machine.find("io1")).isSameAs(second);
            assertThat(machine.find("io2")).isNull();

            assertThatThrownBy(() -> machine.start(config("io0")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("io0", "IOT-8");
            assertThat(another.start(config("io0")).id()).isEqualTo("io0");

            first.close();
            IoThread successor = machine.start(config("io0"));
            assertThat(machine.members()).containsExactly(second, successor);
            machine.close();
            assertThat(machine.members()).allMatch(t -> t.state() == IoThread.State.ENDED);
        }
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("IOT-2")
    void shouldChangeNothingWhenItsPoolGetsNoThread() {
        AtomicInteger made = new AtomicInteger();
        ThreadFactory onlyTheLoop = run ->
                made.getAndIncrement() == 0 ? factory.newThread(run) : null;
        try (IoThread ioThread = IoThread.start(
                IoThreadConfig.withOwnPool("io", onlyTheLoop, seams))) {
            IoThread.Properties before = ioThread.properties();

            assertThatThrownBy(() -> ioThread.change(before.withPool(1, 2).withBatchMax(7)))
                    .isInstanceOf(IllegalStateException.class);

            WorkerPool pool = (WorkerPool) ioThread.context().workers();
            assertThat(ioThread.properties()).isEqualTo(before);
            assertThat(pool.min()).isEqualTo(before.poolMin());
            assertThat(pool.max()).isEqualTo(before.poolMax());
            assertThat(pool.threads()).isZero();
        }
    }

    @Test
    @Rule("IOT-8")
    @Rule("AIO-76")
    void shouldCloseAMemberThatHasEndedWhenAnotherReplacesIt() throws InterruptedException {
        List<Thread> made = new CopyOnWriteArrayList<>();
        IoThreadConfig config = IoThreadConfig.withOwnPool("io", remembering(made), seams)
                .withProperties(IoThread.Properties.defaults().withPool(2, 2));
        try (IoThread.Group machine = new IoThread.Group()) {
            IoThread first = machine.start(config);
            first.context().execute(() -> {
                throw new StackOverflowError("on purpose");
            });
            first.thread().join();

            IoThread second = machine.start(config);

            assertThat(made).hasSize(6);
            assertThat(made.subList(0, 3)).noneMatch(Thread::isAlive);
            assertThat(machine.members()).containsExactly(second);
        }
        assertThat(made).noneMatch(Thread::isAlive);
    }

    @Test
    @Rule("IOT-5")
    void shouldCloseTheOthersThoughAMemberCannotCloseItself() throws InterruptedException {
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        CountDownLatch tried = new CountDownLatch(1);
        IoThread.Group machine = new IoThread.Group();
        IoThread oldest = machine.start(config("io0"));
        IoThread closing = machine.start(config("io1"));
        closing.context().execute(() -> {
            try {
                machine.close();
            } catch (IllegalStateException e) {
                thrown.add(e);
            }
            tried.countDown();
        });
        tried.await();

        assertThat(thrown).singleElement().asString().contains("io1", "IOT-5");
        assertThat(oldest.state()).isEqualTo(IoThread.State.ENDED);
        machine.close();
        assertThat(closing.state()).isEqualTo(IoThread.State.ENDED);
    }


    @Test
    @Rule("AIO-76")
    @Rule("BUG-24")
    @Rule("IOT-3")
    void shouldLeaveNothingBehindWhenItCannotStart() {
        List<Thread> made = new CopyOnWriteArrayList<>();
        ThreadFactory stillborn = run -> {
            boolean isLoop = made.isEmpty();
            Thread thread = factory.newThread(isLoop ? () -> { } : run);
            made.add(thread);
            return thread;
        };
        IoThreadConfig config = IoThreadConfig.withOwnPool("io", stillborn, seams)
                .withProperties(IoThread.Properties.defaults().withPool(2, 2));
        try (IoThread.Group machine = new IoThread.Group()) {
            assertThatThrownBy(() -> machine.start(config))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("io", "io thread", "IOT-3");

            assertThat(machine.members()).isEmpty();
            assertThat(machine.start(config("io")).state()).isEqualTo(IoThread.State.RUNNING);
        }
        assertThat(made).hasSize(3).noneMatch(Thread::isAlive);
    }

    @Test
    @Rule("IOT-5")
    @Rule("BUG-25")
    void shouldLoseNoStopThatRacesWithItsSleep() {
        for (int i = 0; i < 300; i++) {
            IoThread ioThread = start();
            ioThread.context().wake();
            ioThread.close();

            assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
        }
    }

    @Test
    @Rule("NET-T05")
    @Rule("IOT-7")
    void netT05ShouldRunRefuseOrNameEveryTaskThatComesWhileItStops() throws InterruptedException {
        for (int round = 0; round < 100; round++) {
            reports.clear();
            IoThread ioThread = start();
            int[] ran = new int[1];
            int[] refused = new int[1];
            CountDownLatch posting = new CountDownLatch(1);
            Thread poster = new Thread(() -> {
                for (int i = 0; i < 200; i++) {
                    try {
                        ioThread.context().post(FakeLoop.task("late", () -> ran[0]++));
                    } catch (IllegalStateException e) {
                        refused[0]++;
                    }
                    posting.countDown();
                }
            });
            poster.start();
            await(posting);
            ioThread.close();
            poster.join();

            int named = reports.isEmpty() ? 0 : reports.get(0).split("task late", -1).length - 1;
            assertThat(reports).hasSizeLessThanOrEqualTo(1);
            assertThat(ran[0] + refused[0] + named).isEqualTo(200);
        }
    }

    @Test
    @Rule("NET-T14")
    void netT14ShouldKeepTheInterruptOfItsThreadAndRunOn() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(2);
        boolean[] interrupted = new boolean[1];
        try (IoThread ioThread = start()) {
            ioThread.thread().interrupt();
            ioThread.context().execute(() -> {
                interrupted[0] = Thread.currentThread().isInterrupted();
                ran.countDown();
            });
            ioThread.context().execute(ran::countDown);
            await(ran);
        }

        assertThat(interrupted[0]).isTrue();
    }

    /** How often a call that each of some tasks of one slice defers is made. */
    private static int publishesOf(int tasks, AioContext context) throws InterruptedException {
        int[] publishes = new int[1];
        DeferredCall publish = FakeLoop.call("publish", () -> publishes[0]++);
        CountDownLatch over = new CountDownLatch(1);
        context.execute(() -> {
            for (int i = 0; i < tasks; i++) {
                context.defer(FakeLoop.task("t", () -> context.deferCall(publish)));
            }
            context.whenDone(() -> publishes[0] > 0, FakeLoop.task("over", over::countDown));
        });
        over.await();
        return publishes[0];
    }

    private IoThreadConfig config(String id) {
        return new IoThreadConfig(id, factory, seams, true);
    }

    private ThreadFactory remembering(List<Thread> made) {
        return run -> {
            Thread thread = factory.newThread(run);
            made.add(thread);
            return thread;
        };
    }

    private static boolean isWaiting(Thread thread) {
        Thread.State state = thread.getState();
        return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
    }

    private IoThread start() {
        return IoThread.start(new IoThreadConfig("io", factory, seams, true));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
