package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The scenarios NET-T and SPT-T that no other test of this package tells. */
class LoopScenariosTest {
    private final FakeLoop loop = new FakeLoop();

    @Test
    @Rule("NET-T12")
    void netT12ShouldGiveUpItsThreadWhileIdleAndGoOnWithAnother() throws InterruptedException {
        AioContext context = new AioContext("suspended", LoopSeams.system());
        List<String> log = new ArrayList<>();
        context.acquire().close();
        context.execute(() -> log.add("posted while nobody was home"));
        LoopTimer timer = new LoopTimer(context, "timer", () -> log.add("timer"));
        timer.armAt(context.clock().nanoTime());
        assertThat(context.nextDeadlineNanos()).isNotEqualTo(Long.MAX_VALUE);

        Thread restarted = new Thread(() -> {
            try (Lease lease = context.acquire()) {
                while (context.hasRunnable()) {
                    context.poll(Long.MAX_VALUE);
                }
                context.close();
            }
        });
        restarted.start();
        restarted.join();

        assertThat(log).containsExactly("posted while nobody was home", "timer");
        assertThatThrownBy(context::acquire).isInstanceOf(IllegalStateException.class);
    }

    @Test
    @Rule("NET-T13")
    void netT13ShouldCatchUpWithAFixedRateAndKeepAFixedDelay() {
        List<Long> rate = new ArrayList<>();
        List<Long> delay = new ArrayList<>();
        LoopTimer[] timers = new LoopTimer[2];
        long[] due = {10};
        timers[0] = new LoopTimer(loop.context, "rate", () -> {
            rate.add(loop.clock.nowNanos);
            due[0] += 10;
            timers[0].armAt(due[0]);
        });
        timers[1] = new LoopTimer(loop.context, "delay", () -> {
            delay.add(loop.clock.nowNanos);
            timers[1].armAt(loop.clock.nowNanos + 10);
        });
        timers[0].armAt(10);
        timers[1].armAt(10);

        loop.poll();
        loop.clock.nowNanos = 35;
        loop.poll();
        loop.poll();
        loop.poll();
        loop.poll();
        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(rate).containsExactly(35L, 35L, 35L, 40L);
        assertThat(delay).containsExactly(35L, 45L);
    }

    @Test
    @Rule("SPT-T02")
    void sptT02ShouldRunAMessageWhenItsTargetIsPolledAndOnce() {
        elsewhere(() -> loop.context.post(loop.logs("message")));
        FakeLoop other = new FakeLoop("other");
        assertThat(other.poll()).isFalse();
        assertThat(loop.log).isEmpty();

        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).containsExactly("message");
        other.close();
    }

    @Test
    @Rule("SPT-T03")
    void sptT03ShouldServeAPollerInEachTurnAndATimedOneNotEarly() {
        BottomHalf[] poller = new BottomHalf[1];
        poller[0] = new BottomHalf(loop.context, "poller", () -> {
            loop.log.add("poller");
            if (loop.log.size() < 3) {
                poller[0].schedule();
            } else {
                poller[0].delete();
            }
        });
        LoopTimer timed = new LoopTimer(loop.context, "timed", () -> loop.log.add("timed"));
        poller[0].schedule();
        timed.armAt(100);

        for (int i = 0; i < 5; i++) {
            loop.poll();
        }
        assertThat(loop.log).containsExactly("poller", "poller", "poller");
        loop.clock.nowNanos = 99;
        loop.poll();
        assertThat(loop.log).hasSize(3);
        loop.clock.nowNanos = 100;
        loop.poll();

        assertThat(loop.log).endsWith("timed");
    }

    @Test
    @Rule("SPT-T04")
    void sptT04ShouldPauseAPollerFromWithinAndGoOn() {
        BottomHalf[] poller = new BottomHalf[1];
        poller[0] = new BottomHalf(loop.context, "poller", () -> {
            loop.log.add("run");
            poller[0].schedule();
            if (loop.log.size() == 2) {
                poller[0].cancel();
                poller[0].schedule();
            } else if (loop.log.size() == 3) {
                poller[0].cancel();
                poller[0].cancel();
            }
        });
        poller[0].schedule();

        for (int i = 0; i < 6; i++) {
            loop.poll();
        }
        assertThat(loop.log).hasSize(3);
        poller[0].schedule();
        loop.poll();
        assertThat(loop.log).hasSize(4);
        poller[0].cancel();
        poller[0].delete();

        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).hasSize(4);
    }

    @Test
    @Rule("SPT-T04")
    void sptT04ShouldKeepThePeriodOfATimerThatPauses() {
        List<Long> fired = new ArrayList<>();
        long[] due = {10};
        LoopTimer[] timer = new LoopTimer[1];
        timer[0] = new LoopTimer(loop.context, "timer", () -> {
            fired.add(loop.clock.nowNanos);
            due[0] += 10;
            timer[0].armAt(due[0]);
        });
        timer[0].armAt(due[0]);
        loop.context.poll(Long.MAX_VALUE);
        timer[0].cancel();
        timer[0].cancel();
        assertThat(loop.context.poll(5)).isFalse();

        timer[0].armAt(due[0]);
        timer[0].armAt(due[0]);
        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(fired).containsExactly(10L, 20L, 30L);
    }

    @Test
    @Rule("SPT-T05")
    void sptT05ShouldKeepTheNearestDeadlineRight() {
        LoopTimer first = new LoopTimer(loop.context, "first", () -> loop.log.add("first"));
        LoopTimer second = new LoopTimer(loop.context, "second", () -> loop.log.add("second"));
        LoopTimer third = new LoopTimer(loop.context, "third", () -> loop.log.add("third"));
        first.armAt(10);
        second.armAt(20);
        third.armAt(20);
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(10);
        first.cancel();
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(20);
        second.cancel();
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(20);
        first.armAt(5);
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(5);
        first.armAt(20);
        second.armAt(20);
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(20);

        loop.clock.nowNanos = 20;
        loop.poll();

        assertThat(loop.log).containsExactly("third", "first", "second");
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @Rule("SPT-T06")
    void sptT06ShouldVisitEveryLoopAndEndWhereItBegan() {
        List<FakeLoop> others = List.of(new FakeLoop("a"), new FakeLoop("b"), new FakeLoop("c"));
        int[] visits = new int[1];
        loop.context.whenDone(() -> visits[0] == 3, loop.logs("all were visited"));
        for (FakeLoop other : others) {
            other.context.execute(() -> {
                visits[0]++;
                loop.context.wake();
            });
        }

        loop.poll();
        others.get(1).poll();
        others.get(0).poll();
        loop.poll();
        assertThat(loop.log).isEmpty();
        assertThatThrownBy(loop.context::close).hasMessageContaining("all were visited");
        others.get(2).poll();
        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("all were visited");
        loop.context.close();
        others.forEach(FakeLoop::close);
    }
}
