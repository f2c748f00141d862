package dev.quiesce.aio;

import static dev.quiesce.aio.FakeLoop.elsewhere;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory runs out where a context needs some: nothing that was accepted is lost. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MemoryShortageTest {
    private final FakeLoop loop = new FakeLoop("unused");
    private final ScarceInbox inbox = new ScarceInbox();
    private final AioContext context = new AioContext("scarce", loop.seams(), inbox);
    private final BottomHalf half =
            new BottomHalf(context, "half", () -> loop.log.add("half"));

    @Test
    void shouldBelongToNobodyIfThereIsNoMemoryToTakeWhatWasPosted() {
        context.post(loop.logs("posted"));
        inbox.failsNextTake = true;

        assertThatThrownBy(context::acquire).isInstanceOf(OutOfMemoryError.class);

        assertThat(context.hasOwner()).isFalse();
        assertThat(context.isHome()).isFalse();
        elsewhere(this::takeTurn);
        assertThat(loop.log).containsExactly("posted");
    }

    @Test
    @Rule("AIO-2")
    void shouldRunABottomHalfThatCouldNotBeQueuedWhenItWasAskedFor() {
        inbox.failsNextOffer = true;

        half.schedule();
        takeTurn();
        half.schedule();
        takeTurn();

        assertThat(loop.log).containsExactly("half", "half");
    }

    @Test
    @Rule("AIO-3")
    void shouldNotLoseTheAskThatCountedOnOneThatFoundNoMemory() {
        inbox.failsNextOffer = true;
        inbox.beforeFailure = half::schedule;

        half.schedule();
        takeTurn();

        assertThat(loop.log).containsExactly("half");
        assertThat(half.isScheduled()).isFalse();
    }

    @Test
    @Rule("AIO-13")
    void shouldReclaimABottomHalfWhoseDeletionCouldNotBeQueued() {
        inbox.failsNextOffer = true;

        CompletionStage<@Nullable Void> gone = half.deleteAndAwait();
        assertThat(gone.toCompletableFuture()).isNotDone();
        takeTurn();

        assertThat(gone.toCompletableFuture()).isCompleted();
        assertThat(context.remains().registry()).isEmpty();
    }

    @Test
    @Rule("AIO-13")
    void shouldReclaimABottomHalfThatIsDeletedWhileAnAskFindsNoMemory() {
        inbox.failsNextOffer = true;
        CompletableFuture<CompletionStage<@Nullable Void>> gone = new CompletableFuture<>();
        inbox.beforeFailure = () -> gone.complete(half.deleteAndAwait());

        half.schedule();
        takeTurn();

        assertThat(gone.join().toCompletableFuture()).isCompleted();
        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-13")
    void shouldReclaimABottomHalfThatIsScheduledAfterItsDeletionFoundNoMemory() {
        inbox.failsNextOffer = true;

        CompletionStage<@Nullable Void> gone = half.deleteAndAwait();
        half.schedule();
        takeTurn();

        assertThat(gone.toCompletableFuture()).isCompleted();
        assertThat(loop.log).isEmpty();
    }

    @Test
    @Rule("AIO-13")
    void shouldReclaimABottomHalfThatIsDeletedAgainAfterItsDeletionFoundNoMemory() {
        inbox.failsNextOffer = true;

        half.delete();
        CompletionStage<@Nullable Void> gone = half.deleteAndAwait();
        takeTurn();

        assertThat(gone.toCompletableFuture()).isCompleted();
    }

    @Test
    @Rule("AIO-13")
    void shouldReclaimABottomHalfIfTheLoopEndsWhileItsDeletionFindsNoMemory() {
        inbox.failsNextOffer = true;
        inbox.beforeFailure = () -> elsewhere(this::endLoop);

        assertThat(half.deleteAndAwait().toCompletableFuture()).isCompleted();

        assertThat(context.remains().registry()).isEmpty();
    }

    @Test
    @Rule("IOT-7")
    void shouldRefuseAnAskIfTheLoopEndsWhileItFindsNoMemory() {
        inbox.failsNextOffer = true;
        inbox.beforeFailure = () -> elsewhere(this::endLoop);

        assertThatIllegalStateException().isThrownBy(half::schedule).withMessageContaining("ended");
    }

    @Test
    @Rule("AIO-20")
    void shouldNotCloseOverABottomHalfThatCouldNotBeQueued() {
        inbox.failsNextOffer = true;
        half.schedule();

        try (Lease lease = context.acquire()) {
            assertThatIllegalStateException().isThrownBy(context::close)
                    .withMessageContaining("task half");
            context.poll(0);
            half.delete();
            context.close();
        }
        assertThat(loop.log).containsExactly("half");
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-20")
    void shouldNotCloseOverABottomHalfThatFindsNoMemoryAtTheLastMoment() {
        inbox.onceSealed = () -> elsewhere(() -> {
            inbox.failsNextOffer = true;
            half.schedule();
        });

        try (Lease lease = context.acquire()) {
            assertThatIllegalStateException().isThrownBy(context::close)
                    .withMessageContaining("task half");
            context.poll(0);
            half.delete();
            context.close();
        }
        assertThat(loop.log).containsExactly("half");
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-20")
    @Rule("AIO-24")
    void shouldLoseNothingThatIsRefusedByACloseThatIsItselfRefused() {
        EventNotifier event = new EventNotifier("event");
        BottomHalf deleted = new BottomHalf(context, "deleted", () -> { });
        CompletableFuture<CompletionStage<@Nullable Void>> gone = new CompletableFuture<>();
        inbox.onceSealed = () -> elsewhere(() -> {
            event.set();
            half.schedule();
            gone.complete(deleted.deleteAndAwait());
        });

        try (Lease lease = context.acquire()) {
            event.attach(context, () -> loop.log.add("event"));
            assertThatIllegalStateException().isThrownBy(context::close)
                    .withMessageContaining("task half").withMessageContaining("task event");
            context.poll(0);
            event.detach();
            half.delete();
            context.close();
        }
        assertThat(loop.log).containsExactlyInAnyOrder("half", "event");
        assertThat(gone.join().toCompletableFuture()).isCompleted();
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-20")
    void shouldCloseThoughADeletionFindsNoMemoryAtTheLastMoment() {
        CompletableFuture<CompletionStage<@Nullable Void>> gone = new CompletableFuture<>();
        inbox.onceSealed = () -> elsewhere(() -> {
            inbox.failsNextOffer = true;
            gone.complete(half.deleteAndAwait());
        });

        try (Lease lease = context.acquire()) {
            context.close();
        }

        assertThat(gone.join().toCompletableFuture()).isCompleted();
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-71")
    void shouldBringHomeOnceAnItemForWhichTheLoopCannotBeWoken() {
        Item item = new Item();
        EventNotifier event = new EventNotifier("event");
        try (Lease lease = context.acquire()) {
            item.submitted(context);
            event.attach(context, () -> loop.log.add("event"));
        }

        failsToWake(item::perform);
        failsToWake(event::set);
        failsToWake(half::schedule);
        takeTurn();
        takeTurn();

        assertThat(item.runs).isEqualTo(1);
        assertThat(loop.log).containsExactly("event", "half");
    }

    /** Does something that wakes the loop, for which there is no memory. */
    private void failsToWake(ThrowingCallable what) {
        loop.parker.whileUnparking = () -> {
            throw new OutOfMemoryError("no room to wake");
        };
        context.notify.arm();
        assertThatThrownBy(what).hasMessage("no room to wake");
        context.notify.disarm();
        loop.parker.whileUnparking = () -> { };
    }

    @Test
    @Rule("IOT-6")
    void shouldReportABottomHalfThatCouldNotBeQueuedWhenItsLoopEnds() {
        inbox.failsNextOffer = true;
        half.schedule();

        endLoop();

        assertThat(loop.errors).anySatisfy(
                error -> assertThat(error).hasMessageContaining("still had task half"));
    }

    @Test
    @Rule("AIO-20")
    void shouldKeepAllTasksThatACloseFindsNoMemoryToName() {
        try (Lease lease = context.acquire()) {
            context.post(loop.logs("first"));
            context.post(nameless("second"));
            context.post(loop.logs("third"));

            assertThatThrownBy(context::close).hasMessage("no room for a name");
            context.poll(0);
            half.delete();
            context.close();
        }
        assertThat(loop.log).containsExactly("first", "second", "third");
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("IOT-6")
    void shouldFreeAllTasksThatAnEndFindsNoMemoryToName() {
        Task first = loop.logs("first");
        Task second = nameless("second");
        Task third = loop.logs("third");
        context.postAll(new Task[] {first, second, third}, 3);
        CompletionStage<@Nullable Void> gone = half.deleteAndAwait();

        assertThatThrownBy(this::endLoop).hasMessage("no room for a name");

        assertThat(gone.toCompletableFuture()).isCompleted();
        AioContext other = new AioContext("other", loop.seams());
        other.postAll(new Task[] {first, second, third}, 3);
        try (Lease lease = other.acquire()) {
            other.poll(0);
        }
        assertThat(loop.log).containsExactly("first", "second", "third");
    }

    @Test
    @Rule("IOT-6")
    void shouldFreeAllTasksThatWereReadyWhenAnEndFindsNoMemoryToTakeTheRest() {
        Task ready = loop.logs("ready");
        try (Lease lease = context.acquire()) {
            context.post(ready);
            inbox.failsNextTake = true;

            assertThatThrownBy(() -> context.end("the loop has ended"))
                    .hasMessage("no room for what was posted");
        }

        AioContext other = new AioContext("other", loop.seams());
        other.post(ready);
        try (Lease lease = other.acquire()) {
            other.poll(0);
        }
        assertThat(loop.log).containsExactly("ready");
    }

    @Test
    @Rule("IOT-6")
    @Rule("AIO-13")
    void shouldFreeWhatWasPostedWhenAnEndFindsNoMemoryToTakeIt() {
        Task[] posted = new Task[100];
        Arrays.setAll(posted, i -> loop.logs("task " + i));
        CompletableFuture<CompletionStage<@Nullable Void>> gone = new CompletableFuture<>();
        try (Lease lease = context.acquire()) {
            elsewhere(() -> {
                context.postAll(posted, posted.length);
                gone.complete(half.deleteAndAwait());
            });
            inbox.failsNextTake = true;

            assertThatThrownBy(() -> context.end("the loop has ended"))
                    .hasMessage("no room for what was posted");
        }

        assertThat(gone.join().toCompletableFuture()).isCompleted();
        AioContext other = new AioContext("other", loop.seams());
        other.postAll(posted, posted.length);
        try (Lease lease = other.acquire()) {
            other.poll(0);
        }
        assertThat(loop.log).hasSize(100).first().isEqualTo("task 0");
    }

    private Task nameless(String logs) {
        return new Task() {
            @Override
            protected void run() {
                loop.log.add(logs);
            }

            @Override
            public String describe() {
                throw new OutOfMemoryError("no room for a name");
            }
        };
    }

    @Test
    @Rule("AIO-24")
    void shouldServeAnEventThatCouldNotBeQueuedWhenItWasSet() {
        EventNotifier event = new EventNotifier("event");
        try (Lease lease = context.acquire()) {
            event.attach(context, () -> loop.log.add("event"));
        }
        inbox.failsNextOffer = true;

        event.set();
        takeTurn();
        event.set();
        takeTurn();

        assertThat(loop.log).containsExactly("event", "event");
    }

    @Test
    void shouldLeaveATaskInNoQueueIfThereIsNoMemoryForIt() {
        Task task = loop.logs("task");
        inbox.failsNextOffer = true;

        assertThatThrownBy(() -> context.post(task)).isInstanceOf(OutOfMemoryError.class);
        context.post(task);
        takeTurn();
        inbox.failsNextOffer = true;
        assertThatThrownBy(() -> context.postAll(new Task[] {task}, 1))
                .isInstanceOf(OutOfMemoryError.class);
        context.post(task);
        takeTurn();

        assertThat(loop.log).containsExactly("task", "task");
    }

    @Test
    @Rule("AIO-71")
    void shouldBringHomeItemsThatFindNoMemoryThere() {
        Item first = new Item();
        Item second = new Item();
        try (Lease lease = context.acquire()) {
            first.submitted(context);
            second.submitted(context);
        }
        inbox.failsNextOffer = true;
        inbox.beforeFailure = () -> {
            inbox.failsNextOffer = true;
            inbox.beforeFailure = () -> { };
            assertThat(second.perform()).isTrue();
        };

        assertThat(first.perform()).isTrue();
        takeTurn();

        assertThat(first.runs + second.runs).isEqualTo(2);
        try (Lease lease = context.acquire()) {
            assertThat(context.isIdle()).isTrue();
            first.submitted(context);
        }
        assertThat(first.perform()).isTrue();
        takeTurn();
        assertThat(first.runs).isEqualTo(2);
    }

    @Test
    @Rule("AIO-20")
    void shouldNotCloseOverAnItemThatFoundNoMemoryAtHome() {
        Item item = new Item();
        try (Lease lease = context.acquire()) {
            item.submitted(context);
        }
        inbox.failsNextOffer = true;
        assertThat(item.perform()).isTrue();

        try (Lease lease = context.acquire()) {
            assertThatIllegalStateException().isThrownBy(context::close)
                    .withMessageContaining("task an item");
            context.poll(0);
            half.delete();
            context.close();
        }
        assertThat(item.runs).isEqualTo(1);
    }

    @Test
    @Rule("IOT-6")
    void shouldReportAnItemThatFoundNoMemoryAtHomeBeforeItsLoopEnded() {
        Item item = new Item();
        try (Lease lease = context.acquire()) {
            item.submitted(context);
        }
        inbox.failsNextOffer = true;
        assertThat(item.perform()).isTrue();

        endLoop();

        assertThat(loop.errors).anySatisfy(
                error -> assertThat(error).hasMessageContaining("still had task an item"));
    }

    @Test
    @Rule("IOT-6")
    void shouldReportOnceAnItemWhoseLoopEndsWhileItFindsNoMemory() {
        Item item = new Item();
        try (Lease lease = context.acquire()) {
            item.submitted(context);
        }
        inbox.failsNextOffer = true;
        inbox.beforeFailure = () -> elsewhere(this::endLoop);

        assertThat(item.perform()).isTrue();

        assertThat(loop.errorSites).containsOnlyOnce("an item");
        assertThat(item.runs).isZero();
    }

    private void takeTurn() {
        try (Lease lease = context.acquire()) {
            context.poll(0);
        }
    }

    private void endLoop() {
        try (Lease lease = context.acquire()) {
            context.end("the loop has ended");
        }
    }

    /** An inbox that throws as if an allocation had failed, once. */
    private static final class ScarceInbox extends DelegatingInbox {
        boolean failsNextOffer;
        boolean failsNextTake;
        Runnable beforeFailure = () -> { };
        Runnable onceSealed = () -> { };

        @Override
        public boolean offer(Task item) {
            failIfTold();
            return super.offer(item);
        }

        @Override
        public boolean offerAll(Task[] items, int count) {
            failIfTold();
            return super.offerAll(items, count);
        }

        private void failIfTold() {
            if (failsNextOffer) {
                failsNextOffer = false;
                beforeFailure.run();
                throw new OutOfMemoryError("no room for a task");
            }
        }

        @Override
        public long claimed() {
            if (failsNextTake) {
                failsNextTake = false;
                throw new OutOfMemoryError("no room for what was posted");
            }
            return super.claimed();
        }

        @Override
        public boolean sealIfEmpty() {
            boolean seals = super.sealIfEmpty();
            Runnable now = onceSealed;
            onceSealed = () -> { };
            now.run();
            return seals;
        }
    }

    private static final class Item extends WorkItem {
        int runs;

        @Override
        protected void work() {
            // What matters is the way home.
        }

        @Override
        protected void run() {
            runs++;
        }

        @Override
        public String describe() {
            return "an item";
        }
    }
}
