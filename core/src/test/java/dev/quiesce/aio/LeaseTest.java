package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaseTest {
    private final ExecutorService stranger =
            Executors.newSingleThreadExecutor(run -> new Thread(run, "stranger"));

    @AfterEach
    void stopStranger() throws InterruptedException {
        stranger.shutdown();
        assertThat(stranger.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    @Rule("AIO-62")
    void shouldMakeTheCallerHomeUntilTheLeaseIsClosed() {
        AioContext context = new AioContext("io", LoopSeams.system());
        assertThat(context.isHome()).isFalse();
        assertThat(context.hasOwner()).isFalse();

        Lease lease = context.acquire();
        assertThat(context.isHome()).isTrue();
        assertThat(context.owner()).isSameAs(Thread.currentThread());
        lease.close();

        assertThat(context.isHome()).isFalse();
        assertThat(context.owner()).isNull();
    }

    @Test
    @Rule("IOT-9")
    void shouldBeHomeInTheContextOfItsOwnIoThreadOnly() {
        ThreadFactory alike = run -> new Thread(run, Thread.currentThread().getName());
        try (IoThread one = IoThread.start(
                        new IoThreadConfig("one", alike, LoopSeams.system(), true));
                IoThread two = IoThread.start(
                        new IoThreadConfig("two", alike, LoopSeams.system(), true))) {
            assertThat(homes(one, two)).containsExactly(false, false);
            // Each is asked inside a callback of the other, which is awake, and home, meanwhile.
            assertThat(run(two, () -> run(one, () -> homes(one, two))))
                    .containsExactly(true, false);
            assertThat(run(one, () -> run(two, () -> homes(one, two))))
                    .containsExactly(false, true);
        }
    }

    private static <T> T run(IoThread there, Supplier<T> what) {
        return CompletableFuture.supplyAsync(what, there.context()).join();
    }

    /** In which of the two the caller is home. */
    private static List<Boolean> homes(IoThread one, IoThread two) {
        return List.of(one.context().isHome(), two.context().isHome());
    }

    @Test
    void shouldNestAndRefuseToBeClosedOutOfOrder() {
        AioContext context = new AioContext("io", LoopSeams.system());
        Lease outer = context.acquire();
        Lease inner = context.acquire();
        assertThatThrownBy(outer::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("io");

        inner.close();
        assertThat(context.isHome()).isTrue();
        assertThatThrownBy(inner::close).isInstanceOf(IllegalStateException.class);
        outer.close();

        assertThat(context.hasOwner()).isFalse();
        assertThatThrownBy(outer::close).isInstanceOf(IllegalStateException.class);
    }

    @Test
    @Rule("AIO-62")
    @Rule("AIO-75")
    void shouldNotGiveBackWithAClosedLeaseWhatWasAcquiredLater() {
        AioContext context = new AioContext("io", LoopSeams.system());
        Lease first = context.acquire();
        first.close();
        Lease outer = context.acquire();
        refusedAsClosed(first);
        Lease second = context.acquire();
        second.close();
        Lease inner = context.acquire();
        refusedAsClosed(second);
        refusedAsClosed(first);

        inner.close();
        assertThat(context.isHome()).isTrue();
        outer.close();
        assertThat(context.hasOwner()).isFalse();
    }

    private static void refusedAsClosed(Lease lease) {
        assertThatThrownBy(lease::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io", Thread.currentThread().getName(),
                        "already", "AIO-62");
    }

    @Test
    @Rule("AIO-75")
    void shouldGiveNoLeaseOfAClosedContextToItsOwnerEither() {
        AioContext context = new AioContext("io", LoopSeams.system());
        String me = Thread.currentThread().getName();
        Lease lease = context.acquire();
        context.close();

        assertThatThrownBy(context::acquire).isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io is closed", me, "AIO-75");
        assertThatThrownBy(() -> stranger.submit(context::acquire).get())
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("context io is closed", "stranger", "AIO-75");
        lease.close();
        assertThatThrownBy(context::acquire)
                .hasMessageContainingAll("context io is closed", me, "AIO-75");
        assertThat(context.hasOwner()).isFalse();
    }

    @Test
    void shouldNameBothThreadsWhenOwnedElsewhere() {
        AioContext context = new AioContext("io", LoopSeams.system());
        try (Lease lease = context.acquire()) {
            String owner = Thread.currentThread().getName();

            assertThatThrownBy(() -> stranger.submit(context::acquire).get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("io", owner, "stranger");
        }
    }

    @Test
    @Rule("AIO-39")
    @Rule("BUG-17")
    @Rule("BUG-18")
    void shouldNameContextOwnerAndCallerWhenPolledFromElsewhere() {
        AioContext context = new AioContext("io", LoopSeams.system());
        assertThatThrownBy(() -> context.poll(0)).isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("io", "nobody", Thread.currentThread().getName());
        try (Lease lease = context.acquire()) {
            String owner = Thread.currentThread().getName();
            context.wake();

            assertThatThrownBy(() -> stranger.submit(() -> context.poll(0)).get())
                    .hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContainingAll("io", owner, "stranger");

            assertThat(context.sleep().isNotified()).as("still to be looked at").isTrue();
        }
    }

    @Test
    void shouldCheckEveryHomeMethod() {
        FakeLoop loop = new FakeLoop();
        loop.close();
        AioContext context = loop.context;

        assertThatThrownBy(() -> context.defer(loop.logs("t"))).hasMessageContaining("nobody");
        assertThatThrownBy(() -> context.deferCall(loop.logsCall("c")))
                .hasMessageContaining("nobody");
        assertThatThrownBy(() -> context.deferSettle(loop.logsCall("c")))
                .hasMessageContaining("nobody");
        assertThatThrownBy(() -> context.whenDone(() -> true, loop.logs("t")))
                .hasMessageContaining("nobody");
        assertThatThrownBy(context::isPolling).hasMessageContaining("nobody");
        assertThatThrownBy(context::pollDepth).hasMessageContaining("nobody");
        assertThatThrownBy(context::isIdle).hasMessageContaining("nobody");
        assertThatThrownBy(context::hasRunnable).hasMessageContaining("nobody");
        assertThatThrownBy(context::checkHome).hasMessageContaining("nobody");
        assertThatThrownBy(context::close).hasMessageContaining("nobody");
    }

    @Test
    @Rule("SPT-T15")
    void shouldRefuseToGiveAwayTheContextInTheMiddleOfATurn() {
        FakeLoop loop = new FakeLoop();
        loop.context.defer(FakeLoop.task("closer", loop::close));

        loop.poll();

        assertThat(loop.errors).hasSize(1);
        assertThat(loop.errors.get(0)).hasMessageContaining("turn");
        assertThat(loop.context.isHome()).isTrue();
    }

    @Test
    void shouldShowTheNextOwnerWhatTheLastOneDid() throws Exception {
        AioContext context = new AioContext("io", LoopSeams.system());
        int[] plain = new int[1];
        for (int round = 0; round < 200; round++) {
            try (Lease lease = context.acquire()) {
                plain[0]++;
                context.defer(FakeLoop.task("add", () -> plain[0]++));
            }
            stranger.submit(() -> {
                try (Lease lease = context.acquire()) {
                    context.poll(0);
                }
            }).get();
        }

        assertThat(plain[0]).isEqualTo(400);
    }
}
