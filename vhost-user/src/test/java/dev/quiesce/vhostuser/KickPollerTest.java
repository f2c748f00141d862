package dev.quiesce.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Parker;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How the poller's thread ends. */
class KickPollerTest {
    private final AtomicInteger deaf = new AtomicInteger();
    private final CompletableFuture<Thread> thread = new CompletableFuture<>();
    private final CompletableFuture<Throwable> uncaught = new CompletableFuture<>();

    @Test
    void shouldTellNobodyThatItIsDeafIfItIsClosed() throws Exception {
        List<String> before = KernelCounts.targets();
        try (Wire wire = Wire.ofPipe(); KickPoller poller = newPoller()) {
            poller.watch(0, Pollable.of(wire.readEnd()), new EventNotifier("kick"));
        }

        assertThat(deaf).hasValue(0);
        assertThat(uncaught).isNotDone();
        assertThat(pipesOpenedSince(before)).isEmpty();
    }

    static Stream<Throwable> failures() {
        return Stream.of(new IllegalStateException("says the test"),
                new OutOfMemoryError("says the test"));
    }

    /** A doorbell that fails when its loop has to be woken: there is no memory for that, say. */
    @ParameterizedTest
    @MethodSource("failures")
    void shouldSayOnceThatItIsDeafAndLeaveNothingOpenWhateverEndsItsThread(Throwable failure)
            throws Exception {
        List<String> before = KernelCounts.targets();
        try (LogLines log = new LogLines();
                SleepingLoop loop = new SleepingLoop(failure);
                Wire wire = Wire.ofPipe();
                Wire later = Wire.ofPipe();
                KickPoller poller = newPoller()) {
            poller.watch(0, Pollable.of(wire.readEnd()), loop.doorbell);
            poller.settle();
            loop.fallAsleep();

            wire.signal();
            thread.get().join(TimeUnit.SECONDS.toMillis(Host.LIMIT_SECONDS));

            assertThat(thread.get().isAlive()).isFalse();
            assertThat(deaf).hasValue(1);
            assertThat(log.take()).anySatisfy(
                    line -> assertThat(line).contains("test: no kicks are heard any more"));
            assertThat(uncaught.isDone()).isEqualTo(failure instanceof Error);
            poller.watch(0, Pollable.of(later.readEnd()), loop.doorbell);
            poller.forget(0);
            poller.settle();
        }

        assertThat(deaf).hasValue(1);
        assertThat(pipesOpenedSince(before)).isEmpty();
    }

    /** A selector has one, to be woken by; the JVM may open other things for the first time. */
    private static List<String> pipesOpenedSince(List<String> before) throws IOException {
        return KernelCounts.openedSince(before).stream()
                .filter(target -> target.startsWith("pipe:[")).toList();
    }

    private KickPoller newPoller() {
        return new KickPoller("test", 1, job -> {
            Thread made = Host.daemon(job);
            made.setUncaughtExceptionHandler((at, thrown) -> uncaught.complete(thrown));
            thread.complete(made);
            return made;
        }, deaf::incrementAndGet);
    }

    /** A loop on a thread of its own that sleeps once, and nobody can wake. */
    private static final class SleepingLoop implements Parker, AutoCloseable {
        final EventNotifier doorbell = new EventNotifier("kick");
        private final Throwable failure;
        private final AioContext context;
        private final CompletableFuture<Void> asleep = new CompletableFuture<>();
        private final CompletableFuture<Void> awake = new CompletableFuture<>();
        private @Nullable CompletableFuture<Void> turn;

        SleepingLoop(Throwable failure) {
            this.failure = failure;
            this.context = new AioContext("loop", LoopSeams.system().withParker(this));
            try (Lease lease = context.acquire()) {
                doorbell.attach(context, () -> { });
            }
        }

        void fallAsleep() throws Exception {
            doorbell.testAndClear();
            CompletableFuture<Void> begun = CompletableFuture.runAsync(() -> {
                try (Lease lease = context.acquire()) {
                    context.poll(0);
                    context.poll(Long.MAX_VALUE);
                }
            }, job -> Host.daemon(job).start());
            turn = begun;
            Host.await(asleep);
        }

        @Override
        public void park(AioContext sleeping, long maxNanos) {
            asleep.complete(null);
            awake.join();
        }

        @Override
        public void unpark(AioContext sleeping, @Nullable Thread owner) {
            SleepingLoop.<RuntimeException>raise(failure);
        }

        @SuppressWarnings("unchecked") // Which it is is nobody's business here.
        private static <T extends Throwable> void raise(Throwable failure) throws T {
            throw (T) failure;
        }

        @Override
        public void close() throws Exception {
            awake.complete(null);
            CompletableFuture<Void> begun = turn;
            if (begun != null) {
                Host.await(begun);
            }
        }
    }
}
