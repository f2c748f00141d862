package dev.quiesce.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepModelTest {
    @Test
    void shouldFindTheLostUpdateByItsShortestSchedule() {
        StepReport report = counter(true).inTheEnd("both counted", c -> c.value == 2).explore();

        assertThat(report.isRefuted()).isTrue();
        assertThat(report.failure()).isEqualTo("both counted");
        assertThat(report.story()).containsExactly(
                "  1  left   reads   [0]",
                "  2  right  reads   [0]",
                "  3  left   writes   [1]",
                "  4  right  writes   [1]");
        assertThat(report.toString()).contains("FAILS: both counted");
    }

    @Test
    void shouldCountEverySchedule() {
        StepReport merged = counter(true).explore();
        StepReport apart = counter(false).explore();

        assertThat(merged.isProved()).isTrue();
        assertThat(merged.schedules()).isEqualTo(BigInteger.valueOf(6));
        assertThat(apart.isProved()).isTrue();
        assertThat(apart.schedules()).isEqualTo(BigInteger.valueOf(6));
        assertThat(merged.states()).isLessThan(apart.states());
    }

    @Test
    void shouldReportAnActorThatWaitsForEver() {
        StepReport report = StepModel.of("two locks in two orders", Locks::new)
                .actor("first", a -> a
                        .stepWhen("takes A", l -> !l.a, l -> l.a = true)
                        .stepWhen("takes B", l -> !l.b, l -> l.b = true)
                        .step("gives both back", Locks::free))
                .actor("second", a -> a
                        .stepWhen("takes B", l -> !l.b, l -> l.b = true)
                        .stepWhen("takes A", l -> !l.a, l -> l.a = true)
                        .step("gives both back", Locks::free))
                .fingerprint(l -> List.of(l.a, l.b))
                .explore();

        assertThat(report.failure()).isEqualTo("first waits for ever at \"takes B\"");
        assertThat(report.story()).hasSize(2);
    }

    /** It can always move, so nobody would ever look whether the end is right. */
    @Test
    void shouldReportAnActorThatLooksAgainForEver() {
        StepReport report = StepModel.of("a flag that is lowered too early", Counter::new)
                .actor("looks", a -> a.branch("looks", c -> c.value == 1 ? null : "looks"))
                .actor("raises", a -> a.step("raises", c -> c.value = 1)
                        .step("lowers", c -> c.value = 2))
                .fingerprint(c -> c.value)
                .explore();

        assertThat(report.failure()).isEqualTo("from here on it goes on for ever");
        assertThat(report.story()).hasSize(2).last().asString().contains("lowers");
    }

    @Test
    void shouldLetAServingActorWaitForEver() {
        StepReport report = StepModel.of("a server", Counter::new)
                .actor("client", a -> a.step("asks", c -> c.value = 1))
                .actor("server", a -> a.serves()
                        .branchWhen("answers", c -> c.value == 1, c -> {
                            c.value = 2;
                            return "answers";
                        }))
                .fingerprint(c -> c.value)
                .inTheEnd("answered", c -> c.value == 2)
                .explore();

        assertThat(report.isProved()).isTrue();
    }

    @Test
    void shouldExploreLoopsOnce() {
        StepReport report = StepModel.of("polling", Counter::new)
                .actor("poller", a -> a
                        .branch("looks", c -> c.value == 0 ? "looks" : StepProgram.END))
                .actor("setter", a -> a.step("sets", c -> c.value = 1))
                .fingerprint(c -> c.value)
                .explore();

        assertThat(report.isProved()).isTrue();
        assertThat(report.schedules()).isNull();
    }

    @Test
    void shouldReportAStepThatThrows() {
        StepReport report = StepModel.of("division", Counter::new)
                .actor("divider", a -> a.step("divides", c -> c.value = 1 / c.value))
                .actor("setter", a -> a.step("sets", c -> c.value = 1))
                .fingerprint(c -> c.value)
                .explore();

        assertThat(report.failure()).startsWith("divider: java.lang.ArithmeticException");
        assertThat(report.story()).hasSize(1);
    }

    @Test
    void shouldCheckTheStartState() {
        StepReport report = StepModel.of("start", Counter::new)
                .always("never zero", c -> c.value != 0)
                .explore();

        assertThat(report.failure()).isEqualTo("never zero");
        assertThat(report.story()).isEmpty();
    }

    @Test
    void shouldSayWhenTheLimitWasReached() {
        StepReport report = counter(true).explore(3);

        assertThat(report.complete()).isFalse();
        assertThat(report.isProved()).isFalse();
        assertThat(report.toString()).contains("NOT COMPLETE");
    }

    @Test
    void shouldNoticeAFingerprintThatLeavesSomethingOut() {
        StepModel<Counter> model = StepModel.of("forgetful", Counter::new)
                .actor("left", a -> a
                        .step("sets", c -> c.value = 1)
                        .step("sets back", c -> c.value = 0))
                .actor("right", a -> a
                        .branch("looks", c -> c.value == 1 ? null : "goes on")
                        .stepWhen("waits", c -> c.seenByLeft == 1, c -> { })
                        .step("goes on", c -> { }))
                .actor("third", a -> a
                        .step("notes", c -> c.seenByLeft = c.value)
                        .stepWhen("goes on", c -> c.seenByLeft == 1, c -> { }))
                .fingerprint(c -> "all the same");

        assertThatThrownBy(model::explore)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("leaves out");
    }

    @Test
    void shouldRefuseAJumpToNowhereAndAStepNamedTwice() {
        StepReport jump = StepModel.of("jump", Counter::new)
                .actor("lost", a -> a.branch("jumps", c -> "nowhere"))
                .explore();

        assertThat(jump.failure()).contains("lost has no step \"nowhere\"");
        assertThatThrownBy(() -> StepModel.of("twice", Counter::new)
                .actor("double", a -> a.step("once", c -> { }).step("once", c -> { })))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("\"once\"");
    }

    private static StepModel<Counter> counter(boolean merged) {
        StepModel<Counter> model = StepModel.of("is the counter exact?", Counter::new)
                .actor("left", a -> a
                        .step("reads", c -> c.seenByLeft = c.value)
                        .step("writes", c -> c.value = c.seenByLeft + 1))
                .actor("right", a -> a
                        .step("reads", c -> c.seenByRight = c.value)
                        .step("writes", c -> c.value = c.seenByRight + 1))
                .showing(c -> String.valueOf(c.value));
        return merged
                ? model.fingerprint(c -> List.of(c.value, c.seenByLeft, c.seenByRight))
                : model;
    }

    private static final class Counter {
        int value;
        int seenByLeft;
        int seenByRight;
    }

    private static final class Locks {
        boolean a;
        boolean b;

        void free() {
            a = false;
            b = false;
        }
    }
}
