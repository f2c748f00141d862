package dev.quiesce.aio.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class LoopMeterTest {
    private final List<Throwable> errors = new ArrayList<>();
    private final ToldObserver observer = new ToldObserver();
    private long now = 1000;
    private long tasks;
    private final LoopMeter meter =
            new LoopMeter("loop", Thread::currentThread, () -> now, errors::add);

    @Test
    void shouldCountWhatALoopDoes() {
        meter.turnBegins();
        meter.parks();
        assertThat(meter.stats().asleep()).isTrue();
        assertThat(meter.stats().isBusy()).isFalse();
        meter.wakes(true);
        assertThat(meter.stats().isBusy()).isTrue();
        meter.timerFires();
        meter.turnEnds(5);
        meter.turnBegins();
        meter.pollHits();
        meter.turnEnds(7);

        assertThat(meter.stats()).isEqualTo(
                new LoopStats(2, 0, false, 7, 5, 1, 1, 1, 1, 0, 0, 0));
    }

    @Test
    void shouldCountTheTasksOfNestedTurnsInTheOutermostOnce() {
        meter.turnBegins();
        meter.turnBegins();
        meter.turnEnds(11);
        meter.turnEnds(13);
        meter.turnBegins();
        meter.turnEnds(20);

        assertThat(meter.stats().tasksInTurnMax()).isEqualTo(13);
        assertThat(meter.stats().tasks()).isEqualTo(20);
    }

    @Test
    void shouldCountALoneTaskThatPassesAsATurnAndATask() {
        meter.turnBegins();
        meter.loneTaskPasses();
        meter.loneTaskPasses();
        assertThat(meter.stats().tasks()).isEqualTo(2);
        assertThat(meter.stats().turns()).isEqualTo(3);
        meter.turnPasses(5);
        meter.loneTaskPasses();
        meter.turnEnds(8);

        assertThat(meter.stats()).isEqualTo(
                new LoopStats(5, 0, false, 8, 3, 0, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void shouldReadNoClockWhileNobodyObserves() {
        LoopMeter blind = new LoopMeter("blind", Thread::currentThread, () -> {
            throw new AssertionError("nobody asked for the time");
        }, errors::add);
        blind.nameCallbacks();

        boolean result = blind.observedTurn(
                () -> blind.observedCallback(() -> "a", () -> true), () -> tasks);
        blind.parks();
        blind.wakes(false);

        assertThat(result).isTrue();
        assertThat(blind.isObserved()).isTrue();
        blind.forgetCallbacks();
        assertThat(blind.isObserved()).isFalse();
        assertThatThrownBy(blind::forgetCallbacks).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("blind");
    }

    @Test
    void shouldTellOfSlowCallbacksAndLongTurns() {
        meter.observe(observer);

        boolean result = meter.observedTurn(() -> {
            callback("fast", 9);
            callback("slow", 10);
            tasks += 2;
            now += 1;
            return true;
        }, () -> tasks);
        meter.observedTurn(() -> callback("medium", 19), () -> tasks);

        assertThat(result).isTrue();
        assertThat(observer.told).containsExactly("loop: slow 10",
                "loop: turn of 2 tasks 20", "loop: medium 19");
        assertThat(meter.stats().slowCallbacks()).isEqualTo(2);
        assertThat(meter.stats().longTurns()).isEqualTo(1);
        assertThat(meter.stats().longestTurnNanos()).isEqualTo(20);
    }

    @Test
    void shouldNotBlameACallbackForTheTurnsAndSleepsItTakes() {
        meter.observe(observer);

        meter.observedTurn(() -> meter.observedCallback(() -> "waits", () -> {
            now += 3;
            meter.turnBegins();
            meter.parks();
            now += 1000;
            meter.wakes(true);
            meter.observedTurn(() -> callback("nested", 500), () -> tasks);
            meter.turnEnds(0);
            now += 4;
            return true;
        }), () -> tasks);

        assertThat(observer.told)
                .containsExactly("loop: nested 500", "loop: turn of 0 tasks 500");
        assertThat(meter.stats().longestTurnNanos()).isEqualTo(500);
    }

    @Test
    void shouldNameWhatRunsAndWhatRanAround() {
        List<String> names = new ArrayList<>();
        meter.nameCallbacks();

        meter.observedCallback(() -> "outer", () -> {
            meter.observedCallback(() -> "inner", () -> names.add(meter.running()));
            return names.add(meter.running());
        });

        assertThat(names).containsExactly("inner", "outer");
        assertThat(meter.running()).isNull();
    }

    @Test
    void shouldSurviveACallbackThatThrowsOrCannotDescribeItself() {
        meter.observe(observer);
        BooleanSupplier thrower = () -> {
            now += 50;
            throw new IllegalStateException("on purpose");
        };

        assertThatThrownBy(() -> meter.observedTurn(
                () -> meter.observedCallback(() -> "thrower", thrower), () -> tasks))
                .hasMessage("on purpose");
        meter.observedCallback(() -> {
            throw new IllegalStateException("shy");
        }, () -> {
            assertThat(meter.running()).contains("shy");
            now += 10;
            return true;
        });

        assertThat(observer.told)
                .containsExactly("loop: thrower 50", "loop: turn of 0 tasks 50");
        assertThat(errors).singleElement().satisfies(e -> assertThat(e).hasMessage("shy"));
        assertThat(meter.running()).isNull();
    }

    @Test
    void shouldReportAnObserverThatThrows() {
        meter.observe(new ToldObserver() {
            @Override
            public void onSlowCallback(String loop, String callback, long tookNanos) {
                throw new IllegalStateException("on purpose");
            }
        });

        assertThat(callback("slow", 10)).isTrue();

        assertThat(errors).hasSize(1);
        assertThat(meter.stats().slowCallbacks()).isEqualTo(1);
    }

    private boolean callback(String name, long nanos) {
        return meter.observedCallback(() -> name, () -> {
            now += nanos;
            return true;
        });
    }
}
