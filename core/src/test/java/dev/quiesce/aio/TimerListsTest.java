package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.Clock.Kind;
import dev.quiesce.aio.time.MachineClock;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The lists of timers of one loop, which clocks watch and forget, and which come and go. */
class TimerListsTest {
    private final FakeLoop loop = new FakeLoop();
    private final MachineClock guest =
            MachineClock.paced("guest", Kind.VIRTUAL, loop.clock);
    private final MachineClock steps = MachineClock.driven("steps", Kind.VIRTUAL_RT);

    @Test
    void shouldNotKeepTheClocksOfManyMachinesThatNoTimerIsArmedOn() {
        WatchedClock first = new WatchedClock();
        LoopTimer early = new LoopTimer(loop.context, first, "early", () -> loop.log.add("early"));
        early.armAt(5);
        useClocks(20);
        assertThat(first.watchers).as("armed on").hasSize(1);
        loop.poll();
        assertThat(loop.log).containsExactly("early");

        useClocks(20);

        assertThat(first.watchers).isEmpty();
        assertThat(early.isArmed()).isFalse();
        early.cancel();
        early.armAt(7);
        timer(first, "same clock").armAt(6);
        assertThat(first.watchers).hasSize(1);
        assertThat(early.isArmed()).isTrue();
        loop.poll();
        assertThat(loop.log).containsExactly("early", "same clock", "early");
        loop.context.close();
        assertThat(first.watchers).isEmpty();
        assertThatThrownBy(() -> early.armAt(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldLetGoOfAClockThatThrowsWhenItIsNotWatchedAnyMore() {
        WatchedClock broken = new WatchedClock();
        IllegalStateException failure = new IllegalStateException("the clock is broken");
        broken.onUnwatch = () -> {
            throw failure;
        };
        LoopTimer timer = timer(broken, "again");
        timer.armAt(5);
        timer.cancel();

        useClocks(20);

        assertThat(loop.errors).containsExactly(failure);
        assertThat(loop.errorSites).singleElement().asString().contains("clock");
        timer.armAt(7);
        loop.poll();
        assertThat(loop.log).containsExactly("again");
        loop.context.close();
        assertThat(loop.errors).containsExactly(failure, failure);
    }

    @Test
    void shouldHaveNoTimersOfAClockThatCannotBeWatched() {
        WatchedClock broken = new WatchedClock();
        IllegalStateException failure = new IllegalStateException("cannot be watched");
        broken.onWatch = () -> {
            throw failure;
        };
        assertThatThrownBy(() -> timer(broken, "never").armAt(5)).isSameAs(failure);
        broken.onWatch = () -> { };

        timer(broken, "late").armAt(6);

        assertThat(broken.watchers).hasSize(1);
        loop.poll();
        assertThat(loop.log).containsExactly("late");
    }

    @Test
    void shouldLeaveNoWatcherBehindIfThereIsNoMemoryForTheListOfItsClock() {
        WatchedClock clock = new WatchedClock();
        clock.onKind = () -> {
            throw new OutOfMemoryError("no room for a list");
        };
        assertThatThrownBy(() -> timer(clock, "never")).isInstanceOf(OutOfMemoryError.class);
        assertThat(clock.watchers).isEmpty();
        clock.onKind = () -> {
            if (!clock.watchers.isEmpty()) {
                throw new OutOfMemoryError("no room for a list");
            }
        };

        timer(clock, "armed").armAt(5);

        assertThat(clock.watchers).hasSize(1);
        loop.poll();
        assertThat(loop.log).containsExactly("armed");
    }

    @Test
    void shouldHaveAllClocksForgetThoughOneOfThemRunsOutOfMemory() {
        List<WatchedClock> clocks = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            clocks.add(new WatchedClock());
            timer(clocks.get(i), "of a machine");
        }
        clocks.get(0).onUnwatch = () -> {
            throw new OutOfMemoryError("no room for fewer");
        };

        assertThatThrownBy(() -> timer(steps, "t")).isInstanceOf(OutOfMemoryError.class);

        assertThat(clocks).allSatisfy(clock -> assertThat(clock.watchers).isEmpty());
        timer(steps, "t").armAt(0);
        steps.start();
        loop.poll();
        assertThat(loop.log).containsExactly("t");
    }

    @Test
    void shouldLookAtNoListThatItHasLetGo() {
        List<LoopTimer> timers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            timers.add(timer(new WatchedClock(), "of a machine"));
            timers.get(i).armAt(1_000);
        }
        timers.forEach(LoopTimer::cancel);

        timer(steps, "t").armAt(0);

        assertThat(loop.context.turn().timers().table()).extracting(LoopTimer.Heap::clock)
                .containsExactly(loop.clock, steps);
    }

    @Test
    void shouldLetGoOfListsThoughTheClockOfTheNewOneCannotBeWatched() {
        List<WatchedClock> clocks = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            clocks.add(new WatchedClock());
            timer(clocks.get(i), "of a machine");
        }
        WatchedClock broken = new WatchedClock();
        IllegalStateException failure = new IllegalStateException("cannot be watched");
        broken.onWatch = () -> {
            throw failure;
        };

        assertThatThrownBy(() -> timer(broken, "never")).isSameAs(failure);

        assertThat(clocks).allSatisfy(clock -> assertThat(clock.watchers).isEmpty());
        assertThat(loop.context.turn().timers().table()).extracting(LoopTimer.Heap::clock)
                .containsExactly(loop.clock);
    }

