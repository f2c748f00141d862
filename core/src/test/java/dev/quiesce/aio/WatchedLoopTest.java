package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.watch.LoopEvents;
import dev.quiesce.aio.watch.LoopStats;
import dev.quiesce.aio.watch.Stall;
import dev.quiesce.aio.watch.ToldObserver;
import dev.quiesce.aio.watch.Watchdog;
import dev.quiesce.rules.Rule;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a loop shows to whoever watches it. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WatchedLoopTest {
    @Test
    @Rule("IOT-7")
    void shouldDoAtItsEndWhatItWasToldOnceAndNothingThatWasTakenBack() {
        FakeLoop loop = new FakeLoop();
        Runnable one = () -> loop.log.add("one, home " + loop.context.isHome());
        Runnable back = () -> loop.log.add("taken back");
        loop.context.watched().atEnd(one);
        loop.context.watched().atEnd(one);
        loop.context.watched().atEnd(back);
        assertThat(loop.context.watched().notAtEnd(back)).isTrue();
        loop.context.defer(loop.logs("never run"));

        loop.context.end("the end");

        assertThat(loop.log).containsExactly("one, home true");
        assertThat(loop.context.watched().notAtEnd(one)).isFalse();
        loop.context.watched().atEnd(() -> loop.log.add("late"));
        assertThat(loop.log).contains("late");
        loop.close();
    }

    @Test
    void shouldDoAtItsEndWhatItWasToldInThatOrder() {
        FakeLoop loop = new FakeLoop();
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            String name = "action " + i;
            expected.add(name);
            loop.context.watched().atEnd(() -> loop.log.add(name));
        }

        loop.context.close();

        assertThat(loop.log).isEqualTo(expected);
        loop.close();
    }

    @Test
    void shouldReportWhatAnActionAtItsEndThrowsAndMakeTheOthers() {
        FakeLoop loop = new FakeLoop();
        AssertionError error = new AssertionError("of an action");
        loop.context.watched().atEnd(() -> {
            throw error;
        });
        loop.context.watched().atEnd(() -> loop.log.add("made"));

        loop.context.close();

        assertThat(loop.log).containsExactly("made");
        assertThat(loop.errors).containsExactly(error);
        loop.close();
    }

    @Test
    void shouldCountTurnsTasksTimersAndSleeps() {
        FakeLoop loop = new FakeLoop();
        for (int i = 0; i < 5; i++) {
            loop.context.defer(loop.logs("task"));
        }
        loop.context.postOuter(loop.logs("outer"));
        loop.poll();
        new LoopTimer(loop.context, "timer", () -> loop.log.add("timer")).armAt(7);
        loop.context.poll(Long.MAX_VALUE);
        loop.parker.asleep = () -> loop.context.post(loop.logs("posted"));
        loop.context.poll(Long.MAX_VALUE);

        LoopStats stats = loop.context.watched().stats();
        assertThat(stats.turns()).isEqualTo(3);
        assertThat(stats.tasks()).isEqualTo(7);
        assertThat(stats.tasksInTurnMax()).isEqualTo(6);
        assertThat(stats.timersFired()).isEqualTo(1);
        assertThat(stats.parks()).isEqualTo(2);
        assertThat(stats.wakeUps()).isEqualTo(1);
        assertThat(stats.isBusy()).isFalse();
        assertThat(loop.context.watched().name()).isEqualTo("main");
        assertThat(loop.context.watched().owner()).isSameAs(Thread.currentThread());
    }

    @Test
    void shouldNotCountWhatARefusedCloseLookedAt() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(loop.logs("left"));
        assertThatThrownBy(loop.context::close).isInstanceOf(IllegalStateException.class);

        loop.poll();

        assertThat(loop.context.watched().stats().tasks()).isEqualTo(1);
    }

    @Test
    void shouldShowThatItSleepsAndThatItIsBusy() {
        FakeLoop loop = new FakeLoop();
        List<String> seen = new ArrayList<>();
        loop.context.watched().nameCallbacks();
        loop.parker.asleep = () -> {
            seen.add("asleep " + loop.context.watched().stats().asleep());
            loop.context.post(FakeLoop.task("looks", () -> {
                LoopStats stats = loop.context.watched().stats();
                seen.add("busy " + stats.isBusy() + ", turns " + stats.turnsUnderWay()
                        + ", runs " + loop.context.watched().running());
            }));
        };

        loop.context.poll(Long.MAX_VALUE);

        assertThat(seen).containsExactly("asleep true", "busy true, turns 1, runs looks");
    }

    @Test
    void shouldTellAnObserverOfSlowCallbacksOfEachKindAndOfLongTurns() {
        FakeLoop loop = new FakeLoop();
        List<String> told = new ArrayList<>();
        loop.context.watched().observe(new ToldObserver(told));
        Runnable slow = () -> loop.clock.nowNanos += 10;
        loop.context.defer(FakeLoop.task("task", slow));
        new BottomHalf(loop.context, "half", slow).schedule();
        new LoopTimer(loop.context, "timer", slow).armAt(1);
        loop.context.deferCall(FakeLoop.call("call", slow));
        loop.context.whenDone(() -> {
            slow.run();
            return true;
        }, loop.logs("waiter"));

        loop.poll();

        assertThat(told).containsExactly("main: task 10", "main: half 10", "main: call 10",
                "main: timer 10", "main: condition of waiter 10", "main: turn of 2 tasks 50");
        assertThat(loop.context.watched().stats().longestTurnNanos()).isEqualTo(50);
        loop.context.watched().observe(null);
        loop.context.defer(FakeLoop.task("task", slow));
        loop.poll();
        assertThat(told).hasSize(6);
    }

    @Test
    void shouldNotCallACallbackSlowThatWaitsByPolling() {
        FakeLoop loop = new FakeLoop();
        List<String> told = new ArrayList<>();
        loop.context.watched().observe(new ToldObserver(told));
        loop.context.defer(FakeLoop.task("waits", () -> {
            loop.clock.nowNanos += 3;
            loop.parker.asleep = () -> {
                loop.clock.nowNanos += 1000;
                loop.context.post(FakeLoop.task("nested", () -> loop.clock.nowNanos += 12));
            };
            loop.context.poll(Long.MAX_VALUE);
        }));

        loop.poll();

        assertThat(told).containsExactly("main: nested 12");
    }

    @Test
    void shouldReportAnObserverThatThrowsAndGoOn() {
        FakeLoop loop = new FakeLoop();
        loop.context.watched().observe(new ToldObserver(List.of()));
        loop.context.defer(FakeLoop.task("slow", () -> loop.clock.nowNanos += 10));
        loop.context.defer(loop.logs("next"));

        loop.poll();

        assertThat(loop.errorSites).containsExactly("the observer of the loop");
        assertThat(loop.log).containsExactly("next");
    }

    @Test
    void shouldNameTheCallbackAndTheStackOfAnIoThreadThatDoesNotComeBack() {
        AtomicLong now = new AtomicLong();
        List<Stall> stalls = new CopyOnWriteArrayList<>();
        Watchdog watchdog = new Watchdog(now::get, 100, stalls::add);
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (IoThread ioThread = IoThread.start(
                new IoThreadConfig("io0", Thread::new, LoopSeams.system(), true))) {
            watchdog.watch(ioThread.context().watched());
            // A turn that began before need not name what it runs; the one after this does.
            runTask(ioThread.context());
            ioThread.context().post(FakeLoop.task("disk0.queue2", () -> {
                stuck.countDown();
                blockUntil(go);
            }));
            blockUntil(stuck);

            watchdog.look();
            now.addAndGet(100);
            watchdog.look();
            watchdog.look();
            go.countDown();
        }
        now.addAndGet(1000);
        watchdog.look();

        assertThat(stalls).singleElement().satisfies(stall -> {
            assertThat(stall.loop()).isEqualTo("io0");
            assertThat(stall.callback()).isEqualTo("disk0.queue2");
            assertThat(stall.stalledNanos()).isEqualTo(100);
            assertThat(stall.stack()).anyMatch(
                    frame -> frame.getClassName().equals(WatchedLoopTest.class.getName()));
        });
    }

    @Test
    void shouldCountOnWhenTheLeasePassesToAnotherThread() throws InterruptedException {
        AioContext context = new AioContext("shared", LoopSeams.system());
        for (int i = 0; i < 10; i++) {
            Thread owner = new Thread(() -> {
                try (Lease lease = context.acquire()) {
                    context.execute(() -> { });
                    context.poll(0);
                }
            });
            owner.start();
            owner.join();
        }

        assertThat(context.watched().stats().turns()).isEqualTo(10);
        assertThat(context.watched().stats().tasks()).isEqualTo(10);
        assertThat(context.watched().owner()).isNull();
    }

    @Test
    void shouldWorkInAJavaThatHasNoFlightRecorder() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "--limit-modules", "java.base", "-cp", System.getProperty("java.class.path"),
                WithoutFlightRecorder.class.getName())
                .redirectErrorStream(true).start();
        String output = new String(
                process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains("turns 1, without the module jdk.jfr");
    }

    /** Run by a Java without the module. */
    static final class WithoutFlightRecorder {
        private WithoutFlightRecorder() {
        }

        public static void main(String[] arguments) {
            AioContext context = new AioContext("main", LoopSeams.system());
            try (Lease lease = context.acquire()) {
                context.poll(0);
            }
            try {
                throw new AssertionError("made: " + new LoopEvents(1, 1).longTurnNanos());
            } catch (UnsupportedOperationException e) {
                System.out.println("turns " + context.watched().stats().turns() + ", "
                        + e.getMessage().replace("this Java runs ", ""));
            }
        }
    }

    /** Returns when a turn of the loop has run a task. */
    private static void runTask(AioContext context) {
        CountDownLatch ran = new CountDownLatch(1);
        context.execute(ran::countDown);
        blockUntil(ran);
    }

    private static void blockUntil(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
