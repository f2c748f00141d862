package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Real IOThreads under load while control drains, moves and edits. */
class BackendLoadTest {
    private static final int DEPTH = 16;

    private final Queue<String> errors = new ConcurrentLinkedQueue<>();
    private final List<IoThread> threads = new ArrayList<>();
    private AioContext main;
    private Lease lease;
    private BlockGraph graph;
    private BlockNode base;
    private BlockBackend backend;

    @BeforeEach
    void build() {
        LoopSeams seams = LoopSeams.system().withErrors(
                (context, site, cause) -> errors.add(context.name() + ": " + site + ": " + cause));
        main = new AioContext("main", seams);
        lease = main.acquire();
        for (int i = 0; i < 2; i++) {
            threads.add(IoThread.start(
                    new IoThreadConfig("io" + i, r -> new Thread(r, "io"), seams, true)));
        }
        graph = new BlockGraph(main);
        base = graph.add("base", new MemoryDriver(1 << 20));
        BackendConfig config = BackendConfig.named("disk").withAllowContextChange(true);
        backend = BlockBackend.create(graph, config, base, threads.get(0).context());
    }

    @AfterEach
    void leave() {
        backend.close();
        graph.close();
        threads.forEach(IoThread::close);
        lease.close();
        assertThat(errors).isEmpty();
    }

    @Test
    @Rule("CTX-14")
    @Rule("BB-44")
    @Rule("BB-47")
    void shouldMoveUnderLoadForTwoSecondsAndCompleteEveryRequestOnce() throws Exception {
        List<VerifiedLoad> loads = startLoads();
        long moves = 0;
        long inFlightAtStart = 0;
        Reader reader = new Reader();
        try (reader) {
            reader.start();
            pollUntil(() -> reader.reads.get() > 0);
            List<AioContext> targets = contexts();

            for (long end = in(2_000); moves <= 10 || main.clock().nanoTime() < end; moves++) {
                inFlightAtStart += backend.gate().isSettled() ? 0 : 1;
                AioContext target = targets.get((int) (moves % targets.size()));
                backend.setContext(target);
                assertThat(backend.context()).isSameAs(target);
                assertThat(base.context()).isSameAs(target);
            }
            stop(loads);
        }

        assertThat(moves).isGreaterThan(10);
        assertThat(inFlightAtStart).isPositive();
        assertThat(backend.stats().contextChanges()).isGreaterThanOrEqualTo(moves - 1);
        assertThat(backend.stats().parked()).isPositive();
        assertThat(backend.stats().replayed()).isEqualTo(backend.stats().parked());
        assertThat(reader.reads.get()).isPositive();
        assertThat(reader.strange.get()).isZero();
    }

    @Test
    @Rule("DRAIN-12")
    @Rule("DRAIN-42")
    void shouldInsertAndRemoveAFilterUnderLoad() {
        List<VerifiedLoad> loads = startLoads();
        long forwarded = 0;
        int edits = 0;

        for (long end = in(1_000); edits <= 2 || main.clock().nanoTime() < end; edits++) {
            PassthroughDriver driver = new PassthroughDriver();
            graph.applyBlocking(graph.edit().insertFilter("filter", driver, base));
            BlockNode filter = graph.find("filter");
            assertThat(backend.root()).isSameAs(filter);
            pollUntil(() -> driver.requests() > 0);
            graph.applyBlocking(graph.edit().removeFilter(filter));
            long before = driver.requests();
            assertThat(backend.root()).isSameAs(base);
            forwarded += before;
        }
        stop(loads);

        assertThat(edits).isGreaterThan(2);
        assertThat(forwarded).isPositive();
        assertThat(graph.nodes()).containsExactly(base);
    }

    @Test
    @Rule("DRAIN-45")
    void shouldSurviveEveryOperationInRandomOrder() {
        long seed = main.clock().nanoTime();
        Random random = new Random(seed);
        List<VerifiedLoad> loads = startLoads();
        List<CompletableFuture<?>> pending = new ArrayList<>();

        for (long end = in(1_500); main.clock().nanoTime() < end; ) {
            operate(random, pending);
            main.poll(0);
        }
        pollUntil(() -> pending.stream().allMatch(CompletableFuture::isDone));
        stop(loads);

        assertThat(pending).as("seed %s", seed).noneMatch(
                CompletableFuture::isCompletedExceptionally);
        assertThat(base.isQuiesced()).as("seed %s", seed).isFalse();
        assertThat(backend.isQuiesced()).as("seed %s", seed).isFalse();
    }

