package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BottomHalfTest {
    @Test
    @Rule("AIO-1")
    void shouldNotTouchTheLoopWhenCreated() {
        FakeLoop loop = new FakeLoop();
        new BottomHalf(loop.context, "half", () -> loop.log.add("run"));

        assertThat(loop.poll()).isFalse();
        assertThat(loop.context.isIdle()).isTrue();
    }

    @Test
    @Rule("AIO-2")
    @Rule("AIO-3")
    void shouldRunOnceHoweverOftenItWasScheduled() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        half.schedule();
        assertThat(half.isScheduled()).isTrue();

        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).containsExactly("run");
        assertThat(half.isScheduled()).isFalse();
    }

    @Test
    @Rule("AIO-3")
    @Rule("AIO-17")
    void shouldRunOnceMoreInTheNextSliceWhenItSchedulesItself() {
        FakeLoop loop = new FakeLoop();
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(loop.context, "half", () -> {
            loop.log.add("run");
            if (loop.log.size() < 3) {
                half[0].schedule();
                half[0].schedule();
            }
        });
        half[0].schedule();

        loop.poll();
        assertThat(loop.log).hasSize(1);
        loop.poll();
        assertThat(loop.log).hasSize(2);
        loop.poll();
        loop.poll();

        assertThat(loop.log).hasSize(3);
    }

    @Test
    @Rule("AIO-2")
    void shouldWakeTheLoopOnceWhenScheduledTwiceFromElsewhere() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        loop.parker.asleep = () -> {
            half.schedule();
            half.schedule();
        };

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.unparks).isEqualTo(1);
        assertThat(loop.log).containsExactly("run");
    }

    @Test
    @Rule("AIO-3")
    void shouldRunOnceWhenScheduledAtHomeAndFromElsewhere() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        elsewhere(half::schedule);

        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();
        elsewhere(half::schedule);
        half.schedule();
        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).containsExactly("run", "run");
    }

    @Test
    @Rule("AIO-3")
    void shouldServeAnAskFromElsewhereThatComesAfterTheRunWhileItsErrandIsQueued()
            {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        Task again = FakeLoop.task("again", () -> elsewhere(half::schedule));
        half.schedule();
        loop.context.defer(again);
        elsewhere(half::schedule);

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("run", "run");
        assertThat(half.isScheduled()).isFalse();
    }

    @Test
    @Rule("AIO-10")
    void shouldCancelFromElsewhereWhatWasAskedAtHome() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        elsewhere(half::cancel);

        assertThat(half.isScheduled()).isFalse();
        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-10")
    @Rule("AIO-20")
    void shouldNotReviveWhatWasCancelledFromElsewhereWhenACloseDropsIt() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        elsewhere(half::schedule);
        assertThatThrownBy(loop.context::close).hasMessageContaining("it still has task half (");
        half.schedule();
        elsewhere(half::cancel);
        loop.context.post(loop.logs("other"));

        assertThatThrownBy(loop.context::close).hasMessageContaining("it still has task other (");

        assertThat(half.isScheduled()).isFalse();
        loop.poll();
        assertThat(loop.log).containsExactly("other");
    }

    @Test
    @Rule("AIO-10")
    @Rule("IOT-6")
    void shouldNotReportAtTheEndWhatWasCancelledThoughWhoAsksMeanwhileIsRefused() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        elsewhere(half::cancel);
        loop.context.beGone("the end");
        loop.context.queues().seal();

        elsewhere(() -> assertThatIllegalStateException().isThrownBy(half::schedule));
        loop.context.remains().abandon("the end");

        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-10")
    void shouldRunWhatWasAskedAtHomeAfterACancelFromElsewhere() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        elsewhere(half::cancel);
        half.schedule();

        assertThat(half.isScheduled()).isTrue();
        assertThat(loop.poll()).isTrue();
        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).containsExactly("run");
    }

    @Test
    @Rule("AIO-10")
    void shouldCancelAtHomeWhatWasAskedFromElsewhere() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        elsewhere(half::schedule);
        half.cancel();

        assertThat(loop.poll()).isFalse();

        assertThat(loop.log).isEmpty();
        loop.context.close();
        assertThat(loop.errors).hasSize(1);
    }

    @Test
    @Rule("AIO-12")
    void shouldNeverStartAfterADeleteAtHomeThoughBothTasksAreQueued() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        elsewhere(half::schedule);
        CompletableFuture<?> gone = half.deleteAndAwait().toCompletableFuture();

        assertThat(loop.poll()).isFalse();

        assertThat(gone).isCompleted();
        assertThat(loop.log).isEmpty();
        loop.context.close();
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-10")
    @Rule("AIO-19")
    void shouldSkipACancelledRunAndCountNoProgress() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        half.cancel();

        assertThat(loop.poll()).isFalse();
        half.schedule();
        assertThat(loop.poll()).isTrue();

        assertThat(loop.log).containsExactly("run");
    }

    @Test
    @Rule("AIO-10")
    void shouldRunOnceWhenScheduledAgainBeforeTheCancelledTurn() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        half.cancel();
        half.schedule();

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("run");
    }

    @Test
    @Rule("AIO-12")
    void shouldNeverStartAfterADeleteAtHome() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();
        half.delete();
        half.delete();
        half.schedule();

        loop.poll();
        half.schedule();
        loop.poll();

        assertThat(loop.log).isEmpty();
        assertThat(half.isScheduled()).isFalse();
        loop.context.close();
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-12")
    @Rule("AIO-14")
    @Rule("BUG-14")
    void shouldAllowDeleteFromWithinItsOwnCallback() {
        FakeLoop loop = new FakeLoop();
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(loop.context, "half", () -> {
            loop.log.add("run");
            half[0].schedule();
            half[0].delete();
            throw new IllegalStateException("on purpose");
        });
        half[0].schedule();

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("run");
        assertThat(loop.errorSites).containsExactly("half");
    }

    @Test
    @Rule("AIO-13")
    void shouldAwaitTheEndOfARunningCallback() {
        FakeLoop loop = new FakeLoop();
        BottomHalf[] half = new BottomHalf[1];
        half[0] = new BottomHalf(loop.context, "half", () -> {
            CompletableFuture<?> gone = half[0].deleteAndAwait().toCompletableFuture();
            loop.poll();
            loop.log.add("done while running: " + gone.isDone());
        });
        half[0].schedule();

        loop.poll();

        assertThat(loop.log).containsExactly("done while running: false");
        assertThat(half[0].deleteAndAwait().toCompletableFuture()).isCompleted();
    }

    @Test
    @Rule("AIO-13")
    void shouldCompleteTheAwaitInTheNextTurnWhenNothingRuns() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("run"));
        half.schedule();

        CompletableFuture<?> gone = half.deleteAndAwait().toCompletableFuture();
        assertThat(gone).isNotDone();
        assertThat(half.deleteAndAwait()).isSameAs(gone);
        loop.poll();

        assertThat(gone).isCompleted();
        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-13")
    void shouldCompleteTheAwaitAtOnceWhenTheContextIsGone() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> { });
        loop.context.close();

        assertThat(half.deleteAndAwait().toCompletableFuture()).isCompleted();
        half.schedule();
    }

    @Test
    @Rule("AIO-18")
    void shouldNotRunTwiceWhenANestedPollRunsIt() {
        FakeLoop loop = new FakeLoop();
        BottomHalf half = new BottomHalf(loop.context, "half", () -> loop.log.add("half"));
        loop.context.defer(FakeLoop.task("nesting", loop::poll));
        half.schedule();

        loop.poll();
        loop.poll();

        assertThat(loop.log).containsExactly("half");
    }

    @Test
    void shouldSayThatTheLoopHasEnded() {
        FakeLoop loop = new FakeLoop();
        BottomHalf live = new BottomHalf(loop.context, "live", () -> { });
        BottomHalf deleted = new BottomHalf(loop.context, "deleted", () -> { });
        live.schedule();
        CompletableFuture<?> gone = deleted.deleteAndAwait().toCompletableFuture();

        loop.context.end("the end");

        assertThat(loop.errors).hasSize(1);
        assertThat(loop.errors.get(0)).hasMessage("the end; it still had task live");
        assertThat(gone).isCompleted();
        assertThat(live.deleteAndAwait().toCompletableFuture()).isCompleted();
        assertThatThrownBy(() -> loop.context.post(loop.logs("late")))
                .hasMessageStartingWith("the end; thread ");
    }

    @Test
    @Rule("AIO-3")
    @Rule("AIO-4")
    void shouldLoseNoScheduleOfManyThreads() throws Exception {
        int threads = 3;
        int rounds = 20_000;
        int[] written = new int[threads * 16];
        int[] seen = new int[threads * 16];
        AioContext context = new AioContext("main", LoopSeams.system());
        CountDownLatch finished = new CountDownLatch(threads);
        BottomHalf half = new BottomHalf(context, "half",
                () -> System.arraycopy(written, 0, seen, 0, seen.length));
        try (Lease lease = context.acquire()) {
            for (int t = 0; t < threads; t++) {
                int slot = t * 16;
                Thread thread = new Thread(() -> {
                    for (int i = 1; i <= rounds; i++) {
                        written[slot] = i;
                        half.schedule();
                    }
                    finished.countDown();
                    context.wake();
                });
                thread.setDaemon(true);
                thread.start();
            }
            while (finished.getCount() > 0) {
                context.poll(TimeUnit.SECONDS.toNanos(20));
            }
            while (half.isScheduled()) {
                context.poll(0);
            }
        }

        for (int t = 0; t < threads; t++) {
            assertThat(seen[t * 16]).isEqualTo(rounds);
        }
    }
}
