package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The scenarios AIO-T01 to AIO-T10 and EPOLL-T01: one loop, polled by its owner. */
class AioScenariosTest {
    private static final long AT_MOST = TimeUnit.SECONDS.toNanos(20);

    private final FakeLoop loop = new FakeLoop();

    @Test
    @Rule("AIO-T01")
    void aioT01ShouldWakeForAnEventOfAThreadThatCannotHaveTheLoop() throws Exception {
        AioContext context = new AioContext("main", LoopSeams.system());
        EventNotifier notifier = new EventNotifier("n");
        SynchronousQueue<Integer> gate = new SynchronousQueue<>();
        SplittableRandom random = new SplittableRandom(1);
        int rounds = 10_000;
        int[] handled = new int[1];
        List<String> refused = new ArrayList<>();
        Thread setter = new Thread(() -> setAfterEachTurnOfTheGate(gate, notifier, rounds));
        setter.start();

        try (Lease lease = context.acquire()) {
            notifier.attach(context, () -> handled[0]++);
            for (int round = 1; round <= rounds; round++) {
                gate.put(random.nextInt(200));
                spin(random.nextInt(200));
                boolean progress = false;
                while (handled[0] < round) {
                    // A turn may be woken for nothing, by the unpark of the round before (AIO-41).
                    progress = context.poll(AT_MOST);
                }
                assertThat(progress).as("round %d", round).isTrue();
            }
            setter.join();
            Thread stranger = new Thread(() -> refused.add(refusal(context)));
            stranger.start();
            stranger.join();
            notifier.detach();
        }

        assertThat(refused).singleElement().asString().contains("owned by thread");
        context.acquire().close();
    }

    @Test
    @Rule("AIO-T02")
    void aioT02ShouldRunAScheduledBottomHalfInTheNextTurnOnly() {
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        assertThat(loop.log).isEmpty();

        assertThat(loop.context.poll(AT_MOST)).isTrue();
        assertThat(loop.log).hasSize(1);
        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).hasSize(1);
    }

    @Test
    @Rule("AIO-T03")
    void aioT03ShouldRunABottomHalfThatSchedulesItselfOnceInEachTurn() {
        BottomHalf half = untilTen();
        half.schedule();

        assertThat(loop.poll()).isTrue();
        assertThat(loop.log).hasSize(1);
        assertThat(loop.context.poll(AT_MOST)).isTrue();
        assertThat(loop.log).hasSize(2);
        while (loop.log.size() < 10) {
            assertThat(loop.context.poll(AT_MOST)).isTrue();
        }
        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).hasSize(10);
    }

    @Test
    @Rule("AIO-T04")
    void aioT04ShouldSkipACancelledBottomHalfAndTakeItAgain() {
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        half.cancel();

        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).isEmpty();
        half.schedule();
        assertThat(loop.poll()).isTrue();
    }

    @Test
    @Rule("AIO-T05")
    void aioT05ShouldLetABottomHalfDeleteItself() {
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(loop.context, "half", () -> {
            loop.log.add("run");
            half[0].delete();
            half[0] = null;
        });
        half[0].schedule();

        while (half[0] != null) {
            assertThat(loop.context.poll(AT_MOST)).isTrue();
        }
        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).containsExactly("run");
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-T06")
    void aioT06ShouldBeIdleAfterATurnThatRanWhatWasScheduled() {
        new BottomHalf(loop.context, "half", () -> loop.log.add("run")).schedule();

        assertThat(loop.context.poll(AT_MOST)).isTrue();
        assertThat(loop.poll()).isFalse();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-T07")
    void aioT07ShouldDoNothingForAnEventThatIsNeverSet() {
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("run"));
        assertThat(loop.poll()).isFalse();
        notifier.detach();

        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-T08")
    void aioT08ShouldHandleAnEventOnceAndNothingOnceItIsDetached() {
        EventNotifier notifier = new EventNotifier("n");
        notifier.attach(loop.context, () -> loop.log.add("run"));
        assertThat(loop.poll()).isFalse();
        notifier.set();

        assertThat(loop.poll()).isTrue();
        assertThat(loop.log).hasSize(1);
        assertThat(loop.poll()).isFalse();
        notifier.detach();
        notifier.set();
        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).hasSize(1);
    }

    @Test
    @Rule("AIO-T09")
    void aioT09ShouldFireATimerInATurnOnlyAndNotEarly() {
        long period = TimeUnit.MILLISECONDS.toNanos(750);
        LoopTimer[] timer = new LoopTimer[1];
        timer[0] = new LoopTimer(loop.context, "timer", () -> {
            loop.log.add("fired");
            if (loop.log.size() == 1) {
                timer[0].armAt(loop.clock.nowNanos + period);
            }
        });
        timer[0].armAt(period);
        assertThat(loop.poll()).isFalse();
        loop.clock.nowNanos += TimeUnit.SECONDS.toNanos(1);
        assertThat(loop.log).isEmpty();

        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();
        assertThat(loop.log).hasSize(1);
        assertThat(loop.context.poll(Long.MAX_VALUE)).isTrue();

        assertThat(loop.log).hasSize(2);
        assertThat(loop.parker.parks).containsExactly(period);
        assertThat(loop.poll()).isFalse();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-T10")
    void aioT10ShouldRunAtHomeWhatAPlainThreadEnters() throws InterruptedException {
        Thread[] ranOn = new Thread[1];
        Thread worker = new Thread(
                () -> loop.context.execute(() -> ranOn[0] = Thread.currentThread()));
        worker.start();
        worker.join();
        assertThat(ranOn[0]).isNull();

        assertThat(loop.context.poll(AT_MOST)).isTrue();
        assertThat(loop.poll()).isFalse();
        assertThat(ranOn[0]).isSameAs(Thread.currentThread());
    }

    @Test
    @Rule("EPOLL-T01")
    void epollT01ShouldHearOneOfManyEventsThoughTheOthersAreTakenAway() {
        List<EventNotifier> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            EventNotifier notifier = new EventNotifier("n" + i);
            notifier.attach(loop.context, () -> loop.log.add(notifier.name()));
            all.add(notifier);
        }
        all.get(0).set();
        assertThat(loop.context.poll(AT_MOST)).isTrue();
        all.subList(1, all.size()).forEach(EventNotifier::detach);
        all.get(1).set();
        all.get(0).set();

        assertThat(loop.context.poll(AT_MOST)).isTrue();

        assertThat(loop.log).containsExactly("n0", "n0");
        assertThat(all.get(1).isSet()).isTrue();
        all.get(0).detach();
    }

    private BottomHalf untilTen() {
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(loop.context, "half", () -> {
            loop.log.add("run");
            if (loop.log.size() < 10) {
                half[0].schedule();
            }
        });
        return half[0];
    }

    private static void setAfterEachTurnOfTheGate(
            SynchronousQueue<Integer> gate, EventNotifier notifier, int rounds) {
        try {
            for (int round = 0; round < rounds; round++) {
                spin(gate.take());
                notifier.set();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void spin(int turns) {
        for (int i = 0; i < turns; i++) {
            Thread.onSpinWait();
        }
    }

    private static String refusal(AioContext context) {
        try {
            context.acquire();
        } catch (IllegalStateException e) {
            return e.getMessage();
        }
        return "not refused";
    }
}
