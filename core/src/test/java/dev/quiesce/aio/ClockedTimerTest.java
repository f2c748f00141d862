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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Timers on clocks that their machine stops, starts and sets. */
class ClockedTimerTest {
    private final FakeLoop loop = new FakeLoop();
    private final MachineClock guest =
            MachineClock.paced("guest", Kind.VIRTUAL, loop.clock);
    private final MachineClock steps = MachineClock.driven("steps", Kind.VIRTUAL_RT);

    @Test
    @Rule("AIO-54")
    void shouldRunTheListsInTheOrderOfTheKindsOfTheirClocks() {
        timer(steps, "virtual-rt").armAt(0);
        timer(Clock.host(), "host").armAt(0);
        timer(guest, "virtual").armAt(0);
        timer(loop.clock, "realtime").armAt(0);
        guest.start();
        steps.start();

        loop.poll();

        assertThat(loop.log).containsExactly("realtime", "virtual", "host", "virtual-rt");
    }

    @Test
    @Rule("AIO-56")
    void shouldNeitherRunNorWakeForTimersOfAStoppedClock() {
        LoopTimer timer = timer(guest, "t");
        timer.armAt(0);

        loop.context.poll(50);

        assertThat(loop.log).isEmpty();
        assertThat(loop.parker.parks).containsExactly(50L);
        assertThat(timer.isArmed()).isTrue();
        assertThat(loop.context.hasRunnable()).isFalse();
        assertThat(loop.context.isIdle()).isFalse();
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @Rule("AIO-56")
    void shouldWakeTheLoopWhenTheClockIsStarted() {
        timer(guest, "t").armAt(30);
        loop.parker.asleep = guest::start;
        loop.context.poll(Long.MAX_VALUE);
        assertThat(loop.parker.unparks).isEqualTo(1);
        assertThat(loop.log).isEmpty();

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).containsExactly(Long.MAX_VALUE, 30L);
        assertThat(loop.log).containsExactly("t");
    }

