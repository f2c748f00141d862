package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many threads a pool has, and what becomes of the work when that changes. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkerPoolTest {
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final List<Thread> made = new CopyOnWriteArrayList<>();
    private final ThreadFactory factory = run -> {
        Thread thread = new Thread(run, "worker " + made.size());
        thread.setDaemon(true);
        made.add(thread);
        return thread;
    };
    private final AtomicLong now = new AtomicLong();
    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final AioContext home = new AioContext("home", LoopSeams.system()
            .withErrors((context, site, cause) -> reports.add(site + ": " + cause)));
    private final List<String> log = new ArrayList<>();
    private Lease lease;

    @AfterEach
    void giveLeaseBack() {
        if (lease != null && home.isHome()) {
            lease.close();
        }
    }

    @Test
    @Rule("AIO-69")
    @Rule("AIO-70")
    void shouldMakeAThreadOnlyWhileAllAreBusyAndThereMayBeMore() {
        CountDownLatch go = new CountDownLatch(1);
        try (WorkerPool pool = pool(0, 3)) {
            assertThat(made).isEmpty();
            for (int i = 0; i < 5; i++) {
                pool.submit(home, new Item("a", () -> await(go)));
            }
            assertThat(made).hasSize(3);
            go.countDown();
            pollUntil(5);
        }

        assertThat(made).hasSize(3);
        assertThat(made.get(2).getName()).isEqualTo("worker 2");
    }

    @Test
    @Rule("AIO-69")
    void shouldStartTheMinimumAtOnce() {
        try (WorkerPool pool = pool(2, 4)) {
            assertThat(made).hasSize(2);
            assertThat(pool.threads()).isEqualTo(2);
            assertThat(pool.min()).isEqualTo(2);
            assertThat(pool.max()).isEqualTo(4);
        }
    }

    @Test
    @Rule("AIO-69")
    @Rule("IOT-2")
    @Rule("BUG-23")
    void shouldRefuseBoundsThatMakeNoSenseNamingBothAndChangingNothing() {
        int[][] bounds = {{-1, 2}, {0, 0}, {3, 2}, {-3, -2}};
        try (WorkerPool pool = pool(1, 2)) {
            for (int[] wrong : bounds) {
                assertThatThrownBy(() -> pool(wrong[0], wrong[1]))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining(wrong[0] + " to " + wrong[1]);
                assertThatThrownBy(() -> pool.resize(wrong[0], wrong[1]))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContainingAll(wrong[0] + " to " + wrong[1], "AIO-69");
            }

            assertThat(pool.min()).isEqualTo(1);
            assertThat(pool.max()).isEqualTo(2);
            assertThat(made).hasSize(1);
        }
    }

    @Test
    @Rule("AIO-70")
    void shouldEndAnIdleWorkerAboveTheMinimumAfterTenSecondsAndNotBefore() {
        try (WorkerPool pool = pool(1, 3)) {
            occupy(pool, 3);
            Spin.until(() -> pool.idleThreads() == 3, "three workers are idle");

            now.addAndGet(IDLE_NANOS - 1);
            pool.resize(1, 3);
            occupy(pool, 3);
            assertThat(made).hasSize(3);
            Spin.until(() -> pool.idleThreads() == 3, "three workers are idle");

            now.addAndGet(IDLE_NANOS);
            pool.resize(1, 3);
            Spin.until(() -> pool.threads() == 1, "one worker is left");

            occupy(pool, 1);
            assertThat(made).hasSize(3);
        }
        assertThat(made).noneMatch(Thread::isAlive);
    }

    @Test
    @Rule("AIO-70")
    void shouldServeItemsThatComeWhileTheLastWorkerEnds() {
        Clock hasty = () -> now.addAndGet(IDLE_NANOS);
        try (WorkerPool pool = new WorkerPool(factory, 0, 2, hasty)) {
            own();
            Item item = new Item("a", () -> { });
            for (int i = 1; i <= 2000; i++) {
                pool.submit(home, item);
                pollUntil(i);
            }
        }

        assertThat(log).hasSize(2000);
    }

    @Test
    @Rule("AIO-69")
    void shouldMakeMissingThreadsWhenTheMinimumIsRaised() {
        try (WorkerPool pool = pool(0, 4)) {
            pool.resize(3, 4);

            assertThat(made).hasSize(3);
        }
    }

    @Test
    @Rule("AIO-69")
    void shouldLetIdleWorkersGoWhenTheMinimumIsLowered() {
        try (WorkerPool pool = pool(3, 3)) {
            Spin.until(() -> pool.idleThreads() == 3, "three workers are idle");
            now.addAndGet(IDLE_NANOS);

            pool.resize(0, 3);

            Spin.until(() -> pool.threads() == 0, "no worker is left");
            occupy(pool, 1);
        }
        assertThat(made).hasSize(4);
    }

    @Test
    @Rule("AIO-69")
    @Rule("AIO-70")
    void shouldEndWorkersBeyondALoweredMaximumThoughThereIsWork() {
        CountDownLatch go = new CountDownLatch(1);
        Set<Thread> later = new HashSet<>();
        try (WorkerPool pool = pool(0, 3)) {
            for (int i = 0; i < 3; i++) {
                pool.submit(home, new Item("a", () -> await(go)));
            }
            for (int i = 0; i < 5; i++) {
                pool.submit(home, new Item("b", () -> later.add(Thread.currentThread())));
            }

            pool.resize(0, 1);
            go.countDown();
            pollUntil(8);

            assertThat(later).hasSize(1);
            Spin.until(() -> pool.threads() == 1, "one worker is left");
        }
    }

    @Test
    @Rule("AIO-69")
    void shouldMakeThreadsForWhatIsQueuedWhenTheMaximumIsRaised() {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (WorkerPool pool = pool(0, 1)) {
            pool.submit(home, new Item("a", () -> {
                begun.countDown();
                await(go);
            }));
            await(begun);
            pool.submit(home, new Item("b", () -> { }));
            pool.submit(home, new Item("c", () -> { }));
            assertThat(made).hasSize(1);

            pool.resize(0, 8);
            pollUntil(2);

            assertThat(made).hasSize(3);
            assertThat(log).containsExactlyInAnyOrder("b", "c");
            go.countDown();
            pollUntil(3);
        }
    }

    @Test
    @Rule("AIO-70")
    void shouldLoseNoItemWhileItsSizeChanges() {
        try (WorkerPool pool = pool(2, 2)) {
            Item a = new Item("a", () -> { });
            Item b = new Item("b", () -> { });
            for (int i = 2; i <= 2000; i += 2) {
                pool.resize(0, 1);
                pool.submit(home, a);
                pool.resize(2, 2);
                pool.submit(home, b);
                pollUntil(i);
            }
        }

        assertThat(log).hasSize(2000);
    }

    @Test
    void shouldSendWorkHomeWithTheFailureWhenItCannotMakeItsOnlyThread() {
        ThreadFactory none = run -> null;
        ThreadFactory exhausted = run -> new Thread(run) {
            @Override
            public synchronized void start() {
                throw new OutOfMemoryError("unable to create native thread");
            }
        };
        own();
        for (ThreadFactory broken : List.of(none, exhausted)) {
            log.clear();
            reports.clear();
            try (WorkerPool pool = new WorkerPool(broken, 0, 1, now::get)) {
                Item item = new Item("a", () -> log.add("worked"));
                pool.submit(home, item);
                assertThat(log).isEmpty();
                pollUntil(1);

                assertThat(log).containsExactly("a");
                assertThat(item.failure()).isNotNull();
                assertThat(item.isCancelled()).isFalse();
                assertThat(home.isIdle()).isTrue();
                assertThat(reports).hasSize(1).allMatch(r -> r.startsWith("a new worker thread"));
                assertThat(pool.threads()).isZero();
            }
        }
    }

    @Test
    void shouldSendHomeWhatOthersQueuedWhileTheOnlyThreadFailed() {
        own();
        WorkerPool[] pool = new WorkerPool[1];
        Item other = new Item("other", () -> log.add("worked"));
        ThreadFactory slow = run -> {
            pool[0].submit(home, other);
            return null;
        };
        pool[0] = new WorkerPool(slow, 0, 1, now::get);

        pool[0].submit(home, new Item("first", () -> log.add("worked")));
        pollUntil(2);

        assertThat(log).containsExactlyInAnyOrder("first", "other");
        assertThat(other.failure()).isNotNull();
        pool[0].close();
    }

    @Test
    void shouldGoOnWithTheThreadsItHasWhenItCannotMakeMore() {
        own();
        CountDownLatch go = new CountDownLatch(1);
        ThreadFactory onlyOne = run -> made.isEmpty() ? factory.newThread(run) : null;
        try (WorkerPool pool = new WorkerPool(onlyOne, 0, 2, now::get)) {
            pool.submit(home, new Item("a", () -> await(go)));
            pool.submit(home, new Item("b", () -> { }));
            go.countDown();
            pollUntil(2);
            assertThatThrownBy(() -> pool.resize(2, 2)).isInstanceOf(IllegalStateException.class);
            assertThat(pool.min()).isEqualTo(2);
            assertThat(pool.threads()).isEqualTo(1);
        }

        assertThat(reports).hasSize(1);
        assertThat(log).containsExactly("a", "b");
    }

    @Test
    @Rule("AIO-76")
    @Rule("BUG-24")
    @Rule("SPT-T01")
    void shouldEndTheThreadsItHasMadeWhenItCannotStartItsMinimum() {
        ThreadFactory onlyOne = run -> made.isEmpty() ? factory.newThread(run) : null;

        assertThatThrownBy(() -> new WorkerPool(onlyOne, 2, 2, now::get))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("no thread");

        assertThat(made).hasSize(1).noneMatch(Thread::isAlive);
    }

    @Test
    void shouldReplaceAWorkerThatTheErrorHandlerHasKilled() {
        Thread.UncaughtExceptionHandler silent = (thread, cause) -> reports.add("died");
        own();
        AioContext gone = new AioContext("gone", LoopSeams.system()
                .withErrors((context, site, cause) -> {
                    throw new StackOverflowError("on purpose");
                }));
        CountDownLatch go = new CountDownLatch(1);
        ThreadFactory mortal = run -> {
            Thread thread = factory.newThread(run);
            thread.setUncaughtExceptionHandler(silent);
            return thread;
        };
        try (WorkerPool pool = new WorkerPool(mortal, 0, 1, now::get)) {
            try (Lease theirs = gone.acquire()) {
                pool.submit(gone, new Item("lost", () -> await(go)));
                assertThatThrownBy(() -> gone.end("the end"))
                        .isInstanceOf(StackOverflowError.class);
            }
            pool.submit(home, new Item("queued behind it", () -> { }));
            go.countDown();
            pollUntil(1);
            Spin.until(() -> reports.size() == 1, "one report");
            assertThat(pool.threads()).isEqualTo(1);
        }

        assertThat(log).containsExactly("queued behind it");
        assertThat(reports).containsExactly("died");
    }

    @Test
    @Rule("AIO-74")
    void shouldRefuseNewBoundsOnceClosed() {
        WorkerPool pool = pool(1, 1);
        pool.close();

        assertThatThrownBy(() -> pool.resize(1, 2)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(pool.threads()).isZero();
    }

    @Test
    @Rule("POOL-T01")
    void poolT01ShouldDoTheWork() {
        AtomicInteger worked = new AtomicInteger();
        try (WorkerPool pool = pool(0, 64)) {
            pool.submit(home, new Item("a", worked::incrementAndGet));
            pollUntil(1);
        }

        assertThat(worked).hasValue(1);
    }

    @Test
    @Rule("POOL-T02")
    @Rule("AIO-71")
    void poolT02ShouldCallBackOnTheLoopsThreadAndNeverInsideSubmit() {
        int[] result = {-1};
        Thread[] calledBackOn = new Thread[1];
        try (WorkerPool pool = pool(1, 64)) {
            Item item = new Item("a", () -> result[0] = 7);
            item.then = () -> calledBackOn[0] = Thread.currentThread();
            pool.submit(home, item);
            assertThat(log).isEmpty();
            pollUntil(1);
        }

        assertThat(result[0]).isEqualTo(7);
        assertThat(calledBackOn[0]).isSameAs(Thread.currentThread());
    }

    @Test
    @Rule("POOL-T03")
    void poolT03ShouldDoManyItemsOnceEach() {
        AtomicInteger[] counts = new AtomicInteger[100];
        try (WorkerPool pool = pool(0, 64)) {
            for (int i = 0; i < counts.length; i++) {
                AtomicInteger count = new AtomicInteger();
                counts[i] = count;
                pool.submit(home, new Item("a", count::incrementAndGet));
            }
            pollUntil(counts.length);
        }

        assertThat(counts).allMatch(count -> count.get() == 1);
        assertThat(home.isIdle()).isTrue();
    }

    @Test
    @Rule("POOL-T04")
    @Rule("AIO-73")
    void poolT04ShouldCancelWhatHasNotBegunAndCallBackOnceForEach() {
        CountDownLatch begun = new CountDownLatch(4);
        CountDownLatch go = new CountDownLatch(1);
        List<Item> items = new ArrayList<>();
        List<Item> cancelled = new ArrayList<>();
        try (WorkerPool pool = pool(0, 4)) {
            for (int i = 0; i < 100; i++) {
                Item item = new Item("item", () -> {
                    begun.countDown();
                    await(go);
                });
                items.add(item);
                pool.submit(home, item);
            }
            await(begun);

            for (Item item : items) {
                if (pool.cancel(item)) {
                    cancelled.add(item);
                }
            }
            assertThat(log).isEmpty();
            go.countDown();
            pollUntil(100);
        }

        assertThat(cancelled).hasSize(96).allMatch(item -> item.isCancelled() && !item.worked);
        items.removeAll(cancelled);
        assertThat(items).hasSize(4).allMatch(item -> item.worked && !item.isCancelled());
        assertThat(log).hasSize(100);
        assertThat(home.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-72")
    @Rule("BUG-29")
    void shouldCompleteOtherItemsInANestedPollOfACompletion() {
        try (WorkerPool pool = pool(0, 1)) {
            Item nesting = new Item("nesting", () -> { });
            nesting.then = () -> {
                pool.submit(home, new Item("inner", () -> { }));
                pollUntil(2);
                log.add("nested poll over");
            };
            pool.submit(home, nesting);
            pollUntil(3);
        }

        assertThat(log).containsExactly("nesting", "inner", "nested poll over");
    }

    @Test
    @Rule("AIO-70")
    void shouldMeasureIdleTimeOnTheClockItIsGiven() {
        own();
        try (WorkerPool pool = Workers.pool(factory, 0, 1, now::get)) {
            occupy(pool, 1);
            Spin.until(() -> pool.idleThreads() == 1, "one worker is idle");

            now.addAndGet(IDLE_NANOS);
            pool.resize(0, 1);

            Spin.until(() -> pool.threads() == 0, "no worker is left");
        }
        assertThatThrownBy(() -> Workers.pool(factory, 0, 1,
                MachineClock.driven("guest", Clock.Kind.VIRTUAL)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("VIRTUAL");
    }

    @Test
    @Rule("AIO-74")
    void shouldAcceptAnItemThatTheLastWorkerDidWhileThePoolWasClosed() {
        WorkerPool pool = pool(1, 1);
        Item item = new Item("a", () -> { });

        boolean queued = pool.enqueue(home, item);
        pool.close();
        pool.findWorkerFor(home, item);

        assertThat(queued).isTrue();
        pollUntil(1);
        assertThat(item.worked).isTrue();
        assertThat(home.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-74")
    void shouldRefuseAnItemThatNobodyTakesAndGiveItBack() {
        WorkerPool pool = pool(1, 1);
        pool.close();
        Item item = new Item("a", () -> { });

        assertThat(pool.enqueue(home, item)).isTrue();
        assertThatThrownBy(() -> pool.findWorkerFor(home, item))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");

        assertThat(home.isIdle()).isTrue();
        try (WorkerPool other = pool(0, 1)) {
            other.submit(home, item);
            pollUntil(1);
        }
        assertThat(item.worked).isTrue();
    }

    private WorkerPool pool(int min, int max) {
        own();
        return new WorkerPool(factory, min, max, now::get);
    }

    /** The thread of the test owns the home context; tests with a time-out have their own. */
    private void own() {
        if (!home.isHome()) {
            lease = home.acquire();
        }
    }

    /** Has so many threads work at the same time, and waits for the end of that. */
    private void occupy(WorkerPool pool, int threads) {
        CountDownLatch together = new CountDownLatch(threads);
        int before = log.size();
        for (int i = 0; i < threads; i++) {
            pool.submit(home, new Item("occupied", () -> {
                together.countDown();
                await(together);
            }));
        }
        pollUntil(before + threads);
    }

    private void pollUntil(int runs) {
        long slice = TimeUnit.SECONDS.toNanos(1);
        Spin.until(() -> log.size() >= runs || (home.poll(slice) && log.size() >= runs),
                runs + " items have run");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private final class Item extends WorkItem {
        private final String name;
        private final Runnable work;
        private Runnable then = () -> { };
        private boolean worked;

        Item(String name, Runnable work) {
            this.name = name;
            this.work = work;
        }

        @Override
        protected void work() {
            worked = true;
            work.run();
        }

        @Override
        protected void run() {
            log.add(name);
            then.run();
        }

        @Override
        public String describe() {
            return name;
        }
    }
}
