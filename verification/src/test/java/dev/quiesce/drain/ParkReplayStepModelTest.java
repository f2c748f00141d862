package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.drain.FaultyGateSteps.Fault;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepReport;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** I5 and the replay: no request is stranded, none runs in a section, each starts once. */
class ParkReplayStepModelTest {
    @Test
    @Rule("DRAIN-21")
    @Rule("DRAIN-23")
    @Rule("DRAIN-24")
    @Rule("DRAIN-27")
    @Rule("DRAIN-30")
    @Rule("SBUG-51")
    void shouldReplayTwoRequestsOfOneHomeAcrossTwoSections() {
        StepReport report = oneHome(RealGateSteps::new, true, true).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("DRAIN-30")
    @Rule("DRAIN-37")
    void shouldReplayAlsoAfterSectionsThatDoNotWait() {
        StepReport report = oneHome(RealGateSteps::new, false, false, true).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("DRAIN-61")
    void shouldReplayTheRequestsOfTwoHomes() {
        StepReport report = twoHomes(RealGateSteps::new).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("DRAIN-61")
    void shouldEitherReplayOrCancelAParkedRequest() {
        StepReport report = ParkingWorld.model("cancel against replay", RealGateSteps::new)
                .actor("control", a -> ParkingWorld.control(a, true, true))
                .actor("submitter", a -> ParkingWorld.submitter(a, 0, 0, 1))
                .actor("replay", a -> ParkingWorld.replayer(a, 0))
                .actor("completer", a -> ParkingWorld.completer(a, 0, 0, 1))
                .actor("canceller", a -> ParkingWorld.canceller(a, 0, 0))
                .explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    void shouldProveTheSmallGateWithoutFault() {
        StepReport report = oneHome(() -> new FaultyGateSteps(Fault.NONE), true, true).explore();

        assertThat(report.isProved()).as(report.toString()).isTrue();
    }

    @Test
    @Rule("DRAIN-30")
    void shouldRefuteParkingWithoutASecondLook() {
        StepReport report =
                oneHome(() -> new FaultyGateSteps(Fault.NO_SECOND_LOOK), true, true).explore();

        assertThat(report.failure()).as(report.toString()).isEqualTo("a request is stranded");
    }

    @Test
    @Rule("DRAIN-23")
    void shouldRefuteAReplayThatIsNotCounted() {
        StepReport report =
                oneHome(() -> new FaultyGateSteps(Fault.UNCOUNTED_REPLAY), true, true).explore();

        assertThat(report.failure()).as(report.toString())
                .isEqualTo("a request runs in a settled section");
    }

    @Test
    void shouldRefuteBookingAReplayTwice() {
        StepReport report =
                oneHome(() -> new FaultyGateSteps(Fault.DOUBLE_BOOKING), true, false).explore();

        assertThat(report.failure()).as(report.toString()).contains("queued already");
    }

    @Test
    @Rule("DRAIN-28")
    void shouldRefuteGivingBackBeforeTheLock() {
        StepReport report = ParkingWorld
                .model("give back, then park", () -> new FaultyGateSteps(Fault.EARLY_GIVE_BACK))
                .actor("control", a -> ParkingWorld.control(a, true, true))
                .actor("submitter", a -> ParkingWorld.hastySubmitter(a, 0))
                .actor("replay", a -> ParkingWorld.replayer(a, 0))
                .actor("completer", a -> ParkingWorld.completer(a, 0, 0))
                .explore();

        assertThat(report.isRefuted()).as(report.toString()).isTrue();
    }

    private static StepModel<ParkingWorld> oneHome(Supplier<GateSteps> gate, boolean... waits) {
        return ParkingWorld.model("sections against two requests of one home", gate)
                .actor("control", a -> ParkingWorld.control(a, waits))
                .actor("submitter", a -> ParkingWorld.submitter(a, 0, 0, 1))
                .actor("replay", a -> ParkingWorld.replayer(a, 0))
                .actor("completer", a -> ParkingWorld.completer(a, 0, 0, 1));
    }

    private static StepModel<ParkingWorld> twoHomes(Supplier<GateSteps> gate) {
        return ParkingWorld.model("sections against requests of two homes", gate)
                .actor("control", a -> ParkingWorld.control(a, true, true))
                .actor("submitter 0", a -> ParkingWorld.submitter(a, 0, 0, 1))
                .actor("replay 0", a -> ParkingWorld.replayer(a, 0))
                .actor("completer 0", a -> ParkingWorld.completer(a, 0, 0, 1))
                .actor("submitter 1", a -> ParkingWorld.submitter(a, 1, 2))
                .actor("replay 1", a -> ParkingWorld.replayer(a, 1))
                .actor("completer 1", a -> ParkingWorld.completer(a, 1, 2));
    }
}
