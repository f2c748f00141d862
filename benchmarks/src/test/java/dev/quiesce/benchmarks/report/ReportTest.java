package dev.quiesce.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a report says of goals and of what allocates, and what it ends with. */
class ReportTest {
    private static final Allocation NOTHING = new Allocation(1, 0, 0);
    private static final Allocation OBJECTS = new Allocation(1, 16, 133e3);

    private final List<Measurement> measured = new ArrayList<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Test
    void shouldMeetGoalsAtTheirLimits() {
        measureAll(1.0);

        assertThat(judge(Report.Goals.ALL)).isEqualTo(Report.MET);
        assertThat(said()).hasSize(Goal.ALL.size()).allMatch(line -> line.startsWith("met "));
    }

    @Test
    void shouldMissAGoalThatIsBeyondItsLimit() {
        measureAll(1.01);

        assertThat(judge(Report.Goals.ALL)).isEqualTo(Report.MISSED);
        assertThat(said()).anyMatch(line -> line.startsWith("met "))
                .contains("NOT MET  reschedule QUIESCE_BOTTOM_HALF: 1.01 of"
                        + " [NETTY_NIO, NETTY_EPOLL], the limit is 1.00");
    }

    @Test
    void shouldMissAGoalThatCannotBeCheckedThoughItShould() {
        measureReschedule(1.0);

        assertThat(judge(Report.Goals.ALL)).isEqualTo(Report.MISSED);
        assertThat(said()).contains("NOT MET  handOver QUIESCE_TASKS: not checked,"
                + " [QUIESCE_TASKS, NETTY_NIO, NETTY_EPOLL] not measured");
    }

    @Test
    void shouldCheckThoseOfSomeGoalsThatItCan() {
        measureReschedule(1.0);

        assertThat(judge(Report.Goals.SOME)).isEqualTo(Report.MET);
        assertThat(said()).contains("-        handOver QUIESCE_TASKS: not checked,"
                + " [QUIESCE_TASKS, NETTY_NIO, NETTY_EPOLL] not measured");
    }

    @Test
    void shouldMissOneOfSomeGoals() {
        measureReschedule(1.01);

        assertThat(judge(Report.Goals.SOME)).isEqualTo(Report.MISSED);
    }

    @Test
    void shouldSayThatNoneOfSomeGoalsCouldBeChecked() {
        measure("reschedule", "QUIESCE_BOTTOM_HALF", 1, NOTHING);

        assertThat(judge(Report.Goals.SOME)).isEqualTo(Report.UNCHECKED);
        assertThat(said()).contains("NOT MET  no goal could be checked");
    }

    @Test
    void shouldSayThatNothingWasMeasured() {
        assertThat(judge(Report.Goals.NONE)).isEqualTo(Report.UNCHECKED);
        assertThat(said()).containsExactly("NOT MET  nothing was measured");
    }

    @Test
    void shouldNameWhatOfOursAllocates() {
        measure("roundTrip", "QUIESCE_TASK", 30_000, OBJECTS);

        assertThat(judge(Report.Goals.NONE)).isEqualTo(Report.MISSED);
        assertThat(said()).containsExactly("NOT MET  roundTrip QUIESCE_TASK allocates 16.0 B per"
                + " operation, 133 KB per iteration");
    }

    @Test
    void shouldMissThoughNoGoalIsCheckedIfSomethingAllocates() {
        measure("roundTrip", "QUIESCE_TASK", 30_000, OBJECTS);

        assertThat(judge(Report.Goals.SOME)).isEqualTo(Report.MISSED);
    }

    @Test
    void shouldLetOthersAllocate() {
        measure("roundTrip", "NETTY_NIO", 30_000, OBJECTS);
        measure("roundTrip", "QUIESCE_TASK", 30_000, NOTHING);

        assertThat(judge(Report.Goals.NONE)).isEqualTo(Report.MET);
        assertThat(said()).isEmpty();
    }

    /** All goals are reached, one of them at a share of its limit. */
    private void measureAll(double reschedule) {
        measureReschedule(reschedule);
        measure("handOver", "NETTY_NIO", 10, NOTHING);
        measure("handOver", "NETTY_EPOLL", 12, NOTHING);
        measure("handOver", "QUIESCE_TASKS", 7, NOTHING);
        measure("handOver", "QUIESCE_BURST", 4, NOTHING);
        measure("coalescing", "QUIESCE_BOTTOM_HALF", 10, NOTHING);
        measure("roundTrip, pinned", "JCTOOLS_PARK", 5, NOTHING);
        measure("roundTrip, pinned", "QUIESCE_TASK", 5, NOTHING);
    }

    private void measureReschedule(double ours) {
        measure("reschedule", "NETTY_NIO", 10, NOTHING);
        measure("reschedule", "NETTY_EPOLL", 12, NOTHING);
        measure("reschedule", "QUIESCE_BOTTOM_HALF", 10 * ours, NOTHING);
    }

    private void measure(String suite, String contender, double nanos, Allocation allocation) {
        measured.add(new Measurement(suite, contender, List.of(nanos), allocation));
    }

    private int judge(Report.Goals goals) {
        return new Report(measured, new PrintStream(out, true, StandardCharsets.UTF_8))
                .judge(goals);
    }

    private List<String> said() {
        return out.toString(StandardCharsets.UTF_8).lines().filter(line -> !line.isEmpty())
                .toList();
    }
}
