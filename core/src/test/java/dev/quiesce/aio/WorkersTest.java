package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WorkersTest {
    private final List<Thread> made = new CopyOnWriteArrayList<>();
    private final ThreadFactory factory = run -> {
        Thread thread = new Thread(run, "worker " + made.size());
        made.add(thread);
        return thread;
    };
    private final List<String> reports = new CopyOnWriteArrayList<>();
    private final AioContext home = new AioContext("home", LoopSeams.system()
            .withErrors((context, site, cause) -> reports.add(site + ": " + cause)));
    private final List<String> log = new ArrayList<>();
    private final Lease lease = home.acquire();

    @AfterEach
    void giveLeaseBack() {
        lease.close();
    }

    @Test
    @Rule("AIO-71")
    @Rule("BUG-30")
    void shouldComeHomeWithTheWholeResult() {
        int[] result = new int[1_000];
        CountDownLatch half = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (Workers pool = Workers.pool(factory, 0, 1)) {
            pool.submit(home, new Item("a", () -> {
                Arrays.fill(result, 0, 500, 7);
                half.countDown();
                await(go);
                Arrays.fill(result, 500, 1_000, 7);
            }));
            await(half);
            for (int turn = 0; turn < 10; turn++) {
                home.poll(0);
            }
            boolean early = !log.isEmpty();
            go.countDown();
            assertThat(early).as("home though only half of it is done").isFalse();
            pollUntil(1);
        }

        assertThat(result).containsOnly(7);
    }

    @Test
    @Rule("AIO-71")
    void shouldWorkElsewhereAndComeHome() {
        Thread[] workedOn = new Thread[1];
        try (Workers pool = Workers.pool(factory, 0, 2)) {
            Item item = new Item("a", () -> workedOn[0] = Thread.currentThread());
            pool.submit(home, item);
            pollUntil(1);
        }

        assertThat(workedOn[0]).isSameAs(made.get(0));
        assertThat(log).containsExactly("a");
        assertThat(home.isIdle()).isTrue();
    }

    @Test
    void shouldDoInlineWorkInTheNextTurnNotInsideSubmit() {
        Workers inline = Workers.inline();
        Item item = new Item("a", () -> log.add("work"));
        inline.submit(home, item);
        assertThat(log).isEmpty();
        assertThat(home.hasRunnable()).isTrue();

        home.poll(0);

        assertThat(log).containsExactly("work", "a");
    }

    @Test
    void shouldDoInlineWorkSubmittedByASliceInTheNextOne() {
        Workers inline = Workers.inline();
        Item item = new Item("a", () -> log.add("work"));
        home.execute(() -> inline.submit(home, item));

        home.poll(0);
        assertThat(log).isEmpty();
        home.poll(0);

        assertThat(log).containsExactly("work", "a");
        inline.close();
    }

    @Test
    void shouldHandTheFailureOfTheWorkToRun() {
        for (Workers workers : List.of(Workers.inline(), Workers.pool(factory, 0, 1))) {
            RuntimeException cause = new RuntimeException("on purpose");
            Item item = new Item("a", () -> {
                throw cause;
            });
            log.clear();

            workers.submit(home, item);
            pollUntil(1);

            assertThat(item.failure()).isSameAs(cause);
            assertThat(item.isCancelled()).isFalse();
            item.work = () -> { };
            workers.submit(home, item);
            pollUntil(2);
            assertThat(item.failure()).isNull();
            workers.close();
        }
        assertThat(reports).isEmpty();
    }

    @Test
    @Rule("AIO-70")
    void shouldBeginItemsFirstInFirstOut() {
        List<Integer> begun = new CopyOnWriteArrayList<>();
        try (Workers pool = Workers.pool(factory, 1, 1)) {
            for (int i = 0; i < 100; i++) {
                int number = i;
                pool.submit(home, new Item("a", () -> begun.add(number)));
            }
            pollUntil(100);
        }

        assertThat(begun).isSorted().hasSize(100);
    }

    @Test
    @Rule("AIO-73")
    void shouldCancelWhatHasNotBegunAndStillRunIt() {
        CountDownLatch go = new CountDownLatch(1);
        try (Workers pool = Workers.pool(factory, 0, 1)) {
            CountDownLatch begun = new CountDownLatch(1);
            Item running = new Item("running", () -> {
                begun.countDown();
                await(go);
            });
            Item queued = new Item("queued", () -> log.add("worked"));
            pool.submit(home, running);
            await(begun);
            pool.submit(home, queued);

            assertThat(pool.cancel(queued)).isTrue();
            assertThat(pool.cancel(queued)).isFalse();
            assertThat(pool.cancel(running)).isFalse();
            pollUntil(1);
            assertThat(log).containsExactly("queued");
            assertThat(queued.isCancelled()).isTrue();
            go.countDown();
            pollUntil(2);
        }

        assertThat(log).containsExactly("queued", "running");
        assertThat(home.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-73")
    void shouldWorkOnceOnAnItemThatIsSubmittedAgainAfterItsCancellation() {
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger worked = new AtomicInteger();
        try (Workers pool = Workers.pool(factory, 0, 1)) {
            Item blocker = new Item("blocker", () -> await(go));
            Item item = new Item("item", worked::incrementAndGet);
            pool.submit(home, blocker);
            for (int i = 1; i <= 10; i++) {
                pool.submit(home, item);
                assertThat(pool.cancel(item)).isTrue();
                pollUntil(i);
            }
            pool.submit(home, item);
            go.countDown();
            pollUntil(12);
        }

        assertThat(worked).hasValue(1);
        assertThat(item(log, "item")).isEqualTo(11);
    }

    @Test
    @Rule("AIO-73")
    void shouldCancelInlineWork() {
        Workers inline = Workers.inline();
        Item item = new Item("a", () -> log.add("worked"));
        inline.submit(home, item);

        assertThat(inline.cancel(item)).isTrue();
        home.poll(0);

        assertThat(log).containsExactly("a");
        assertThat(item.isCancelled()).isTrue();
        assertThat(inline.cancel(item)).isFalse();
        inline.submit(home, item);
        home.poll(0);
        assertThat(log).containsExactly("a", "worked", "a");
    }

    @Test
    void shouldRefuseAnItemThatIsInUse() {
        Workers inline = Workers.inline();
        Item item = new Item("a", () -> { });
        assertThat(inline.cancel(item)).isFalse();
        inline.submit(home, item);

        assertThatThrownBy(() -> inline.submit(home, item))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("a");
        home.poll(0);
    }

    @Test
    void shouldAllowAnItemToBeSubmittedAgainFromItsRun() {
        try (Workers pool = Workers.pool(factory, 1, 1)) {
            Item[] item = new Item[1];
            item[0] = new Item("a", () -> { }) {
                @Override
                protected void run() {
                    super.run();
                    if (log.size() < 50) {
                        pool.submit(home, item[0]);
                    }
                }
            };
            pool.submit(home, item[0]);
            pollUntil(50);
        }

        assertThat(log).hasSize(50);
    }

    @Test
    @Rule("AIO-74")
    void shouldFinishWhatItHasBeforeItCloses() {
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger worked = new AtomicInteger();
        Workers pool = Workers.pool(factory, 0, 1);
        for (int i = 0; i < 10; i++) {
            pool.submit(home, new Item("a", () -> {
                await(go);
                worked.incrementAndGet();
            }));
        }
        go.countDown();

        pool.close();
        pool.close();

        assertThat(worked).hasValue(10);
        pollUntil(10);
        assertThatThrownBy(() -> pool.submit(home, new Item("late", () -> { })))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThat(home.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-74")
    void shouldNotReturnFromCloseWhileAWorkerIsBusy() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Workers pool = Workers.pool(factory, 0, 1);
        pool.submit(home, new Item("a", () -> {
            begun.countDown();
            await(go);
        }));
        // From here on the worker holds no lock that the closer could be waiting for instead.
        await(begun);

        Thread closer = new Thread(pool::close, "closer");
        closer.start();
        while (closer.getState() != Thread.State.WAITING && closer.isAlive()) {
            closer.join(1);
        }
        boolean waits = closer.isAlive();
        go.countDown();
        closer.join();

        assertThat(waits).isTrue();
        pollUntil(1);
    }

    @Test
    void shouldRefuseToBeClosedByItsOwnWorker() {
        try (Workers pool = Workers.pool(factory, 1, 1)) {
            Item item = new Item("closer", pool::close);
            pool.submit(home, item);
            pollUntil(1);

            assertThat(item.failure()).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("worker 0");
        }
    }

    @Test
    void shouldHideFromWorkAnInterruptThatItDidNotCause() {
        boolean[] interrupted = new boolean[1];
        try (Workers pool = Workers.pool(factory, 1, 1)) {
            made.get(0).interrupt();
            pool.submit(home, new Item("a", () -> Thread.currentThread().interrupt()));
            pollUntil(1);
            made.get(0).interrupt();
            pool.submit(home, new Item("b",
                    () -> interrupted[0] = Thread.currentThread().isInterrupted()));
            pollUntil(2);
        }

        assertThat(interrupted[0]).isFalse();
    }

    @Test
    @Rule("AIO-70")
    void shouldBeUsedByTheHomeContextOnly() {
        AioContext other = new AioContext("other", LoopSeams.system());
        try (Workers pool = Workers.pool(factory, 0, 1)) {
            for (Workers workers : List.of(pool, Workers.inline())) {
                assertThatThrownBy(() -> workers.submit(other, new Item("a", () -> { })))
                        .isInstanceOf(IllegalStateException.class).hasMessageContaining("other");
            }
        }
    }

    @Test
    void shouldReportAResultWhoseHomeIsGone() throws InterruptedException {
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch submitted = new CountDownLatch(1);
        Workers pool = Workers.pool(factory, 0, 1);
        IoThread ioThread = IoThread.start(
                new IoThreadConfig("io", Thread::new, home.seams().withWorkers(pool), false));
        ioThread.context().execute(() -> {
            pool.submit(ioThread.context(), new Item("lost", () -> await(go)));
            submitted.countDown();
        });
        submitted.await();
        ioThread.close();
        go.countDown();
        pool.close();

        assertThat(reports).anyMatch(r -> r.contains("1 items at work"))
                .anyMatch(r -> r.startsWith("lost: ") && r.contains("ended"));
    }

    private void pollUntil(int runs) {
        long deadlineNanos = home.clock().nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (log.size() < runs) {
            assertThat(home.clock().nanoTime()).as("time").isLessThan(deadlineNanos);
            home.poll(TimeUnit.SECONDS.toNanos(10));
        }
    }

    private static long item(List<String> log, String name) {
        return log.stream().filter(name::equals).count();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private class Item extends WorkItem {
        private final String name;
        private Runnable work;

        Item(String name, Runnable work) {
            this.name = name;
            this.work = work;
        }

        @Override
        protected void work() {
            work.run();
        }

        @Override
        protected void run() {
            log.add(name);
        }

        @Override
        public String describe() {
            return name;
        }
    }
}
