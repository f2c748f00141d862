package dev.quiesce.aio.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WatchdogTest {
    private static final long BOUND_NANOS = 100;

    private final List<Stall> stalls = new ArrayList<>();
    private long now = 5000;
    private final LoopMeter loop = meter("io0");
    private final Watchdog watchdog = new Watchdog(() -> now, BOUND_NANOS, stalls::add);

    @Test
    void shouldTellOfALoopThatDoesNotComeBackOnceAndAfterEachDoubling() {
        watchdog.watch(loop);
        loop.turnBegins();
        loop.observedCallback(() -> "disk0.queue2", () -> {
            watchdog.look();
            for (int nanos = 1; nanos <= 450; nanos++) {
                now++;
                watchdog.look();
            }
            return true;
        });

        assertThat(stalls).extracting(Stall::stalledNanos).containsExactly(100L, 200L, 400L);
        Stall first = stalls.get(0);
        assertThat(first.loop()).isEqualTo("io0");
        assertThat(first.callback()).isEqualTo("disk0.queue2");
        assertThat(first.thread()).isEqualTo(Thread.currentThread().getName());
        assertThat(first.stack()).anyMatch(frame -> frame.getClassName().equals(
                WatchdogTest.class.getName()));
        assertThat(first.toString())
                .contains("io0", "disk0.queue2", first.thread(), "WatchdogTest");
    }

    @Test
    void shouldTellEveryStallThoughTheAlarmThrows() {
        List<String> told = new ArrayList<>();
        Watchdog throwing = new Watchdog(() -> now, BOUND_NANOS, stall -> {
            told.add(stall.loop());
            throw new IllegalStateException("alarm of " + stall.loop());
        });
        for (String name : List.of("io1", "io2")) {
            LoopMeter stuck = meter(name);
            throwing.watch(stuck);
            stuck.turnBegins();
        }
        throwing.look();
        now += BOUND_NANOS;

        assertThatThrownBy(throwing::look).hasMessage("alarm of io1")
                .satisfies(e -> assertThat(e.getSuppressed()).singleElement().asString()
                        .contains("alarm of io2"));

        assertThat(told).containsExactly("io1", "io2");
    }

    @Test
    void shouldRefuseAPatrolThatNeverRests() {
        for (long period : new long[] {0, -5}) {
            assertThatThrownBy(() -> watchdog.patrol(run -> {
                throw new AssertionError("no thread is needed");
            }, period)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(period + " ns");
        }
    }


    @Test
    void shouldTellAnewOfANewStall() {
        watchdog.watch(loop);
        for (int stall = 0; stall < 2; stall++) {
            loop.turnBegins();
            watchdog.look();
            now += BOUND_NANOS;
            assertThat(watchdog.look()).isEqualTo(1);
            assertThat(watchdog.look()).isEqualTo(1);
            loop.turnEnds(0);
            assertThat(watchdog.look()).isZero();
        }

        assertThat(stalls).extracting(Stall::stalledNanos)
                .containsExactly(BOUND_NANOS, BOUND_NANOS);
        assertThat(stalls.get(0).callback()).isNull();
        assertThat(stalls.get(0).toString()).contains("something unnamed");
    }

    @Test
    void shouldNotAccuseALoopThatSleepsThatMovesOrThatNobodyPolls() {
        watchdog.watch(loop);
        watchdog.look();
        now += 10 * BOUND_NANOS;
        watchdog.look();

        loop.turnBegins();
        loop.parks();
        watchdog.look();
        now += 10 * BOUND_NANOS;
        watchdog.look();
        loop.wakes(true);

        for (int i = 0; i < 10; i++) {
            watchdog.look();
            now += BOUND_NANOS - 1;
            loop.turnBegins();
            loop.turnEnds(i);
        }
        watchdog.look();

        assertThat(stalls).isEmpty();
    }

    @Test
    void shouldDropAnAccusationWhenTheLoopHasMovedMeanwhile() {
        LoopMeter[] moving = new LoopMeter[1];
        moving[0] = new LoopMeter("moving", () -> {
            moving[0].turnEnds(0);
            moving[0].turnBegins();
            return Thread.currentThread();
        }, () -> now, e -> { });
        watchdog.watch(moving[0]);
        moving[0].turnBegins();
        watchdog.look();
        now += BOUND_NANOS;

        assertThat(watchdog.look()).isZero();

        assertThat(stalls).isEmpty();
    }

    @Test
    void shouldWatchSeveralLoopsAndDismissThem() {
        LoopMeter other = meter("io1");
        watchdog.watch(loop);
        watchdog.watch(loop);
        watchdog.watch(other);
        loop.turnBegins();
        other.turnBegins();
        watchdog.look();
        watchdog.dismiss(loop);
        watchdog.dismiss(loop);
        now += BOUND_NANOS;

        assertThat(watchdog.look()).isEqualTo(1);

        assertThat(stalls).extracting(Stall::loop).containsExactly("io1");
        assertThat(loop.isObserved()).isFalse();
        assertThat(other.isObserved()).isTrue();
    }

    @Test
    void shouldSayWhenNobodyOwnsTheLoopAnyMore() {
        LoopMeter orphan = new LoopMeter("orphan", () -> null, () -> now, e -> { });
        watchdog.watch(orphan);
        orphan.turnBegins();
        watchdog.look();
        now += BOUND_NANOS;
        watchdog.look();

        assertThat(stalls.get(0).thread()).isNull();
        assertThat(stalls.get(0).stack()).isEmpty();
    }

    @Test
    void shouldRefuseABoundThatIsNotPositive() {
        assertThatThrownBy(() -> new Watchdog(() -> now, 0, stalls::add))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("0 ns");
    }

    @Test
    void shouldPatrolOnAThreadOfItsOwnUntilItIsClosed() throws InterruptedException {
        CountDownLatch told = new CountDownLatch(2);
        Watchdog onDuty = new Watchdog(System::nanoTime, 1, stall -> told.countDown());
        onDuty.watch(loop);
        loop.turnBegins();
        Thread[] made = new Thread[1];

        try (Watchdog.Patrol patrol = onDuty.patrol(run -> made[0] = new Thread(run), 1)) {
            told.await();
        }
        made[0].join();

        assertThatThrownBy(() -> onDuty.patrol(run -> null, 1))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldEndAPatrolThatIsInterrupted() throws InterruptedException {
        Thread[] made = new Thread[1];
        try (Watchdog.Patrol patrol =
                watchdog.patrol(run -> made[0] = new Thread(run), Long.MAX_VALUE)) {
            made[0].interrupt();
            made[0].join();
        }

        assertThat(made[0].isAlive()).isFalse();
    }

    private LoopMeter meter(String name) {
        return new LoopMeter(name, Thread::currentThread, () -> now, e -> {
            throw new AssertionError(e);
        });
    }
}