    @Test
    @Rule("BB-45")
    @Rule("BB-46")
    void shouldKeepTheContextForWorkThatIsScheduledUnderAPin() throws Exception {
        AtomicLong moved = new AtomicLong();
        AtomicLong pinned = new AtomicLong();
        AtomicBoolean stop = new AtomicBoolean();
        Thread pinner = new Thread(() -> {
            while (!stop.get()) {
                Pin pin = backend.pin();
                if (pin == null) {
                    Thread.onSpinWait();
                    continue;
                }
                CompletableFuture<Void> ran = new CompletableFuture<>();
                pin.context().execute(() -> {
                    if (backend.context() != pin.context()) {
                        moved.incrementAndGet();
                    }
                    pinned.incrementAndGet();
                    pin.close();
                    ran.complete(null);
                });
                ran.orTimeout(60, TimeUnit.SECONDS).join();
            }
        }, "pinner");
        pinner.start();
        List<AioContext> targets = List.of(threads.get(0).context(), threads.get(1).context());

        int moves = 0;
        try {
            pollUntil(() -> pinned.get() > 0);
            for (long end = in(500); moves == 0 || main.clock().nanoTime() < end; moves++) {
                backend.setContext(targets.get(moves % 2));
            }
        } finally {
            stop.set(true);
            pinner.join();
        }

        assertThat(moves).isPositive();
        assertThat(pinned.get()).isPositive();
        assertThat(moved.get()).isZero();
    }

    private void operate(Random random, List<CompletableFuture<?>> pending) {
        BlockNode filter = graph.find("filter");
        AioContext target = contexts().get(random.nextInt(3));
        switch (random.nextInt(6)) {
            case 0 -> backend.setContext(target);
            case 1 -> DrainedSection.begin(base).close();
            case 2 -> {
                if (pending.stream().allMatch(CompletableFuture::isDone)) {
                    graph.applyBlocking(filter == null
                            ? graph.edit().insertFilter("filter", new PassthroughDriver(), base)
                            : graph.edit().removeFilter(filter));
                }
            }
            case 3 -> pending.add(backend.setContextAsync(target).toCompletableFuture());
            case 4 -> pending.add(DrainedSection.beginAsync(main, base)
                    .thenAccept(DrainedSection::close).toCompletableFuture());
            default -> {
                DrainedSection outer = DrainedSection.begin(backend);
                backend.setContext(target);
                outer.close();
            }
        }
    }

    private List<AioContext> contexts() {
        return List.of(threads.get(0).context(), threads.get(1).context(), main);
    }

    private List<VerifiedLoad> startLoads() {
        List<VerifiedLoad> loads = new ArrayList<>();
        for (AioContext context : contexts()) {
            loads.add(new VerifiedLoad(backend, context, loads.size() * DEPTH, DEPTH));
        }
        loads.forEach(VerifiedLoad::start);
        pollUntil(() -> loads.stream().allMatch(load -> load.completed() > 0));
        return loads;
    }

    private void stop(List<VerifiedLoad> loads) {
        loads.forEach(VerifiedLoad::stop);
        pollUntil(() -> loads.stream().allMatch(VerifiedLoad::isStopped));
        assertThat(loads.stream().flatMap(load -> load.faults().stream())).isEmpty();
        long completed = loads.stream().mapToLong(VerifiedLoad::completed).sum();
        assertThat(backend.stats().requests()).isEqualTo(completed);
    }

    private void pollUntil(BooleanSupplier done) {
        long deadline = in(60_000);
        while (!done.getAsBoolean()) {
            assertThat(main.clock().nanoTime()).as("gave up waiting").isLessThan(deadline);
            main.poll(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private long in(long millis) {
        return main.clock().nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** Reads contexts from a foreign thread all the time, and expects nothing but a known one. */
    private final class Reader implements AutoCloseable {
        private final AtomicLong reads = new AtomicLong();
        private final AtomicLong strange = new AtomicLong();
        private final AtomicBoolean stop = new AtomicBoolean();
        private final Thread thread = new Thread(this::read, "reader");

        void start() {
            thread.start();
        }

        @Override
        public void close() throws InterruptedException {
            stop.set(true);
            thread.join();
        }

        private void read() {
            List<AioContext> known = contexts();
            while (!stop.get()) {
                if (!known.contains(backend.context()) || !known.contains(base.context())) {
                    strange.incrementAndGet();
                }
                reads.incrementAndGet();
                Thread.onSpinWait();
            }
        }
    }
}
