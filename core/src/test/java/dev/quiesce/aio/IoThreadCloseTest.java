package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Closes that would never return, or take long. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IoThreadCloseTest {
    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final List<Throwable> refusals = new CopyOnWriteArrayList<>();
    private final LoopSeams seams = LoopSeams.system()
            .withErrors((context, site, cause) -> reports.add(site + ": " + cause));

    private IoThread start(String name) {
        return IoThread.start(config(name, seams));
    }

    private static IoThreadConfig config(String name, LoopSeams seams) {
        return new IoThreadConfig(name, run -> daemon(run, "thread of " + name), seams, true);
    }

    private static Thread daemon(Runnable run, String name) {
        Thread thread = new Thread(run, name);
        thread.setDaemon(true);
        return thread;
    }

    private static void await(Callable<?> what) {
        try {
            what.call();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void tryToClose(IoThread other) {
        try {
            other.close();
        } catch (IllegalStateException e) {
            refusals.add(e);
        }
    }

    /** Each closes the next one, all at once. */
    private void shouldEndTheCircle(int count) throws InterruptedException {
        CyclicBarrier together = new CyclicBarrier(count);
        CountDownLatch tried = new CountDownLatch(count);
        List<IoThread> circle = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            circle.add(start("io" + i));
        }
        for (int i = 0; i < count; i++) {
            IoThread next = circle.get((i + 1) % count);
            circle.get(i).context().post(FakeLoop.task("closes the next", () -> {
                await(together::await);
                tryToClose(next);
                tried.countDown();
            }));
        }

        assertThat(tried.await(30, TimeUnit.SECONDS)).as("each close returns").isTrue();
        circle.forEach(IoThread::close);
        assertThat(reports).isEmpty();
        assertThat(refusals).isNotEmpty().allSatisfy(refusal -> assertThat(refusal)
                .hasMessageContainingAll("IoThread io", "thread of io", "IOT-5"));
    }

    @Test
    @Rule("IOT-5")
    @Rule("AIO-33")
    void shouldWakeTheLoopForASecondCloseIfTheFirstFoundNoMemoryForThat() {
        AtomicBoolean fails = new AtomicBoolean(true);
        LoopSeams.ThreadParker real = new LoopSeams.ThreadParker(1);
        Parker parker = new Parker() {
            @Override
            public void park(AioContext context, long maxNanos) {
                real.park(context, maxNanos);
            }

            @Override
            public void unpark(AioContext context, @Nullable Thread owner) {
                if (fails.getAndSet(false)) {
                    throw new OutOfMemoryError("no room to wake");
                }
                real.unpark(context, owner);
            }
        };
        IoThread ioThread = IoThread.start(config("io", seams.withParker(parker)));
        Spin.until(() -> ioThread.thread().getState() == Thread.State.WAITING, "asleep");

        assertThatThrownBy(ioThread::close).hasMessage("no room to wake");
        assertThat(ioThread.state()).isEqualTo(IoThread.State.STOPPING);
        ioThread.close();

        assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("IOT-5")
    void shouldGoOnAfterACloseThatFoundNoMemoryAndEndWithTheNext() {
        AtomicBoolean fails = new AtomicBoolean(true);
        IoThread ioThread = IoThread.start(config("io", seams), new DelegatingInbox() {
            @Override
            public boolean offer(Task item) {
                if (fails.getAndSet(false)) {
                    throw new OutOfMemoryError("no room in the inbox");
                }
                return super.offer(item);
            }
        });

        assertThatThrownBy(ioThread::close).hasMessage("no room in the inbox");
        assertThat(ioThread.state()).isEqualTo(IoThread.State.RUNNING);
        ioThread.close();

        assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("IOT-5")
    void shouldRefuseToCloseEachOther() throws InterruptedException {
        shouldEndTheCircle(2);
    }

    @Test
    @Rule("IOT-5")
    void shouldRefuseToCloseEachOtherInACircle() throws InterruptedException {
        shouldEndTheCircle(3);
    }

    @Test
    @Rule("IOT-5")
    void shouldRefuseACloseByAWorkerOfItsOwnAndLoseNoResult() throws InterruptedException {
        CountDownLatch home = new CountDownLatch(1);
        IoThread ioThread = IoThread.start(IoThreadConfig.withOwnPool(
                "io", run -> daemon(run, "made for io"), seams));
        ioThread.context().execute(() -> ioThread.context().workers().submit(
                ioThread.context(), new WorkItem() {
                    @Override
                    protected void work() {
                        assertThat(isCancelled()).isFalse();
                        tryToClose(ioThread);
                    }

                    @Override
                    protected void run() {
                        home.countDown();
                    }
                }));

        assertThat(home.await(30, TimeUnit.SECONDS)).as("the result comes home").isTrue();
        assertThat(refusals).singleElement().asString()
                .contains("IoThread io", "worker made for io", "IOT-5");
        assertThat(ioThread.state()).isEqualTo(IoThread.State.RUNNING);
        ioThread.close();
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("IOT-5")
    void shouldSayOnceForWhatACloseWaits() {
        AtomicLong aheadNanos = new AtomicLong();
        Clock hasty = () -> Clock.system().nanoTime()
                + aheadNanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch busy = new CountDownLatch(1);
        List<String> log = new CopyOnWriteArrayList<>();
        IoThread ioThread = IoThread.start(config("io", seams.withClock(hasty)));
        ioThread.context().post(FakeLoop.task("does not return", () -> {
            busy.countDown();
            await(() -> release.await(30, TimeUnit.SECONDS));
        }));
        await(() -> busy.await(30, TimeUnit.SECONDS));

        ioThread.close((text, stack) -> {
            log.add(text + ", " + List.of(stack.getStackTrace()));
            release.countDown();
        });

        assertThat(log).singleElement().asString().contains(Thread.currentThread().getName(),
                "5 s", "IoThread io", "thread of io", "IoThreadCloseTest");
        assertThat(ioThread.state()).isEqualTo(IoThread.State.ENDED);
    }
}
