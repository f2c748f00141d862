package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.driver.Allocation;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Nothing that a request needs from its loop allocates once it is warm. */
class AllocationTest {
    private static final int ROUNDS = 100_000;
    private static final long TOLERATED_BYTES = 4096;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final AioContext context = new AioContext("main", LoopSeams.system());
    private final long[] runs = new long[1];
    private final Task task = FakeLoop.task("task", () -> runs[0]++);

    @Test
    void shouldNotAllocateForDeferredAndPostedTasks() {
        AioContext asleep = new AioContext("foreign", disturbedBy(parked -> parked.post(task)));
        asleep.acquire();

        assertNoAllocation(() -> {
            context.defer(task);
            context.poll(0);
            context.post(task);
            context.poll(0);
            context.postOuter(task);
            context.poll(0);
            asleep.poll(Long.MAX_VALUE);
        });

        assertThat(runs[0]).isEqualTo(8L * ROUNDS);
    }

    @Test
    void shouldNotAllocateForTheEpilogue() {
        DeferredCall publish = FakeLoop.call("publish", () -> runs[0]++);
        DeferredCall settle = FakeLoop.call("settle", () -> runs[0]++);

        assertNoAllocation(() -> {
            context.deferCall(publish);
            context.deferSettle(settle);
            context.poll(Long.MAX_VALUE);
        });

        assertThat(runs[0]).isEqualTo(4L * ROUNDS);
    }

    @Test
    void shouldNotAllocateForBottomHalvesNotifiersAndTimers() {
        BottomHalf half = new BottomHalf(context, "half", () -> runs[0]++);
        EventNotifier notifier = new EventNotifier("notifier");
        LoopTimer timer = new LoopTimer(context, "timer", () -> runs[0]++);
        notifier.attach(acquired(), () -> runs[0]++);

        assertNoAllocation(() -> {
            half.schedule();
            notifier.set();
            timer.armAt(Long.MIN_VALUE);
            context.poll(Long.MAX_VALUE);
        });

        assertThat(runs[0]).isEqualTo(6L * ROUNDS);
    }

    @Test
    void shouldNotAllocateForIdleBottomHalvesAndTimersOfOtherClocks() {
        MachineClock clock = MachineClock.driven("machine", Clock.Kind.VIRTUAL);
        LoopTimer timer = new LoopTimer(context, clock, "timer", () -> runs[0]++);
        BottomHalf half = new BottomHalf(context, "half", () -> runs[0]++);
        clock.start();

        assertNoAllocation(() -> {
            half.scheduleIdle();
            timer.anticipate(0);
            context.poll(0);
        });

        assertThat(runs[0]).isEqualTo(4L * ROUNDS);
    }

    @Test
    void shouldNotAllocateForPollingAndSleeping() {
        boolean[] ready = new boolean[1];
        EventNotifier notifier = new EventNotifier("notifier");
        AioContext polling = new AioContext("polling", disturbedBy(parked -> notifier.set()));
        polling.acquire();
        notifier.attach(polling, () -> {
            ready[0] = false;
            runs[0]++;
        }, () -> ready[0]);
        polling.setPolling(new PollParameters(20_000, 0, 2));

        Allocation.assertNone(() -> {
            polling.poll(Long.MAX_VALUE);
            ready[0] = true;
            polling.poll(Long.MAX_VALUE);
        });

        assertThat(runs[0]).isPositive();
        assertThat(polling.sleep().poller().misses()).isPositive();
        assertThat(polling.sleep().poller().hits()).isPositive();
    }

    @Test
    void shouldNotAllocateForAnItemOfWork() {
        WorkItem item = new Item();

        assertNoAllocation(() -> {
            item.submitted(context);
            item.perform();
            context.poll(0);
        });

        assertThat(runs[0]).isEqualTo(4L * ROUNDS);
    }

    @Test
    void shouldNotAllocateForSubmittingToABusyPool() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        WorkItem blocker = new WorkItem() {
            @Override
            protected void work() {
                begun.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }

            @Override
            protected void run() {
                runs[0] = 0;
            }
        };
        WorkItem[] items = new WorkItem[100];
        Arrays.setAll(items, i -> new Item());
        Workers pool = Workers.pool(Thread::new, 1, 1);
        pool.submit(acquired(), blocker);
        begun.await();

        assertNoAllocation(() -> {
            WorkItem item = items[(int) (runs[0] % items.length)];
            pool.submit(context, item);
            pool.cancel(item);
            context.poll(0);
        });

        assertThat(runs[0]).isEqualTo(2L * ROUNDS);
        go.countDown();
        pool.close();
    }

    /** Seams of a loop that never really sleeps: something happens, as if done elsewhere. */
    private static LoopSeams disturbedBy(Consumer<AioContext> event) {
        return LoopSeams.system().withParker(new Parker() {
            @Override
            public void park(AioContext parked, long maxNanos) {
                event.accept(parked);
            }

            @Override
            public void unpark(AioContext parked, @Nullable Thread owner) {
                // It is about to return.
            }
        });
    }

    private AioContext acquired() {
        if (!context.isHome()) {
            context.acquire();
        }
        return context;
    }

    private void assertNoAllocation(Runnable round) {
        acquired();
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }
        long self = Thread.currentThread().getId();
        long before = threads.getThreadAllocatedBytes(self);
        for (int i = 0; i < ROUNDS; i++) {
            round.run();
        }

        assertThat(threads.getThreadAllocatedBytes(self) - before).isLessThan(TOLERATED_BYTES);
    }

    private final class Item extends WorkItem {
        @Override
        protected void work() {
            runs[0]++;
        }

        @Override
        protected void run() {
            runs[0]++;
        }
    }
}
