package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
    @Rule("REQ-2")
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
                .hasMessageContainingAll("\"walk\"", "disk", loops.a.name(),
                        "thread " + Thread.currentThread().getName(), "AIO-75");
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
    @Rule("AIO-75")
    void shouldKeepAHomeFromBeingClosedWhileItsRequestsAreParked() {
        AioContext home = loops.context("home");
        List<String> replayed = new ArrayList<>();
        Lane lane = gate.lane(home, task -> replayed.add(task.toString()));
        gate.quiesce();
        Task cancelled = park(lane);
        park(lane);

        assertThatThrownBy(home::close).hasMessageContaining("2 parked tasks");
        assertThat(lane.unpark(cancelled)).isTrue();
        lane.leaveAtSliceEnd();
        home.poll(0);
        assertThatThrownBy(home::close).hasMessageContaining("1 parked tasks");
        gate.resume();
        home.poll(0);
        lane.leaveAtSliceEnd();
        home.poll(0);
        home.close();

        assertThat(replayed).hasSize(1);
        assertThat(gate.isSettled()).isTrue();
    }

    @Test
    @Rule("DRAIN-61")
    void shouldForgetAndReportRequestsThatWentWithTheirLoop() {
        IoThread thread = IoThread.start(new IoThreadConfig("gone", Thread::new,
                LoopSeams.system().withErrors((at, site, cause) -> { }), true));
        Lane lane = gate.lane(thread.context(), NONE);
        Lane alive = gate.lane(loops.a, NONE);
        gate.quiesce();
        CompletableFuture.runAsync(() -> {
            park(lane);
            park(lane);
        }, thread.context()).join();
        park(alive);
        thread.close();

        gate.resume();
        loops.settle();

        assertThat(loops.errors).singleElement().asString().contains("gate disk")
                .contains("2 parked requests were lost with the home of the lane of gone");
        assertThat(gate.parkedCount()).isZero();
        assertThat(lane.counter().inFlight()).isZero();
        assertThat(lane.isReplayBooked()).isFalse();
        gate.quiesce();
        gate.resume();
        assertThat(loops.errors).hasSize(1);
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
