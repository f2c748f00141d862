package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.driver.AsyncLock;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The scenarios CO-T and AMT-T: tasks that go on later, and locks that several loops share. */
class TaskScenariosTest {
    private static final int LOOPS = 5;

    private final FakeLoop loop = new FakeLoop();

    @Test
    @Rule("CO-T01")
    void coT01ShouldGoOnWithoutTheTaskThatStartedIt() {
        boolean[] starterMayRun = {true};
        int[] steps = new int[1];
        Task second = FakeLoop.task("second", () -> steps[0]++);
        Task first = FakeLoop.task("first", () -> {
            assertThat(starterMayRun[0]).isTrue();
            loop.context.post(second);
        });
        loop.context.post(first);
        loop.poll();
        loop.poll();
        starterMayRun[0] = false;

        loop.context.post(second);
        loop.poll();

        assertThat(steps[0]).isEqualTo(2);
        assertThat(loop.errors).isEmpty();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("CO-T02")
    void coT02ShouldRunToItsEndEachTimeItIsPosted() {
        Task task = loop.logs("run");

        for (int i = 0; i < 2; i++) {
            loop.context.post(task);
            assertThat(loop.poll()).isTrue();
            assertThat(loop.poll()).isFalse();
        }

        assertThat(loop.log).containsExactly("run", "run");
    }

    @Test
    @Rule("CO-T03")
    void coT03ShouldRunSixTimesIfItGoesOnLaterFiveTimes() {
        Task[] task = new Task[1];
        task[0] = FakeLoop.task("task", () -> {
            loop.log.add("entered");
            if (loop.log.size() <= 5) {
                loop.context.post(task[0]);
            }
        });
        loop.context.post(task[0]);

        int turns = 0;
        while (loop.poll()) {
            turns++;
        }

        assertThat(turns).isEqualTo(6);
        assertThat(loop.log).hasSize(6);
    }

    @Test
    @Rule("CO-T05")
    void coT05ShouldKnowWhetherATaskIsRunning() {
        List<Boolean> polling = new ArrayList<>();
        loop.context.execute(() -> polling.add(loop.context.isPolling()));

        polling.add(loop.context.isPolling());
        loop.poll();
        polling.add(loop.context.isPolling());

        assertThat(polling).containsExactly(false, true, false);
    }

    @Test
    @Rule("CO-T06")
    void coT06ShouldAlternateWithWhoeverResumesIt() {
        Task inner2 = logsWithDepth("inner 2");
        Task inner1 = logsWithDepth("inner 1");
        logsWithDepth("outer 1").run();
        loop.context.post(inner1);
        loop.poll();
        logsWithDepth("outer 2").run();
        loop.context.post(inner2);
        loop.poll();
        logsWithDepth("outer 3").run();

        assertThat(loop.log).containsExactly(
                "outer 1 outside", "inner 1 inside", "outer 2 outside", "inner 2 inside",
                "outer 3 outside");
    }

    @Test
    @Rule("CO-T07")
    void coT07ShouldHoldALockWhileItGoesOnLater() {
        AsyncLock lock = new AsyncLock("lock");
        Locker first = new Locker(lock, "first");
        Locker second = new Locker(lock, "second");
        first.enter();
        second.enter();
        assertThat(loop.log).containsExactly("first has it");

        first.leave();
        loop.poll();
        assertThat(loop.log).containsExactly("first has it", "first is done", "second has it");
        second.leave();

        assertThat(loop.log).endsWith("second is done");
        assertThat(lock.acquireOr(loop.context, first)).isTrue();
    }

    @Test
    @Rule("AMT-T01")
    void amtT01ShouldKeepAContextAsAnObjectWhenItsThreadHasEnded() throws InterruptedException {
        List<IoThread> threads = new ArrayList<>();
        List<AioContext> contexts = new ArrayList<>();
        CountDownLatch ran = new CountDownLatch(LOOPS);
        AtomicInteger rightThread = new AtomicInteger();
        for (int i = 0; i < LOOPS; i++) {
            IoThread thread = start("io " + i);
            threads.add(thread);
            AioContext context = thread.context();
            contexts.add(context);
            context.execute(() -> {
                if (context.isHome() && context.owner() == Thread.currentThread()) {
                    rightThread.incrementAndGet();
                }
                ran.countDown();
            });
        }
        assertThat(ran.await(60, TimeUnit.SECONDS)).isTrue();

        threads.forEach(IoThread::close);

        assertThat(rightThread).hasValue(LOOPS);
        assertThat(contexts).extracting(AioContext::name)
                .containsExactly("io 0", "io 1", "io 2", "io 3", "io 4");
        assertThat(contexts).noneMatch(AioContext::hasOwner);
        for (AioContext context : contexts) {
            assertThatThrownBy(() -> context.execute(() -> { }))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("has ended");
        }
    }

    @Test
    @Rule("AMT-T02")
    void amtT02ShouldKeepFiveLoopsOutOfEachOthersWay() throws InterruptedException {
        AsyncLock lock = new AsyncLock("lock");
        int rounds = 2_000;
        int[] plain = new int[1];
        AtomicInteger atomic = new AtomicInteger();
        CountDownLatch finished = new CountDownLatch(LOOPS);
        List<IoThread> threads = new ArrayList<>();
        for (int i = 0; i < LOOPS; i++) {
            IoThread thread = start("io " + i);
            threads.add(thread);
            Contender contender =
                    new Contender(lock, thread.context(), rounds, plain, atomic, finished);
            thread.context().execute(contender::next);
        }

        assertThat(finished.await(60, TimeUnit.SECONDS)).isTrue();
        threads.forEach(IoThread::close);

        assertThat(plain[0]).isEqualTo(atomic.get()).isEqualTo(LOOPS * rounds);
    }

    private static IoThread start(String name) {
        return IoThread.start(new IoThreadConfig(name, Thread::new, LoopSeams.system(), true));
    }

    private Task logsWithDepth(String what) {
        return FakeLoop.task(what, () ->
                loop.log.add(what + (loop.context.isPolling() ? " inside" : " outside")));
    }

    /** Takes the lock, goes on later, gives it back. */
    private final class Locker extends AsyncLock.Waiter {
        private final AsyncLock lock;
        private final String name;

        Locker(AsyncLock lock, String name) {
            this.lock = lock;
            this.name = name;
        }

        void enter() {
            if (lock.acquireOr(loop.context, this)) {
                run();
            }
        }

        @Override
        protected void run() {
            loop.log.add(name + " has it");
        }

        void leave() {
            loop.log.add(name + " is done");
            lock.release();
        }
    }

    /** Counts under the lock, so many times, each time in a task of its own. */
    private static final class Contender extends AsyncLock.Waiter {
        private final AsyncLock lock;
        private final AioContext home;
        private final int[] plain;
        private final AtomicInteger atomic;
        private final CountDownLatch finished;
        private final Task again = FakeLoop.task("again", this::next);
        private int left;

        Contender(AsyncLock lock, AioContext home, int rounds, int[] plain, AtomicInteger atomic,
                CountDownLatch finished) {
            this.lock = lock;
            this.home = home;
            this.left = rounds;
            this.plain = plain;
            this.atomic = atomic;
            this.finished = finished;
        }

        void next() {
            if (left-- == 0) {
                finished.countDown();
            } else if (lock.acquireOr(home, this)) {
                run();
            }
        }

        @Override
        protected void run() {
            plain[0]++;
            lock.release();
            atomic.incrementAndGet();
            home.post(again);
        }
    }
}
