package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.watch.LoopStats;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** The scenarios of how loops begin, change hands and end: NET-T10 and some of SPT-T. */
class LifeCycleScenariosTest {
    private static final int THREADS = 3;

    private final FakeLoop loop = new FakeLoop();
    private final List<Thread> made = new CopyOnWriteArrayList<>();

    /** What a factory gives for the thread that is not to be had. */
    private interface Failure {
        Thread instead();
    }

    @TestFactory
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Rule("SPT-T01")
    @Rule("AIO-76")
    List<DynamicTest> sptT01ShouldLeaveNothingBehindWhicheverThreadIsNotToBeHad() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int step = 0; step < THREADS; step++) {
            int at = step;
            String number = " instead of thread " + at;
            tests.add(DynamicTest.dynamicTest("none" + number, () -> failsAt(at, () -> null)));
            tests.add(DynamicTest.dynamicTest("an exception" + number, () -> failsAt(at, () -> {
                throw new IllegalStateException("on purpose");
            })));
            tests.add(DynamicTest.dynamicTest("an error" + number, () -> failsAt(at, () -> {
                throw new OutOfMemoryError("on purpose");
            })));
            tests.add(DynamicTest.dynamicTest("one that does not start" + number,
                    () -> failsAt(at, Unable::new)));
        }
        return tests;
    }

    private void failsAt(int step, Failure failure) {
        made.clear();
        ThreadFactory factory = run -> {
            Thread thread = made.size() == step ? failure.instead() : daemon(run);
            made.add(thread);
            return thread;
        };
        try (IoThread.Group machine = new IoThread.Group()) {
            Throwable thrown = catchThrowable(() -> machine.start(withPool(factory)));

            assertThat(thrown).isInstanceOfAny(
                    IllegalStateException.class, OutOfMemoryError.class);
            assertThat(made).filteredOn(thread -> thread != null).noneMatch(Thread::isAlive);
            assertThat(machine.members()).isEmpty();
            assertThat(machine.find("io")).isNull();
            assertThat(machine.start(withPool(LifeCycleScenariosTest::daemon)).state())
                    .isEqualTo(IoThread.State.RUNNING);
        }
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Rule("SPT-T01")
    @Rule("AIO-76")
    void sptT01ShouldLeaveNoThreadOfItsPoolBehindWhenItsContextCannotBeMade() {
        LoopSeams seams = LoopSeams.system().withParker(new Unwilling());

        assertThatThrownBy(() -> IoThread.start(IoThreadConfig
                .withOwnPool("io", run -> remember(daemon(run)), seams)
                .withProperties(IoThread.Properties.defaults().withPool(2, 2))))
                .isInstanceOf(IllegalStateException.class).hasMessage("no loop of mine");

        assertThat(made).hasSize(THREADS).noneMatch(Thread::isAlive);
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Rule("SPT-T01")
    void sptT01ShouldTellNamesAndCounters() throws InterruptedException {
        try (IoThread ioThread = IoThread.start(withPool(run -> remember(daemon(run))))) {
            CountDownLatch ran = new CountDownLatch(3);
            for (int i = 0; i < 3; i++) {
                ioThread.context().execute(ran::countDown);
            }
            ran.await();
            WorkerPool pool = (WorkerPool) ioThread.context().workers();
            Spin.until(() -> ioThread.context().watched().stats().tasks() >= 3, "three tasks");
            Spin.until(() -> ioThread.context().watched().stats().asleep(), "the loop sleeps");
            Spin.until(() -> pool.idleThreads() == 2, "two idle threads");

            LoopStats stats = ioThread.context().watched().stats();
            assertThat(stats.tasks()).isEqualTo(3);
            assertThat(stats.turns()).isPositive();
            assertThat(stats.parks()).isPositive();
            assertThat(ioThread.id()).isEqualTo("io");
            assertThat(ioThread.context().name()).isEqualTo("io");
            assertThat(ioThread.thread()).isSameAs(made.get(0));
            assertThat(pool.threads()).isEqualTo(2);
            assertThat(pool.min()).isEqualTo(2);
            assertThat(pool.max()).isEqualTo(2);
        }
    }

    @Test
    @Rule("SPT-T11")
    void sptT11ShouldRunWhatIsQueuedThenCloseAndRefuseEverything() {
        LoopTimer timer = new LoopTimer(loop.context, "poller", () -> loop.log.add("poller"));
        loop.context.post(FakeLoop.task("first", () -> {
            loop.log.add("first");
            loop.context.post(loop.logs("queued by the first"));
        }));
        elsewhere(() -> loop.context.post(loop.logs("message")));
        timer.armAt(5);

        while (catchThrowable(loop.context::close) != null) {
            elsewhere(() -> {
                if (loop.log.size() == 3) {
                    loop.context.post(loop.logs("accepted though it is to close"));
                }
            });
            loop.context.poll(Long.MAX_VALUE);
        }

        assertThat(loop.log).containsExactly("first", "message", "queued by the first",
                "accepted though it is to close", "poller");
        assertThatThrownBy(() -> loop.context.post(loop.logs("late")))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("main is closed");
        assertThatThrownBy(() -> timer.armAt(6)).isInstanceOf(IllegalStateException.class);
        elsewhere(() -> assertThatThrownBy(() -> loop.context.execute(() -> { }))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("main is closed"));
    }

    @Test
    @Rule("SPT-T13")
    void sptT13ShouldNotCloseWhoBeganAnIterationBeforeItsEnd() {
        List<FakeLoop> visited = List.of(new FakeLoop("a"), new FakeLoop("b"), new FakeLoop("c"));
        List<String> steps = new ArrayList<>();
        int[] next = new int[1];
        boolean[] over = new boolean[1];
        loop.context.whenDone(() -> over[0], FakeLoop.task("the end", () -> steps.add("the end")));
        visit(visited, next, over, steps);

        closesItselfNotYet();
        visited.get(0).poll();
        // A loop that closes before it is visited is passed over.
        visited.get(1).context.close();
        visited.get(1).close();
        loop.poll();
        closesItselfNotYet();
        visited.get(2).poll();
        closesItselfNotYet();
        loop.poll();
        loop.poll();
        loop.poll();

        assertThat(steps).containsExactly("visits a", "passes over b", "visits c", "the end");
        loop.context.close();
        visited.get(0).close();
        visited.get(2).close();
    }

    /** Visits the next loop, and goes on from there by way of the loop where all this began. */
    private void visit(List<FakeLoop> loops, int[] next, boolean[] over, List<String> steps) {
        while (next[0] < loops.size()) {
            FakeLoop target = loops.get(next[0]++);
            try {
                target.context.execute(() -> {
                    steps.add("visits " + target.context.name());
                    loop.context.execute(() -> visit(loops, next, over, steps));
                });
                return;
            } catch (IllegalStateException gone) {
                steps.add("passes over " + target.context.name());
            }
        }
        over[0] = true;
        loop.context.wake();
    }

    private void closesItselfNotYet() {
        assertThatThrownBy(loop.context::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("the end");
    }

    @Test
    @Rule("SPT-T14")
    @Rule("AIO-62")
    void sptT14ShouldRefuseALeaseOfWhoDoesNotHoldIt() {
        AioContext context = new AioContext("held", LoopSeams.system());
        Lease outer = context.acquire();
        Lease inner = context.acquire();
        inner.close();

        elsewhere(() -> assertThatThrownBy(outer::close).as("of another thread")
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("held"));
        elsewhere(() -> assertThatThrownBy(context::acquire).as("held by another")
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("held"));
        assertThatThrownBy(inner::close).as("twice")
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("held");
        assertThat(context.isHome()).isTrue();
        outer.close();

        assertThatThrownBy(outer::close).as("twice, the outermost")
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("held");
        elsewhere(() -> context.acquire().close());
    }

    @Test
    @Rule("SPT-T15")
    void sptT15ShouldChangeHandsBetweenTurnsOnlyWithWhatIsQueued() {
        List<String> ran = new CopyOnWriteArrayList<>();
        FakeLoop moving = new FakeLoop("moving");
        String me = Thread.currentThread().getName();
        moving.context.post(FakeLoop.task("mover", () -> {
            assertThatThrownBy(moving::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in the middle of a turn");
            moving.context.post(FakeLoop.task("queued", () -> ran.add("queued " + name())));
        }));
        moving.context.post(FakeLoop.task("rest", () -> ran.add("rest of the turn " + name())));
        moving.poll();
        moving.close();
        elsewhere(() -> {
            try (Lease lease = moving.context.acquire()) {
                moving.poll();
            }
        });

        assertThat(moving.errors).isEmpty();
        assertThat(ran).containsExactly("rest of the turn " + me, "queued elsewhere");
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Rule("SPT-T15")
    void sptT15ShouldRunEverythingOnceAndInOrderWhileItChangesHands() throws Exception {
        int tasks = 20_000;
        AioContext context = new AioContext("moving", LoopSeams.system());
        int[] next = new int[1];
        int[] violations = new int[1];
        Thread poster = new Thread(() -> {
            for (int i = 0; i < tasks; i++) {
                int number = i;
                context.execute(() -> {
                    boolean right = next[0] == number && context.isHome();
                    violations[0] += right ? 0 : 1;
                    next[0]++;
                });
            }
        });
        poster.start();

        boolean posted = false;
        while (!posted) {
            posted = !poster.isAlive();
            owns(context);
            elsewhere(() -> owns(context));
        }

        assertThat(violations[0]).isZero();
        assertThat(next[0]).isEqualTo(tasks);
        try (Lease lease = context.acquire()) {
            assertThat(context.isIdle()).isTrue();
        }
    }

    private static void owns(AioContext context) {
        try (Lease lease = context.acquire()) {
            context.poll(0);
        }
    }

    @Test
    @Rule("SPT-T15")
    void sptT15ShouldKeepToWhatWasAskedForLast() {
        PollParameters on = new PollParameters(50_000, 0, 0);
        PollParameters off = new PollParameters(0, 0, 0);
        loop.context.setPolling(off);
        loop.context.setPolling(on);
        assertThat(loop.context.polling()).isEqualTo(on);
        loop.context.setPolling(off);
        loop.context.setBatchMax(1);
        loop.context.setBatchMax(2);
        DeferredCall publish = loop.logsCall("publish");
        for (int i = 0; i < 4; i++) {
            loop.context.post(FakeLoop.task("t", () -> loop.context.deferCall(publish)));
        }

        loop.poll();
        loop.poll();
        loop.context.poll(5);

        assertThat(loop.context.polling()).isEqualTo(off);
        assertThat(loop.parker.pauses).isZero();
        assertThat(loop.parker.parks).last().isEqualTo(5L);
        assertThat(loop.log).containsExactly("publish", "publish");
    }

    @Test
    @Rule("NET-T10")
    void netT10ShouldRefuseAWorkersWaitForItself() throws InterruptedException {
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        CountDownLatch tried = new CountDownLatch(1);
        try (WorkerPool pool = new WorkerPool(
                LifeCycleScenariosTest::daemon, 1, 1, System::nanoTime)) {
            pool.submit(loop.context, new Closing(pool, thrown, tried));
            tried.await();
            Spin.until(() -> {
                loop.poll();
                return loop.context.isIdle();
            }, "the item comes home");
            assertThat(pool.threads()).isEqualTo(1);
        }

        assertThat(thrown).singleElement().asString()
                .contains("the worker maker's", "wait for itself", "AIO-74");
    }

    @Test
    @Rule("NET-T10")
    void netT10ShouldRefuseToWaitForItsOwnCompletionAndForItsOwnTurn() {
        ControlWait.Target own = new ControlWait.Target() {
            @Override
            public boolean isDone() {
                return false;
            }

            @Override
            public void describe(WaitReport out) {
                out.outstanding("disk0", loop.context, 1, true);
            }
        };
        loop.context.post(FakeLoop.task("waits for itself", () -> {
            assertThatThrownBy(() -> ControlWait.until(loop.context, own))
                    .isInstanceOf(WaitCannotEndException.class)
                    .hasMessageContainingAll("main", "disk0", "own completion");
            assertThatThrownBy(loop.context::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("main", "callback");
            loop.log.add("goes on");
        }));

        loop.poll();

        assertThat(loop.errors).isEmpty();
        assertThat(loop.log).containsExactly("goes on");
    }

    private static IoThreadConfig withPool(ThreadFactory factory) {
        return IoThreadConfig.withOwnPool("io", factory, LoopSeams.system())
                .withProperties(IoThread.Properties.defaults().withPool(2, 2));
    }

    private Thread remember(Thread thread) {
        made.add(thread);
        return thread;
    }

    private static Thread daemon(Runnable run) {
        Thread thread = new Thread(run, "maker's");
        thread.setDaemon(true);
        return thread;
    }

    private static String name() {
        return Thread.currentThread().getName();
    }

    /** A thread for which the host has no room. */
    private static final class Unable extends Thread {
        @Override
        public synchronized void start() {
            throw new OutOfMemoryError("on purpose");
        }
    }

    /** Steps no loop at all. */
    private static final class Unwilling extends SteppingParker {
        @Override
        public void adopt(AioContext context, Parker.Loop loop) {
            throw new IllegalStateException("no loop of mine");
        }

        @Override
        public void park(AioContext context, long maxNanos) {
            throw new AssertionError("there is no loop");
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            throw new AssertionError("there is no loop");
        }
    }

    /** Work that closes the pool that does it. */
    private static final class Closing extends WorkItem {
        private final WorkerPool pool;
        private final List<Throwable> thrown;
        private final CountDownLatch tried;

        Closing(WorkerPool pool, List<Throwable> thrown, CountDownLatch tried) {
            this.pool = pool;
            this.thrown = thrown;
            this.tried = tried;
        }

        @Override
        protected void work() {
            Throwable refusal = catchThrowable(pool::close);
            if (refusal != null) {
                thrown.add(refusal);
            }
            tried.countDown();
        }

        @Override
        protected void run() {
            // Nobody waits for it.
        }

        @Override
        public String describe() {
            return "closing";
        }
    }
}
