package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
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
        AioContext asleep = new AioContext("foreign", LoopSeams.system());

        assertNoAllocation(() -> {
            context.defer(task);
            context.poll(0);
            context.post(task);
            context.poll(0);
            context.postOuter(task);
            context.poll(0);
            asleep.post(task);
            try (Lease lease = asleep.acquire()) {
                asleep.poll(0);
            }
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
    void shouldNotAllocateForItemsOfAPool() {
        AsyncLock lock = new AsyncLock("lock");
        WorkItem item = new WorkItem() {
            @Override
            protected void work() {
                runs[0]++;
            }

            @Override
            protected void run() {
                lock.release();
            }
        };
        long[] waited = new long[1];
        try (Workers pool = Workers.pool(Thread::new, 1, 1)) {
            acquired();
            Runnable round = () -> {
                lock.acquireOr(context, task);
                pool.submit(context, item);
                while (!context.poll(Long.MAX_VALUE)) {
                    waited[0]++;
                }
            };
            long bytes = allocatedBy(round, ROUNDS / 20, ROUNDS / 5);

            // What parking in the pool's lock needs, now and then; an item of 16 bytes or more
            // for each round would be ten times as much.
            assertThat(bytes / (ROUNDS / 5)).isLessThan(16);
        }
    }

    private AioContext acquired() {
        if (!context.isHome()) {
            context.acquire();
        }
        return context;
    }

    private void assertNoAllocation(Runnable round) {
        acquired();
        assertThat(allocatedBy(round, ROUNDS, ROUNDS)).isLessThan(TOLERATED_BYTES);
    }

    private long allocatedBy(Runnable round, int warmUp, int measured) {
        for (int i = 0; i < warmUp; i++) {
            round.run();
        }
        long self = Thread.currentThread().getId();
        long before = threads.getThreadAllocatedBytes(self);
        for (int i = 0; i < measured; i++) {
            round.run();
        }
        return threads.getThreadAllocatedBytes(self) - before;
    }
}