    @Test
    void shouldCancelWhatWasArmedInALaterListWhileAnEarlierOneWasFound() {
        WatchedClock clock = new WatchedClock();
        LoopTimer timer = timer(clock, "t");
        WatchedClock quiet = new WatchedClock();
        LoopTimer last = timer(quiet, "of a machine");
        last.armAt(1_000);
        for (int i = 0; i < 6; i++) {
            timer(new WatchedClock(), "of a machine").armAt(1_000);
        }
        assertThat(clock.watchers).as("let go of").isEmpty();
        last.cancel();
        // Another thread would do so before this one has noted which list it has found.
        quiet.onUnwatch = () -> {
            quiet.onUnwatch = () -> { };
            timer.armAt(5);
            loop.poll();
            assertThat(loop.log).containsExactly("t");
            timer(new WatchedClock(), "has the list let go").armAt(1_000);
            assertThat(clock.watchers).as("let go of again").isEmpty();
            timer.armAt(6);
            loop.context.turn().timers().seal();
        };

        assertThatThrownBy(() -> timer.armAt(7)).isInstanceOf(IllegalStateException.class);
        loop.context.turn().timers().unseal();

        assertThat(timer.isArmed()).isTrue();
        timer.cancel();
        assertThat(timer.isArmed()).isFalse();
        loop.poll();
        assertThat(loop.log).containsExactly("t");
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldLetAnErrorHandlerWaitForWhoArmsATimer() {
        CompletableFuture<Thread> armed = new CompletableFuture<>();
        LoopSeams seams = loop.seams().withErrors(
                (where, site, cause) -> armed.complete(armsElsewhere(where)));
        AioContext context = new AioContext("reports", seams);
        WatchedClock broken = new WatchedClock();
        broken.onUnwatch = () -> {
            throw new IllegalStateException("the clock is broken");
        };
        new LoopTimer(context, broken, "broken", () -> { }).cancel();

        for (int i = 0; i < 20; i++) {
            new LoopTimer(context, new WatchedClock(), "other", () -> { }).cancel();
        }

        assertThat(armed).isCompleted();
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldLetAClockWaitForWhoArmsATimer() {
        List<Thread> armed = new ArrayList<>();
        WatchedClock clock = new WatchedClock();
        clock.onWatch = () -> armed.add(armsElsewhere(loop.context));
        clock.onUnwatch = () -> armed.add(armsElsewhere(loop.context));

        timer(clock, "t");
        useClocks(20);

        assertThat(armed).hasSize(2);
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-20")
    void shouldGoOnAsBeforeThoughAClockOfAContextThatIsNotClosedIsNotWatchedAgain() {
        RacedInbox inbox = new RacedInbox();
        Task posted = loop.logs("posted");
        AioContext context = new AioContext("goes on", loop.seams(), inbox);
        LoopTimer timer = new LoopTimer(context, guest, "t", () -> loop.log.add("t"));
        WatchedClock clock = new WatchedClock();
        LoopTimer other = new LoopTimer(context, clock, "other", () -> loop.log.add("other"));
        clock.onWatch = () -> {
            throw new IllegalStateException("cannot be watched");
        };
        inbox.beforeSeal = () -> assertThat(Task.push(inbox, posted)).isTrue();
        try (Lease lease = context.acquire()) {
            assertThatThrownBy(context::close).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("task posted");

            timer.armAt(0);
            other.armAt(0);
            guest.start();
            context.poll(0);
            assertThat(loop.log).containsExactly("posted", "t", "other");
            context.close();
        }
        assertThat(clock.watchers).isEmpty();
    }

    /** As many machines would that come and go. */
    private void useClocks(int clocks) {
        for (int i = 0; i < clocks; i++) {
            LoopTimer timer = timer(new WatchedClock(), "of a machine");
            timer.armAt(1_000);
            timer.cancel();
        }
    }

    /** Arms a timer on another thread and another clock, and waits for that. */
    private static Thread armsElsewhere(AioContext context) {
        return CompletableFuture.supplyAsync(() -> {
            LoopTimer timer = new LoopTimer(
                    context, MachineClock.driven("other", Kind.VIRTUAL), "other", () -> { });
            timer.armAt(1);
            timer.cancel();
            return Thread.currentThread();
        }, run -> new Thread(run).start()).join();
    }

    private static final class WatchedClock implements Clock {
        private final List<Watcher> watchers = new ArrayList<>();
        private Runnable onKind = () -> { };
        private Runnable onWatch = () -> { };
        private Runnable onUnwatch = () -> { };

        @Override
        public long nanoTime() {
            return 10;
        }

        @Override
        public Kind kind() {
            onKind.run();
            return Kind.VIRTUAL;
        }

        @Override
        public void watch(Watcher watcher) {
            onWatch.run();
            watchers.add(watcher);
        }

        @Override
        public void unwatch(Watcher watcher) {
            watchers.remove(watcher);
            onUnwatch.run();
        }
    }

    private LoopTimer timer(Clock clock, String name) {
        return new LoopTimer(loop.context, clock, name, () -> loop.log.add(name));
    }
}
