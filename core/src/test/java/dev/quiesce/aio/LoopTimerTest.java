package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LoopTimerTest {
    @Test
    @Rule("AIO-55")
    void shouldFireOnceWhenItsTimeHasCome() {
        FakeLoop loop = new FakeLoop();
        LoopTimer timer = timer(loop, "t");
        timer.armAt(10);
        assertThat(loop.poll()).isFalse();
        assertThat(timer.isArmed()).isTrue();

        loop.clock.nowNanos = 10;

        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).containsExactly("t");
        assertThat(timer.isArmed()).isFalse();
    }

    @Test
    @Rule("AIO-40")
    void shouldSleepNoLongerThanToTheNearestDeadline() {
        FakeLoop loop = new FakeLoop();
        timer(loop, "late").armAt(100);
        timer(loop, "early").armAt(40);
        loop.clock.nowNanos = 15;

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).containsExactly(25L, 60L);
        assertThat(loop.log).containsExactly("early", "late");
    }

    @Test
    @Rule("AIO-43")
    void shouldRunTimersAfterTasks() {
        FakeLoop loop = new FakeLoop();
        timer(loop, "timer").armAt(0);
        loop.context.defer(loop.logs("task"));

        loop.poll();

        assertThat(loop.log).containsExactly("task", "timer");
    }

    @Test
    @Rule("AIO-55")
    void shouldFireEqualDeadlinesInTheOrderOfArming() {
        FakeLoop loop = new FakeLoop();
        LoopTimer first = timer(loop, "first");
        LoopTimer second = timer(loop, "second");
        LoopTimer third = timer(loop, "third");
        third.armAt(5);
        first.armAt(5);
        second.armAt(5);
        third.armAt(5);
        loop.clock.nowNanos = 5;

        loop.poll();

        assertThat(loop.log).containsExactly("first", "second", "third");
    }

    @Test
    void shouldNotFireOnceCancelled() {
        FakeLoop loop = new FakeLoop();
        LoopTimer timer = timer(loop, "t");
        timer.armAt(5);
        timer.cancel();
        timer.cancel();
        loop.clock.nowNanos = 5;

        assertThat(loop.poll()).isFalse();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-56")
    void shouldNotFireAgainInTheRunInWhichItRearmsItself() {
        FakeLoop loop = new FakeLoop();
        LoopTimer[] timer = new LoopTimer[1];
        timer[0] = new LoopTimer(loop.context, "t", () -> {
            loop.log.add("fired");
            timer[0].armAt(0);
        });
        timer[0].armAt(0);

        loop.poll();
        assertThat(loop.log).hasSize(1);
        loop.poll();

        assertThat(loop.log).hasSize(2);
        timer[0].cancel();
    }

    @Test
    @Rule("AIO-56")
    void shouldNotLetANewerTimerKeepOlderOnesFromFiring() {
        FakeLoop loop = new FakeLoop();
        LoopTimer newcomer = timer(loop, "newcomer");
        new LoopTimer(loop.context, "arms", () -> newcomer.armAt(1)).armAt(2);
        timer(loop, "older").armAt(3);
        loop.clock.nowNanos = 9;

        loop.poll();
        assertThat(loop.log).containsExactly("older");
        loop.poll();

        assertThat(loop.log).containsExactly("older", "newcomer");
    }

    @Test
    @Rule("AIO-55")
    void shouldHonourACancelAndANewDeadlineFromWithinTheSameRun() {
        FakeLoop loop = new FakeLoop();
        LoopTimer cancelled = timer(loop, "cancelled");
        LoopTimer postponed = timer(loop, "postponed");
        new LoopTimer(loop.context, "first", () -> {
            cancelled.cancel();
            postponed.armAt(50);
        }).armAt(0);
        cancelled.armAt(1);
        postponed.armAt(1);
        timer(loop, "last").armAt(1);
        loop.clock.nowNanos = 9;

        loop.poll();
        assertThat(loop.log).containsExactly("last");
        assertThat(cancelled.isArmed()).isFalse();
        loop.clock.nowNanos = 50;
        loop.poll();

        assertThat(loop.log).containsExactly("last", "postponed");
    }

    @Test
    @Rule("AIO-82")
    void shouldFireTheRestOfTheRunInANestedPoll() {
        FakeLoop loop = new FakeLoop();
        new LoopTimer(loop.context, "nesting", () -> {
            loop.poll();
            loop.log.add("nested turn over");
        }).armAt(0);
        timer(loop, "other").armAt(0);

        loop.poll();

        assertThat(loop.log).containsExactly("other", "nested turn over");
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-55")
    void shouldWakeTheLoopWhenANewHeadIsArmedFromElsewhere() {
        FakeLoop loop = new FakeLoop();
        LoopTimer early = timer(loop, "early");
        LoopTimer late = timer(loop, "late");
        timer(loop, "middle").armAt(50);
        loop.parker.asleep = () -> {
            late.armAt(60);
            assertThat(loop.parker.unparks).isZero();
            early.armAt(10);
            assertThat(loop.parker.unparks).isEqualTo(1);
        };

        loop.context.poll(Long.MAX_VALUE);
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).containsExactly(50L, 10L);
        assertThat(loop.log).containsExactly("early");
    }

    @Test
    void shouldTakeTheLargestDeadlineForNever() {
        FakeLoop loop = new FakeLoop();
        loop.clock.nowNanos = -10;
        LoopTimer never = timer(loop, "never");
        never.armAt(Long.MAX_VALUE);
        LoopTimer far = timer(loop, "far");
        far.armAt(Long.MAX_VALUE - 1);

        loop.context.poll(3);

        assertThat(loop.parker.parks).containsExactly(3L);
        assertThat(loop.log).isEmpty();
    }

    @Test
    void shouldReportATimerThatThrowsAndFireTheOthers() {
        FakeLoop loop = new FakeLoop();
        new LoopTimer(loop.context, "broken", () -> {
            throw new IllegalStateException("on purpose");
        }).armAt(0);
        timer(loop, "other").armAt(0);

        loop.poll();

        assertThat(loop.errorSites).containsExactly("broken");
        assertThat(loop.log).containsExactly("other");
    }

    @Test
    void shouldFireInTheNextTurnWhatAnErrorLeft() {
        FakeLoop loop = new FakeLoop();
        new LoopTimer(loop.context, "thrower", () -> {
            throw new StackOverflowError("on purpose");
        }).armAt(0);
        timer(loop, "other").armAt(0);
        assertThatThrownBy(loop::poll).isInstanceOf(StackOverflowError.class);

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("other");
        assertThat(loop.parker.parks).isEmpty();
    }

    @Test
    @Rule("AIO-55")
    void shouldFireManyTimersInOrderHoweverTheyWereArmedAndCancelled() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        FakeLoop loop = new FakeLoop();
        List<LoopTimer> timers = new ArrayList<>();
        List<Long> deadlines = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            timers.add(timer(loop, Integer.toString(i)));
            deadlines.add(Long.MAX_VALUE);
        }
        List<Integer> armed = new ArrayList<>();
        for (int step = 0; step < 3000; step++) {
            Integer index = random.nextInt(timers.size());
            armed.remove(index);
            if (random.nextInt(4) == 0) {
                timers.get(index).cancel();
            } else {
                long deadline = random.nextInt(100);
                timers.get(index).armAt(deadline);
                deadlines.set(index, deadline);
                armed.add(index);
            }
        }
        armed.sort(Comparator.comparing(deadlines::get));

        while (!loop.context.isIdle()) {
            loop.context.poll(Long.MAX_VALUE);
        }

        assertThat(loop.log).as("seed %d", seed)
                .containsExactlyElementsOf(armed.stream().map(String::valueOf).toList());
    }

    private static LoopTimer timer(FakeLoop loop, String name) {
        return new LoopTimer(loop.context, name, () -> loop.log.add(name));
    }
}