    @Test
    void shouldFireWhatAJumpForwardPassesAndWaitAfterAJumpBackward() {
        timer(guest, "far").armAt(1_000_000);
        timer(guest, "near").armAt(10);
        guest.start();
        guest.set(500_000);
        loop.poll();
        assertThat(loop.log).containsExactly("near");

        guest.set(0);
        loop.poll();
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).containsExactly(1_000_000L);
        assertThat(loop.log).containsExactly("near", "far");
    }

    @Test
    void shouldSleepUntilToldForADrivenClock() {
        timer(steps, "t").armAt(10);
        steps.start();
        loop.poll();
        loop.parker.asleep = () -> steps.advance(10);

        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.parker.parks).containsExactly(Long.MAX_VALUE);
        assertThat(loop.log).containsExactly("t");
    }

    @Test
    @Rule("AIO-56")
    void shouldKeepTheRestArmedWhenACallbackStopsTheClock() {
        List<CompletableFuture<@Nullable Void>> stops = new ArrayList<>();
        new LoopTimer(loop.context, guest, "stops", () ->
                stops.add(guest.stop().toCompletableFuture())).armAt(1);
        LoopTimer rest = timer(guest, "rest");
        rest.armAt(2);
        guest.start();
        guest.set(5);

        loop.poll();
        assertThat(stops).singleElement().satisfies(stop -> assertThat(stop).isCompleted());
        assertThat(loop.log).isEmpty();
        assertThat(rest.isArmed()).isTrue();

        guest.set(1);
        guest.start();
        loop.poll();
        assertThat(loop.log).as("not due any more").isEmpty();
        loop.context.poll(Long.MAX_VALUE);

        assertThat(loop.log).containsExactly("rest");
    }

    @Test
    @Rule("AIO-56")
    @Rule("AIO-82")
    void shouldNotBeQuietBeforeTheOuterRunOfANestedOneHasEnded() {
        List<CompletableFuture<@Nullable Void>> stops = new ArrayList<>();
        new LoopTimer(loop.context, guest, "outer", () -> {
            loop.context.poll(0);
            assertThat(stops).singleElement().satisfies(stop -> assertThat(stop).isNotDone());
        }).armAt(0);
        new LoopTimer(loop.context, guest, "inner", () ->
                stops.add(guest.stop().toCompletableFuture())).armAt(0);
        guest.start();

        loop.poll();

        assertThat(stops).singleElement().satisfies(stop -> assertThat(stop).isCompleted());
        assertThat(loop.errors).isEmpty();
    }

    @Test
    @Rule("AIO-56")
    void shouldBeQuietThoughACallbackEndsInAnError() {
        List<CompletableFuture<@Nullable Void>> stops = new ArrayList<>();
        new LoopTimer(loop.context, guest, "dies", () -> {
            stops.add(guest.stop().toCompletableFuture());
            throw new AssertionError("on purpose");
        }).armAt(0);
        guest.start();

        assertThatThrownBy(loop::poll).hasMessage("on purpose");

        assertThat(stops).singleElement().satisfies(stop -> assertThat(stop).isCompleted());
    }

    @Test
    @Rule("AIO-55")
    void shouldArmOnlyForAnEarlierTimeWhenItAnticipates() {
        LoopTimer timer = timer(loop.clock, "t");
        timer.anticipate(20);
        timer.anticipate(30);
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(20);

        timer.anticipate(10);
        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(10);
        loop.clock.nowNanos = 10;
        loop.poll();

        assertThat(loop.log).containsExactly("t");
        assertThat(timer.isArmed()).isFalse();
    }

    @Test
    @Rule("AIO-55")
    void shouldNotPutOffATimerThatIsDueByAnticipatingIt() {
        LoopTimer second = timer(loop.clock, "second");
        new LoopTimer(loop.context, "first", () -> second.anticipate(0)).armAt(1);
        second.armAt(2);
        loop.clock.nowNanos = 5;

        loop.poll();

        assertThat(loop.log).containsExactly("second");
    }

    @Test
    @Rule("AIO-55")
    void shouldTakeANegativeTimeForZeroOnAClockThatBeginsThere() {
        timer(guest, "first").armAt(0);
        timer(guest, "second").armAt(-5);
        guest.start();

        loop.poll();

        assertThat(loop.log).containsExactly("first", "second");
    }

    @Test
    @Rule("AIO-56")
    void shouldRefuseToCloseWithATimerOnAnyClock() {
        LoopTimer timer = timer(guest, "left over");
        timer.armAt(0);
        assertThatThrownBy(loop.context::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("left over");
        LoopTimer other = timer(loop.clock, "other");
        other.armAt(7);
        other.cancel();
        timer.cancel();

        loop.context.close();

        assertThatThrownBy(() -> timer.armAt(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> timer(steps, "late").armAt(1))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldNeedARealtimeClockForItsWaits() {
        assertThatThrownBy(() -> LoopSeams.system().withClock(guest))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("guest");
    }

    @Test
    @Rule("AIO-56")
    void shouldNotFireEarlyWhatACallbackOfTheSameRunHasPutOff() {
        LoopTimer late = timer(steps, "late");
        new LoopTimer(loop.context, steps, "sets back", () -> {
            loop.log.add("sets back");
            steps.set(0);
        }).armAt(50);
        timer(steps, "still due").armAt(55);
        late.armAt(60);
        steps.start();
        steps.advance(100);

        loop.poll();
        assertThat(loop.log).containsExactly("sets back");
        assertThat(late.isArmed()).isTrue();
        steps.set(58);
        loop.poll();
        assertThat(loop.log).containsExactly("sets back", "still due");
        steps.set(60);
        loop.poll();

        assertThat(loop.log).containsExactly("sets back", "still due", "late");
    }

    @Test
    @Rule("AIO-56")
    void shouldFireTheRestOfARunThoughACallbackSetsTheClockForward() {
        new LoopTimer(loop.context, steps, "jumps", () -> {
            loop.log.add("jumps");
            steps.set(500);
        }).armAt(50);
        timer(steps, "rest").armAt(60);
        timer(steps, "next turn").armAt(400);
        steps.start();
        steps.advance(100);

        loop.poll();
        assertThat(loop.log).containsExactly("jumps", "rest");
        loop.poll();

        assertThat(loop.log).containsExactly("jumps", "rest", "next turn");
    }

    @Test
    void shouldNotOverflowForADeadlineThatTimeDoesNotReach() {
        loop.clock.nowNanos = 1_000;
        timer(guest, "far").armAt(Long.MAX_VALUE - 1);
        guest.start();

        assertThat(loop.context.nextDeadlineNanos()).isEqualTo(Long.MAX_VALUE);
    }

    private LoopTimer timer(Clock clock, String name) {
        return new LoopTimer(loop.context, clock, name, () -> loop.log.add(name));
    }
}
