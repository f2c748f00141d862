package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The scenarios AIO-T11 to AIO-T19: the loop inside a foreign one, a user interface's for instance.
 * The host sleeps where the loop would, so the loop's wake-ups are events of the host.
 */
class EmbeddedScenariosTest {
    private final Host host = new Host();
    private final List<String> log = new ArrayList<>();

    @BeforeEach
    void shouldBeginIdle() {
        assertThat(host.iterate(false)).isFalse();
    }

    @AfterEach
    void giveLeaseBack() {
        host.lease.close();
    }

    @Test
    @Rule("AIO-T11")
    void aioT11ShouldForgetANotifyOnceTheHostHasLooked() {
        host.context.wake();

        assertThat(host.iterate(true)).isFalse();

        assertThat(host.sleeps).isZero();
        host.later(() -> { });
        host.iterate(true);
        assertThat(host.sleeps).isEqualTo(1);
    }

    @Test
    @Rule("AIO-T12")
    void aioT12ShouldRunAScheduledBottomHalfInAHostsIteration() {
        new BottomHalf(host.context, "half", () -> log.add("run")).schedule();

        assertThat(host.iterate(true)).isTrue();
        assertThat(host.iterate(false)).isFalse();

        assertThat(log).containsExactly("run");
    }

    @Test
    @Rule("AIO-T13")
    void aioT13ShouldRunABottomHalfThatSchedulesItselfOnceInEachIteration() {
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(host.context, "half", () -> {
            log.add("run");
            if (log.size() < 10) {
                half[0].schedule();
            }
        });
        half[0].schedule();

        assertThat(host.iterate(false)).isTrue();
        assertThat(log).hasSize(1);
        assertThat(host.iterate(true)).isTrue();
        assertThat(log).hasSize(2);
        while (host.iterate(false)) {
            assertThat(log.size()).isLessThanOrEqualTo(10);
        }
        assertThat(log).hasSize(10);
    }

    @Test
    @Rule("AIO-T14")
    void aioT14ShouldNotRunADeletedBottomHalf() {
        BottomHalf half = new BottomHalf(host.context, "half", () -> log.add("run"));
        half.schedule();
        half.delete();

        assertThat(host.iterate(false)).isFalse();

        assertThat(log).isEmpty();
    }

    @Test
    @Rule("AIO-T15")
    void aioT15ShouldLetABottomHalfDeleteItself() {
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(host.context, "half", () -> {
            log.add("run");
            half[0].delete();
            half[0] = null;
        });
        half[0].schedule();

        assertThat(host.iterate(true)).isTrue();
        host.iterate(false);
        assertThat(host.iterate(false)).isFalse();

        assertThat(log).containsExactly("run");
        assertThat(half[0]).isNull();
    }

    @Test
    @Rule("AIO-T16")
    void aioT16ShouldRunWhatIsScheduledWhileTheHostSleeps() {
        BottomHalf half = new BottomHalf(host.context, "half", () -> log.add("run"));
        host.later(half::schedule);

        assertThat(host.iterate(true)).isTrue();

        assertThat(host.sleeps).isEqualTo(1);
        assertThat(log).containsExactly("run");
    }

    @Test
    @Rule("AIO-T17")
    void aioT17ShouldNotRunAHandlerWhoseEventIsNeverSet() {
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(host.context, () -> log.add("run"));
        assertThat(host.iterate(false)).isFalse();
        notifier.detach();

        assertThat(host.iterate(false)).isFalse();
        assertThat(log).isEmpty();
    }

    @Test
    @Rule("AIO-T18")
    void aioT18ShouldRunAHandlerOnceForASetAndNeverOnceDetached() {
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(host.context, () -> log.add("run"));
        notifier.set();

        assertThat(host.iterate(true)).isTrue();
        assertThat(host.iterate(false)).isFalse();
        notifier.detach();
        notifier.set();
        assertThat(host.iterate(false)).isFalse();

        assertThat(log).containsExactly("run");
    }

    @Test
    @Rule("AIO-T19")
    void aioT19ShouldKeepTwoEventsApart() {
        EventNotifier first = new EventNotifier("first");
        EventNotifier second = new EventNotifier("second");
        first.attach(host.context, () -> log.add("first"));
        host.later(first::set);
        assertThat(host.iterate(true)).isTrue();
        second.attach(host.context, () -> log.add("second"));

        for (int i = 0; i < 2; i++) {
            first.set();
            host.iterate(false);
            host.iterate(false);
        }
        second.set();
        while (host.iterate(false)) {
            assertThat(log.size()).isLessThan(5);
        }

        assertThat(log).containsExactly("first", "first", "first", "second");
        first.detach();
        second.detach();
    }

    /** A foreign event loop: events are its only way to wake up. */
    private static final class Host implements Parker {
        final AioContext context =
                new AioContext("embedded", LoopSeams.system().withParker(this));
        final Lease lease = context.acquire();
        private final LinkedBlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
        int sleeps;

        /** Happens when the host sleeps next. */
        void later(Runnable event) {
            events.add(event);
        }

        /** One iteration; the embedded loop is its only source of work. */
        boolean iterate(boolean maySleep) {
            return context.poll(maySleep ? Long.MAX_VALUE : 0);
        }

        @Override
        public void park(AioContext asleep, long maxNanos) {
            sleeps++;
            try {
                Runnable event = events.poll(20, TimeUnit.SECONDS);
                assertThat(event).as("an event").isNotNull();
                event.run();
                drain();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private void drain() {
            for (Runnable event = events.poll(); event != null; event = events.poll()) {
                event.run();
            }
        }

        @Override
        public void unpark(AioContext toWake, @Nullable Thread owner) {
            events.add(() -> { });
        }
    }
}
