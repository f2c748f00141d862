package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IoThreadTest {
    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final LoopSeams seams = LoopSeams.system()
            .withErrors((context, site, cause) -> reports.add(site + ": " + cause));
    private final ThreadFactory factory = run -> {
        Thread thread = new Thread(run, "io thread");
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler((who, cause) -> reports.add("uncaught: " + cause));
        return thread;
    };

    @Test
    @Rule("IOT-3")
    void shouldOwnItsContextWhenStartReturns() {
        try (IoThread ioThread = start()) {
            assertThat(ioThread.context().owner()).isNotNull();
            assertThat(ioThread.context().owner().getName()).isEqualTo("io thread");
            assertThat(ioThread.context().name()).isEqualTo("io");
        }
    }

    @Test
    @Rule("IOT-4")
    void shouldRunWhatIsPosted() throws InterruptedException {
        CountDownLatch ran = new CountDownLatch(1);
        try (IoThread ioThread = start()) {
            ioThread.context().execute(ran::countDown);

            assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    @Rule("IOT-5")
    @Rule("IOT-7")
    void shouldStopOnceAndRefuseEverythingAfterwards() {
        IoThread ioThread = start();

        ioThread.close();
        ioThread.close();

        assertThat(ioThread.context().hasOwner()).isFalse();
        assertThatThrownBy(() -> ioThread.context().execute(() -> { }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the loop of context io has ended");
        assertThatThrownBy(ioThread.context()::acquire)
                .hasMessage("the loop of context io has ended");
        ioThread.context().close();
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("IOT-5")
    void shouldRefuseToBeClosedByItself() throws InterruptedException {
        CountDownLatch refused = new CountDownLatch(1);
        try (IoThread ioThread = start()) {
            ioThread.context().execute(() -> {
                try {
                    ioThread.close();
                } catch (IllegalStateException e) {
                    refused.countDown();
                }
            });

            assertThat(refused.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    @Rule("IOT-6")
    void shouldNameWhatNeverRan() throws InterruptedException {
        IoThread ioThread = start();
        CountDownLatch go = new CountDownLatch(1);
        ioThread.context().post(FakeLoop.task("holds up", () -> await(go)));
        Thread closer = new Thread(ioThread::close);
        LoopTimer timer = new LoopTimer(ioThread.context(), "left timer", () -> { });
        timer.armAt(Long.MAX_VALUE);
        closer.start();
        go.countDown();
        closer.join();

        assertThat(reports).hasSize(1);
        assertThat(reports.get(0)).contains("left timer", "io");
    }

    @Test
    @Rule("IOT-7")
    void shouldEndVisiblyOnAnError() throws InterruptedException {
        IoThread ioThread = start();
        CountDownLatch left = new CountDownLatch(1);
        ioThread.context().post(FakeLoop.task("thrower", () -> {
            ioThread.context().defer(FakeLoop.task("never run", left::countDown));
            throw new StackOverflowError("on purpose");
        }));
        ioThread.close();

        assertThat(left.getCount()).isEqualTo(1);
        assertThat(reports).anyMatch(r -> r.startsWith("IoThread io: java.lang.StackOverflow"))
                .anyMatch(r -> r.contains("never run"))
                .anyMatch(r -> r.startsWith("uncaught: "));
        assertThatThrownBy(() -> ioThread.context().execute(() -> { }))
                .hasMessageContaining("on purpose");
        AioContext main = new AioContext("main", seams);
        try (Lease lease = main.acquire()) {
            WaitReport report = new WaitReport();
            report.outstanding("disk0", ioThread.context(), 1, false);
            assertThat(report.canProgress(main)).isFalse();
            assertThat(report.toString()).contains("disk0", "io", "on purpose");
        }
    }

    @Test
    void shouldRefuseInlineWorkersUnlessAskedByName() {
        assertThatThrownBy(() -> new IoThreadConfig("io", factory, seams, false))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("io");
        try (Workers pool = Workers.pool(factory, 0, 1)) {
            assertThat(new IoThreadConfig("io", factory, seams.withWorkers(pool), false).name())
                    .isEqualTo("io");
        }
    }

    @Test
    @Rule("AIO-76")
    void shouldRefuseABlankNameAndAFactoryThatMakesNothing() {
        assertThatThrownBy(() -> new IoThreadConfig(" ", factory, seams, true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IoThread.start(new IoThreadConfig("io", r -> null, seams, true)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldKeepTheInterruptOfWhoeverClosesIt() {
        IoThread ioThread = start();
        Thread.currentThread().interrupt();

        ioThread.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(ioThread.context().hasOwner()).isFalse();
    }

    private IoThread start() {
        return IoThread.start(new IoThreadConfig("io", factory, seams, true));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
