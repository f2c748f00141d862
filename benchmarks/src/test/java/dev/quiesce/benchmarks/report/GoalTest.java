package dev.quiesce.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of goals when some contenders were measured only. */
class GoalTest {
    private static final Goal GOAL =
            new Goal("handOver", "OURS", "roundTrip", List.of("ONE", "ANOTHER"), 0.5);

    private final Measurement ours = measured("handOver", "OURS", 3);
    private final Measurement one = measured("roundTrip", "ONE", 12);
    private final Measurement another = measured("roundTrip", "ANOTHER", 6);

    @Test
    void shouldCompareWithTheFastestRival() {
        List<Measurement> all = List.of(ours, one, another);

        assertThat(GOAL.missing(all)).isEmpty();
        assertThat(GOAL.ratio(all)).isEqualTo(0.5);
    }

    @Test
    void shouldNameWhoeverItNeedsAndWasNotMeasuredThere() {
        assertThat(GOAL.missing(List.of())).containsExactly("OURS", "ONE", "ANOTHER");
        assertThat(GOAL.missing(List.of(one, another))).containsExactly("OURS");
        assertThat(GOAL.missing(List.of(ours, measured("handOver", "ONE", 1), another)))
                .containsExactly("ONE");
    }

    private static Measurement measured(String suite, String contender, double nanos) {
        return new Measurement(suite, contender, List.of(nanos), new Allocation(1, 0, 0));
    }
}
