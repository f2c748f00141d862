package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepReport;
import org.junit.jupiter.api.Test;

/** DRAIN-61: a backend that is closed inside a section leaves nothing parked. */
class ClosingStepModelTest {
    @Test
    @Rule("DRAIN-61")
    void shouldLeaveNothingParkedBehindAClose() {
        StepReport report = ClosingWorld.model("a close against a request that parks")
                .actor("submitter", ClosingWorld::submitter)
                .actor("closer", ClosingWorld::closer)
                .actor("task", ClosingWorld::task)
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("DRAIN-61")
    void shouldRefuteACloserThatLooksBeforeItSaysSo() {
        StepReport report = ClosingWorld.model("looks, then says that it is closed")
                .actor("submitter", ClosingWorld::submitter)
                .actor("closer", ClosingWorld::hastyCloser)
                .actor("task", ClosingWorld::task)
                .explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo("a request is left parked");
    }

    @Test
    @Rule("DRAIN-61")
    void shouldRefuteASubmitterThatLooksBeforeItParks() {
        StepReport report = ClosingWorld.model("looks whether it is closed, then parks")
                .actor("submitter", ClosingWorld::hastySubmitter)
                .actor("closer", ClosingWorld::closer)
                .actor("task", ClosingWorld::task)
                .explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo("a request is left parked");
    }
}
