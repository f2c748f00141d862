package dev.quiesce.aio.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.Spin;
import dev.quiesce.aio.time.Clock.Kind;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class MachineClockTest {
    private long hostNanos = 1_000;
    private final MachineClock paced =
            MachineClock.paced("guest", Kind.VIRTUAL, () -> hostNanos);
    private final MachineClock driven = MachineClock.driven("steps", Kind.VIRTUAL);
    private final Watching watcher = new Watching();

    @Test
    @Rule("AIO-54")
    void shouldBeginStoppedAtZero() {
        hostNanos = 5_000;

        assertThat(paced.isRunning()).isFalse();
        assertThat(paced.nanoTime()).isZero();
        assertThat(driven.nanoTime()).isZero();
        assertThat(paced.kind()).isEqualTo(Kind.VIRTUAL);
    }

    @Test
    @Rule("AIO-54")
    void shouldRunAsItsPaceWhileItIsStarted() {
        paced.start();
        hostNanos += 30;
        assertThat(paced.nanoTime()).isEqualTo(30);

        paced.stop();
        hostNanos += 500;
        assertThat(paced.nanoTime()).isEqualTo(30);

        paced.start();
        paced.start();
        hostNanos += 7;
        assertThat(paced.nanoTime()).isEqualTo(37);
    }

    @Test
    void shouldJumpForwardAndBackward() {
        paced.start();
        hostNanos += 30;
        paced.set(1_000_000);
        hostNanos += 5;
        assertThat(paced.nanoTime()).isEqualTo(1_000_005);

        paced.set(10);
        paced.stop();
        paced.advance(4);

        assertThat(paced.nanoTime()).isEqualTo(14);
    }

    @Test
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldNeverStepBackWhileItIsStoppedOrAdvanced() {
        for (boolean stop : new boolean[] {true, false}) {
            Reading reading = new Reading();
            MachineClock clock = MachineClock.paced("guest", Kind.VIRTUAL, reading);
            clock.start();
            reading.clock = clock;

            if (stop) {
                clock.stop();
            } else {
                clock.advance(0);
            }

            assertThat(reading.seenNanos()).isLessThanOrEqualTo(clock.nanoTime());
        }
    }

    @Test
    void shouldStayAtTheLastTimeItCanShow() {
        paced.start();
        paced.set(Long.MAX_VALUE - 5);
        hostNanos += 5;
        assertThat(paced.nanoTime()).isEqualTo(Long.MAX_VALUE);
        hostNanos += 100;

        assertThat(paced.nanoTime()).isEqualTo(Long.MAX_VALUE);
        assertThat(paced.nanosUntil(7)).isZero();
    }

    /** A pace that moves on after it was read once, and has somebody read the clock then. */
    private static final class Reading implements Clock {
        private MachineClock clock;
        private Thread reader;
        private volatile long now = 1_000;
        private long seen;

        @Override
        public long nanoTime() {
            long before = now;
            if (clock != null && reader == null) {
                now = before + 100;
                reader = new Thread(() -> seen = clock.nanoTime());
                reader.start();
                Spin.until(() -> !reader.isAlive()
                        || reader.getState() == Thread.State.BLOCKED, "the reader waits");
            }
            return before;
        }

        long seenNanos() {
            try {
                reader.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return seen;
        }
    }


    @Test
    void shouldMoveOnlyWhenDriven() {
        driven.start();
        hostNanos += 30;
        assertThat(driven.nanoTime()).isZero();

        driven.advance(12);

        assertThat(driven.nanoTime()).isEqualTo(12);
        assertThat(driven).hasToString("MachineClock[steps, running at 12 ns]");
    }

    @Test
    @Rule("AIO-56")
    void shouldSayHowLongALoopMaySleepForIt() {
        assertThat(paced.nanosUntil(10)).as("stopped").isEqualTo(Long.MAX_VALUE);
        paced.start();
        driven.start();
        hostNanos += 4;

        assertThat(paced.nanosUntil(10)).isEqualTo(6);
        assertThat(paced.nanosUntil(4)).isZero();
        assertThat(driven.nanosUntil(10)).as("moved by its owner").isEqualTo(Long.MAX_VALUE);
        assertThat(driven.nanosUntil(0)).isZero();
        assertThat(paced.nanosUntil(Long.MAX_VALUE)).isPositive();
    }

    @Test
    void shouldTellItsWatchersOfEveryChangeButTheStop() {
        paced.watch(watcher);
        paced.start();
        paced.start();
        paced.set(5);
        paced.advance(1);
        paced.stop();
        assertThat(watcher.changes).isEqualTo(3);
        assertThat(watcher.stops).isEqualTo(1);

        paced.unwatch(watcher);
        paced.start();

        assertThat(watcher.changes).isEqualTo(3);
    }

    @Test
    @Rule("AIO-56")
    void shouldTellWhenAllItsWatchersAreQuiet() {
        Watching other = new Watching();
        paced.watch(watcher);
        paced.watch(other);
        paced.watch(new Watching());
        watcher.quiet = new CompletableFuture<>();
        other.quiet = new CompletableFuture<>();
        paced.start();

        CompletableFuture<@Nullable Void> stopped = paced.stop().toCompletableFuture();
        watcher.quiet.complete(null);
        assertThat(stopped).isNotDone();
        other.quiet.complete(null);

        assertThat(stopped).isCompleted();
        watcher.quiet = null;
        other.quiet = null;
        assertThat(paced.stop().toCompletableFuture()).isCompleted();
    }

    @Test
    @Rule("AIO-55")
    void shouldRefuteTimesThatItCannotShow() {
        assertThatThrownBy(() -> paced.set(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("guest").hasMessageContaining("-1");
        assertThatThrownBy(() -> paced.advance(-2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("guest").hasMessageContaining("-2");
        paced.set(Long.MAX_VALUE - 1);
        assertThatThrownBy(() -> paced.advance(2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("guest");
        assertThat(paced.nanoTime()).isEqualTo(Long.MAX_VALUE - 1);
    }

    @Test
    void shouldBeVirtualAndPacedByRealTimeOnly() {
        assertThatThrownBy(() -> MachineClock.driven("c", Kind.HOST))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("HOST");
        assertThatThrownBy(() -> MachineClock.paced("c", Kind.VIRTUAL, driven))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("VIRTUAL");
    }

    @Test
    void shouldNotTrustTheHostsTimeOfDayForLong() {
        Clock host = Clock.host();

        assertThat(host.kind()).isEqualTo(Kind.HOST);
        assertThat(host.isRunning()).isTrue();
        assertThat(host.nanosUntil(Long.MAX_VALUE)).isEqualTo(HostClock.TRUST_NANOS);
        // A time that even a host whose clock is set back just now does not see again.
        assertThat(host.nanosUntil(0)).isZero();
    }

    @Test
    void shouldReadTheMonotonicClockByDefault() {
        Clock system = Clock.system();
        long now = system.nanoTime();

        assertThat(system.kind()).isEqualTo(Kind.REALTIME);
        assertThat(system.nanoTime()).isGreaterThanOrEqualTo(now);
        assertThat(system.nanosUntil(now)).isZero();
        Clock negative = () -> -10;
        assertThat(negative.nanosUntil(Long.MAX_VALUE)).as("overflow").isEqualTo(Long.MAX_VALUE);
    }

    private static final class Watching implements Clock.Watcher {
        int changes;
        int stops;
        @Nullable CompletableFuture<@Nullable Void> quiet;

        @Override
        public void onClockChange() {
            changes++;
        }

        @Override
        public @Nullable CompletionStage<@Nullable Void> onClockStop() {
            stops++;
            return quiet;
        }
    }

    @Test
    void shouldKeepDeadlinesInOrderWhateverHappens() {
        DeadlineQueue<String> queue = new DeadlineQueue<>();
        DeadlineQueue.Entry<String> a = new DeadlineQueue.Entry<>("a");
        DeadlineQueue.Entry<String> b = new DeadlineQueue.Entry<>("b");
        DeadlineQueue.Entry<String> c = new DeadlineQueue.Entry<>("c");
        queue.add(a, 5);
        queue.add(b, 5);
        queue.add(c, 3);
        queue.findDue(5);
        assertThat(queue.takeDue()).isEqualTo("c");

        queue.findDue(4);

        assertThat(queue.takeDue()).as("the clock was set back").isNull();
        assertThat(queue.size()).isEqualTo(2);
        assertThat(queue.nearestNanos()).isEqualTo(5);
        List<String> left = new ArrayList<>();
        queue.forEach(left::add);
        assertThat(left).containsExactlyInAnyOrder("a", "b");
        queue.findDue(6);
        assertThat(List.of(String.valueOf(queue.takeDue()), String.valueOf(queue.takeDue())))
                .containsExactly("a", "b");
        assertThat(queue.nearestNanos()).isEqualTo(Long.MAX_VALUE);
    }
}
