package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.rules.Rule;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The loop on real threads: no wake-up is lost, no interrupt neither. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ParkingTest {
    private static final int ROUND_TRIPS = 50_000;

    /** How long a ping-pong goes on at most, on a machine that is busy with other things. */
    private static final long PLAY_NANOS = TimeUnit.SECONDS.toNanos(20);

    @Test
    @Rule("AIO-33")
    @Rule("AIO-34")
    @Rule("AIO-36")
    @Rule("JCQ-T18")
    void jcqT18ShouldLoseNoWakeUpInAPingPong() {
        try (IoThread ioThread = start("pong")) {
            AioContext main = new AioContext("ping", LoopSeams.system());
            try (Lease lease = main.acquire()) {
                assertThat(play(ioThread.context(), main, ROUND_TRIPS)).isPositive();
            }
        }
    }

    @Test
    @Rule("AIO-38")
    void shouldLoseNoWakeUpInAPingPongThatPolls() {
        try (IoThread ioThread = start("pong")) {
            ioThread.context().setPolling(PollParameters.DEFAULT);
            AioContext main = new AioContext("ping", LoopSeams.system());
            main.setPolling(new PollParameters(3_000, 0, 2));
            try (Lease lease = main.acquire()) {
                assertThat(play(ioThread.context(), main, ROUND_TRIPS / 5)).isPositive();
            }
        }
    }

    @Test
    @Rule("SPT-T15")
    void sptT15ShouldLoseNothingWhenItGoesFromPollingToSleepingAndBack() {
        PollParameters off = new PollParameters(0, 0, 0);
        int trips = 10;
        try (IoThread ioThread = start("pong")) {
            AioContext main = new AioContext("ping", LoopSeams.system());
            try (Lease lease = main.acquire()) {
                for (int round = 0; round < 400; round++) {
                    PollParameters wanted = round % 2 == 0 ? PollParameters.DEFAULT : off;
                    ioThread.context().setPolling(wanted);

                    assertThat(play(ioThread.context(), main, trips)).isEqualTo(trips);

                    assertThat(ioThread.context().polling()).isEqualTo(wanted);
                }
            }
        }
    }

    @Test
    @Rule("AIO-32")
    void shouldLoseNothingThatIsNotSignalledWhileTheLoopPolls() {
        QuietRing ring = new QuietRing();
        EventNotifier doorbell = new EventNotifier("doorbell");
        AioContext main = new AioContext("producer", LoopSeams.system());
        try (IoThread ioThread = start("consumer"); Lease lease = main.acquire()) {
            ioThread.context().setPolling(new PollParameters(2_000, 0, 2));
            ioThread.context().execute(() -> doorbell.attach(ioThread.context(), () -> {
                ring.consume();
                main.wake();
            }, ring));
            long end = System.nanoTime() + PLAY_NANOS;
            for (int i = 1; i <= ROUND_TRIPS / 5 && System.nanoTime() < end; i++) {
                if (ring.produce()) {
                    doorbell.set();
                }
                while (ring.consumed < i) {
                    main.poll(Long.MAX_VALUE);
                }
            }
            ioThread.context().execute(doorbell::detach);
        }

        assertThat(ring.consumed).isEqualTo(ring.produced.get()).isPositive();
    }

    @Test
    @Rule("AIO-35")
    void shouldKeepTheOrderOfEachPosterUnderLoad() throws Exception {
        int posters = 3;
        int each = 20_000;
        int[] last = new int[posters];
        int[] outOfOrder = new int[1];
        CountDownLatch allRun = new CountDownLatch(posters * each);
        try (IoThread ioThread = start("io")) {
            for (int p = 0; p < posters; p++) {
                int poster = p;
                Thread thread = new Thread(() -> {
                    for (int i = 1; i <= each; i++) {
                        int number = i;
                        ioThread.context().execute(() -> {
                            outOfOrder[0] += last[poster] == number - 1 ? 0 : 1;
                            last[poster] = number;
                            allRun.countDown();
                        });
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }

            assertThat(allRun.await(60, TimeUnit.SECONDS)).isTrue();
        }

        assertThat(outOfOrder[0]).isZero();
    }

    @Test
    @Rule("AIO-55")
    void shouldWakeForATimerArmedFromElsewhere() throws Exception {
        CountDownLatch fired = new CountDownLatch(1);
        try (IoThread ioThread = start("io")) {
            LoopTimer timer = new LoopTimer(ioThread.context(), "timer", fired::countDown);

            timer.armAt(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1));

            assertThat(fired.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    @Rule("JCQ-T18")
    void jcqT18ShouldSleepForItsTimeThoughInterruptedAndKeepTheInterrupt() {
        Parker parker = LoopSeams.system().parker();
        AioContext context = new AioContext("main", LoopSeams.system());
        try (Lease lease = context.acquire()) {
            Thread.currentThread().interrupt();

            assertThat(sleeps(nanos -> context.poll(nanos))).isTrue();
            assertThat(sleeps(nanos -> parker.park(context, nanos))).isTrue();

            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    @Rule("AIO-33")
    @Rule("JCQ-T18")
    void jcqT18ShouldLoseNoWakeUpWhileInterrupted() {
        try (IoThread ioThread = start("pong")) {
            AioContext main = new AioContext("ping", LoopSeams.system());
            try (Lease lease = main.acquire()) {
                Thread.currentThread().interrupt();

                assertThat(play(ioThread.context(), main, ROUND_TRIPS / 10)).isPositive();

                assertThat(Thread.interrupted()).isTrue();
            }
        }
    }

    @Test
    void shouldEndOneSleepByAnInterruptAndSleepAgain() throws Exception {
        AioContext context = new AioContext("main", LoopSeams.system());
        boolean[] stop = new boolean[1];
        LoopTimer end = new LoopTimer(context, "end", () -> stop[0] = true);
        int[] turns = new int[1];
        boolean[] interrupted = new boolean[1];
        Thread sleeper = new Thread(() -> {
            try (Lease lease = context.acquire()) {
                while (!stop[0]) {
                    context.poll(Long.MAX_VALUE);
                    turns[0]++;
                }
                interrupted[0] = Thread.currentThread().isInterrupted();
            }
        });
        sleeper.start();
        Spin.until(() -> context.watched().stats().asleep(), "the loop sleeps");

        sleeper.interrupt();
        // Only now, so that it was interrupted long enough before it ends, whoever comes late.
        end.armAt(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(200));
        sleeper.join();

        assertThat(interrupted[0]).isTrue();
        assertThat(turns[0]).isLessThan(10);
    }

    @Test
    void shouldWakeThoughThePermitWasSpentByACallback() throws Exception {
        CountDownLatch ran = new CountDownLatch(1);
        CountDownLatch posted = new CountDownLatch(1);
        try (IoThread ioThread = start("io")) {
            ioThread.context().execute(() -> {
                awaitUninterrupted(posted);
                LockSupport.parkNanos(1);
            });
            ioThread.context().execute(ran::countDown);
            posted.countDown();

            assertThat(ran.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** Whether it sleeps for its time; a sleep may end for no reason, but not three in a row. */
    private static boolean sleeps(LongConsumer sleep) {
        long nanos = TimeUnit.MILLISECONDS.toNanos(20);
        for (int i = 0; i < 3; i++) {
            long before = System.nanoTime();
            sleep.accept(nanos);
            if (System.nanoTime() - before >= nanos) {
                return true;
            }
        }
        return false;
    }

    /** Posts there and back, one trip after the other; a wake-up that is lost is a hang. */
    private static int play(AioContext there, AioContext main, int tripsMax) {
        int[] trips = new int[1];
        Task ping = FakeLoop.task("ping", () -> trips[0]++);
        Task pong = FakeLoop.task("pong", () -> main.post(ping));
        long end = System.nanoTime() + PLAY_NANOS;
        for (int i = 1; i <= tripsMax && System.nanoTime() < end; i++) {
            there.post(pong);
            while (trips[0] < i) {
                main.poll(Long.MAX_VALUE);
            }
        }
        return trips[0];
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** A ring whose producer rings only if it was not told that the consumer looks. */
    private static final class QuietRing implements PollHook {
        private final AtomicInteger produced = new AtomicInteger();
        private volatile boolean looksItself;

        /** Written by the consumer. */
        private volatile int consumed;

        boolean produce() {
            produced.incrementAndGet();
            return !looksItself;
        }

        void consume() {
            consumed = produced.get();
        }

        @Override
        public boolean poll() {
            return produced.get() != consumed;
        }

        @Override
        public void pollBegins() {
            looksItself = true;
        }

        @Override
        public void pollEnds() {
            looksItself = false;
        }
    }

    private static IoThread start(String name) {
        return IoThread.start(new IoThreadConfig(name, run -> {
            Thread thread = new Thread(run, name);
            thread.setDaemon(true);
            return thread;
        }, LoopSeams.system(), true));
    }
}
