package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final ParkedReplay NONE = parked -> { };

    private final Loops loops = new Loops();
    private final Gate gate = new Gate("disk", loops.main);

    @Test
    void shouldBeOpenAndSettledWhenNew() {
        assertThat(gate.isQuiesced()).isFalse();
        assertThat(gate.isSettled()).isTrue();
        assertThat(gate.inFlight()).isZero();
        assertThat(gate.parkedCount()).isZero();
        assertThat(gate.name()).isEqualTo("disk");
        assertThat(gate.main()).isSameAs(loops.main);
    }

    @Test
    @Rule("DRAIN-3")
    @Rule("DRAIN-8")
    @Rule("DRAIN-45")
    void shouldCountSectionsAndTellTheOutermost() {
        assertThat(gate.quiesce()).isTrue();
        assertThat(gate.quiesce()).isFalse();
        assertThat(gate.quiesceDepth()).isEqualTo(2);

        assertThat(gate.resume()).isFalse();
        assertThat(gate.isQuiesced()).isTrue();
        assertThat(gate.resume()).isTrue();
        assertThat(gate.isQuiesced()).isFalse();
    }

    @Test
    void shouldRefuseToEndASectionThatIsNotOpen() {
        assertThatThrownBy(gate::resume)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("disk has no open section");
        assertThat(gate.quiesceDepth()).isZero();
    }

    @Test
    @Rule("DRAIN-15")
    @Rule("DRAIN-16")
    void shouldRefuseControlWhereMainIsNotOwned() {
        AioContext foreign = new AioContext("elsewhere", LoopSeams.system());
        Gate other = new Gate("disk", foreign);

        assertThatThrownBy(other::quiesce).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("elsewhere");
        assertThatThrownBy(other::resume).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> other.describe(new WaitReport()))
                .isInstanceOf(IllegalStateException.class);
        assertThat(other.isQuiesced()).isFalse();
    }

    @Test
    void shouldHaveOneLaneForEachHome() {
        Lane lane = gate.lane(loops.a, NONE);

        assertThat(gate.lane(loops.a, NONE)).isSameAs(lane);
        assertThat(gate.lane(loops.b, NONE)).isNotSameAs(lane);
        assertThat(lane.home()).isSameAs(loops.a);
        assertThat(lane.gate()).isSameAs(gate);
    }

    @Test
    void shouldRefuseASecondReplayForAHome() {
        gate.lane(loops.a, NONE);

        assertThatThrownBy(() -> gate.lane(loops.a, parked -> { }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("lane of a into disk");
    }

    @Test
    @Rule("DRAIN-22")
    void shouldNotBeSettledWhileSomethingIsCounted() {
        Lane lane = gate.lane(loops.a, NONE);
        lane.enter();
        Hold hold = gate.hold("walk", loops.b);

        assertThat(gate.inFlight()).isEqualTo(2);
        assertThat(gate.isSettled()).isFalse();

        hold.close();
        lane.leaveAtSliceEnd();
        loops.settle();
        assertThat(gate.isSettled()).isTrue();
    }

    @Test
    @Rule("WALK-17")
    void shouldTakeHoldsWhetherQuiescedOrNot() {
        gate.quiesce();
        Hold first = gate.hold("first", loops.a);
        Hold second = gate.hold("second", loops.a);
        Hold third = gate.hold("third", loops.a);

        second.close();
        assertThat(described()).contains("first").contains("third").doesNotContain("second");

        third.close();
        first.close();
        assertThat(gate.isSettled()).isTrue();
        assertThat(described()).isEqualTo("nothing is outstanding");
    }

    @Test
    void shouldRefuseToCloseAHoldTwice() {
        Hold hold = gate.hold("walk", loops.a);
        Hold other = gate.hold("other", loops.a);
        hold.close();

        assertThat(hold.isOpen()).isFalse();
        assertThatThrownBy(hold::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("\"walk\"").hasMessageContaining("disk");
        assertThat(other.isOpen()).isTrue();
        assertThat(gate.inFlight()).isEqualTo(1);
    }

    @Test
    void shouldDescribeWhoIsCountedAndWhoIsParked() {
        Lane lane = gate.lane(loops.a, NONE);
        lane.enter();
        lane.enter();
        gate.hold("detach of queue 3", loops.b);
        gate.quiesce();
        park(lane);

        assertThat(described())
                .contains("2 outstanding at requests of disk in context a")
                .contains("1 outstanding at hold \"detach of queue 3\" on disk in b in context b")
                .contains("1 parked at disk in context a");
        assertThat(gate.parkedCount()).isEqualTo(1);
    }

    @Test
    @Rule("DRAIN-14")
    void shouldTellACompletionOfTheMainContextFromOthers() {
        Lane own = gate.lane(loops.main, NONE);
        Lane other = gate.lane(loops.a, NONE);
        own.enter();
        other.enter();
        other.completionBegins();

        assertThat(described()).doesNotContain("own completion");

        own.completionBegins();
        assertThat(described()).contains("own completion");

        own.completionEnds();
        assertThat(described()).doesNotContain("own completion");
    }

    @Test
    @Rule("DRAIN-61")
    void shouldReportRequestsWhoseHomeHasEnded() {
        AioContext gone = loops.context("gone");
        Lane lane = gate.lane(gone, NONE);
        Lane alive = gate.lane(loops.a, NONE);
        gate.quiesce();
        park(lane);
        park(alive);
        gone.close();

        gate.resume();
        loops.settle();

        assertThat(loops.errors).singleElement().asString()
                .contains("gate disk").contains("stay parked on the lane of gone into disk");
        assertThat(alive.parkedCount()).isZero();
        assertThat(gate.parkedCount()).isEqualTo(1);
        assertThat(lane.isReplayBooked()).isFalse();
    }

    private static Task park(Lane lane) {
        Task task = Loops.task("request", () -> { });
        boolean admitted = lane.enter() || !lane.parkUnlessOpen(task);
        assertThat(admitted).isFalse();
        return task;
    }

    private String described() {
        WaitReport report = new WaitReport();
        gate.describe(report);
        return report.toString();
    }
}
