package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.drain.FaultyGateSteps.Fault;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepReport;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** I2: a gate never says "settled" while an admitted request runs. */
class GateSettledStepModelTest {
    @Test
    @Rule("DRAIN-49")
    @Rule("DRAIN-12")
    @Rule("DRAIN-50")
    @Rule("REQ-6")
    @Rule("BUG-3")
    void shouldNeverSettleWhileARequestRuns() {
        StepReport report = requests(RealGateSteps::new).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("DRAIN-49")
    void shouldNeverSettleWhileARequestHopsToALaneMadeMeanwhile() {
        StepReport report = hop(RealGateSteps::new).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldProveTheSmallGateWithoutFault() {
        StepReport report = hop(() -> new FaultyGateSteps(Fault.NONE)).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"ONE_PASS", "ENTERED_FIRST", "OLD_LANES"})
    void shouldRefuteAFaultyEvaluation(Fault fault) {
        StepReport report = hop(() -> new FaultyGateSteps(fault)).explore();

        assertThat(report.failure()).as(report.toString())
                .isEqualTo("a request runs in a settled section");
    }

    @Test
    @Rule("DRAIN-49")
    void shouldRefuteLookingBeforeCounting() {
        StepReport report = SettledWorld.model("look, then count", RealGateSteps::new)
                .actor("control", SettledWorld::control)
                .actor("request", SettledWorld::requestThatLooksFirst)
                .explore();

        assertThat(report.failure()).as(report.toString())
                .isEqualTo("a request runs in a settled section");
    }

    @Test
    @Rule("DRAIN-50")
    void shouldRefuteDecidingAboutTheKickBeforeGivingBack() {
        StepReport report = SettledWorld.model("kick, then give back", RealGateSteps::new)
                .actor("control", SettledWorld::control)
                .actor("request", SettledWorld::requestThatKicksEarly)
                .explore();

        assertThat(report.failure()).as(report.toString())
                .isEqualTo("control waits for ever at \"wakes up (1)\"");
    }

    private static StepModel<SettledWorld> requests(Supplier<GateSteps> gate) {
        return SettledWorld.model("two sections against two requests", gate)
                .actor("control", SettledWorld::control)
                .actor("request", SettledWorld::request)
                .actor("another", SettledWorld::request);
    }

    private static StepModel<SettledWorld> hop(Supplier<GateSteps> gate) {
        return SettledWorld.model("two sections against a request that hops", gate)
                .actor("control", SettledWorld::control)
                .actor("sender", SettledWorld::sender)
                .actor("receiver", SettledWorld::receiver);
    }
}
