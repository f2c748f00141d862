package dev.quiesce.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Task;
import dev.quiesce.rules.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LaneTest {
    private final Loops loops = new Loops();
    private final Gate gate = new Gate("disk", loops.main);
    private final List<String> started = new ArrayList<>();
    private final Lane lane = gate.lane(loops.a, this::start);

    @Test
    void shouldAdmitWhileTheGateIsOpen() {
        assertThat(lane.enter()).isTrue();

        assertThat(gate.inFlight()).isEqualTo(1);
        assertThat(lane.parkedCount()).isZero();
    }

    @Test
    @Rule("DRAIN-27")
    @Rule("DRAIN-60")
    @Rule("BUG-50")
    void shouldParkWhileQuiescedAndGiveTheCountBack() {
        gate.quiesce();

        assertThat(lane.enter()).isFalse();
        assertThat(gate.isSettled()).isFalse();
        assertThat(lane.parkUnlessOpen(request("r"))).isTrue();

        assertThat(lane.parkedCount()).isEqualTo(1);
        assertThat(gate.isSettled()).isTrue();
    }

    @Test
    @Rule("DRAIN-30")
    @Rule("I5")
    @Rule("BUG-5")
    void shouldNotParkWhenTheGateOpenedMeanwhile() {
        gate.quiesce();
        boolean admitted = lane.enter();
        gate.resume();

        assertThat(admitted).isFalse();
        assertThat(lane.parkUnlessOpen(request("r"))).isFalse();
        assertThat(lane.parkedCount()).isZero();
        assertThat(gate.inFlight()).isEqualTo(1);
    }

    @Test
    @Rule("DRAIN-21")
    @Rule("DRAIN-26")
    @Rule("DRAIN-61")
    void shouldReplayOldestFirstAndNotInsideResume() {
        gate.quiesce();
        submit("r1");
        submit("r2");
        submit("r3");

        gate.resume();
        assertThat(started).isEmpty();
        loops.a.poll(0);

        assertThat(started).containsExactly("r1", "r2", "r3");
        assertThat(gate.inFlight()).isEqualTo(3);
    }

    @Test
    @Rule("DRAIN-61")
    void shouldStayParkedUntilTheLastSectionEnds() {
        gate.quiesce();
        gate.quiesce();
        submit("r");

        gate.resume();
        loops.settle();
        assertThat(started).isEmpty();

        gate.resume();
        loops.settle();
        assertThat(started).containsExactly("r");
    }

    @Test
    @Rule("DRAIN-23")
    @Rule("DRAIN-24")
    @Rule("SCHED-32")
    void shouldReplayIntoANewSectionWhichWaitsForIt() {
        gate.quiesce();
        submit("r");
        gate.resume();
        gate.quiesce();

        assertThat(gate.isSettled()).isFalse();
        loops.a.poll(0);
        assertThat(started).containsExactly("r");
        assertThat(gate.isSettled()).isFalse();

        lane.leaveAtSliceEnd();
        loops.settle();
        assertThat(gate.isSettled()).isTrue();
    }

    @Test
    void shouldPostOneReplayForTwoSectionsInARow() {
        gate.quiesce();
        submit("r1");
        gate.resume();
        gate.quiesce();
        submit("r2");
        gate.resume();

        loops.settle();

        assertThat(started).containsExactly("r1", "r2");
        assertThat(gate.inFlight()).isEqualTo(2);
    }

    @Test
    @Rule("DRAIN-25")
    void shouldQueueNewRequestsBehindParkedOnes() {
        gate.quiesce();
        submit("r1");
        gate.resume();

        submit("r2");
        assertThat(started).isEmpty();
        loops.settle();

        assertThat(started).containsExactly("r1", "r2");
    }

    @Test
    void shouldReplayWhatIsSubmittedByAReplayedRequest() {
        Lane own = gate.lane(loops.b, new ParkedReplay() {
            @Override
            public void replay(Task parked) {
                started.add(parked.toString());
                if (parked.toString().equals("r1")) {
                    submitTo(gate.lane(loops.b, this), "r3");
                }
            }
        });
        gate.quiesce();
        submitTo(own, "r1");
        submitTo(own, "r2");

        gate.resume();
        loops.settle();

        assertThat(started).containsExactly("r1", "r2", "r3");
        assertThat(gate.inFlight()).isEqualTo(3);
        assertThat(own.isReplayBooked()).isFalse();
    }

    @Test
    void shouldReplayTheOthersWhenOneThrows() {
        gate.quiesce();
        submit("r1");
        submit("throws");
        submit("r3");

        gate.resume();
        loops.settle();

        assertThat(started).containsExactly("r1", "throws", "r3");
        assertThat(loops.errors).singleElement().asString().contains("replay of parked requests");
        assertThat(gate.inFlight()).isEqualTo(3);
    }

    @Test
    void shouldKeepTheRestParkedWhenOneThrowsInANewSection() {
        gate.quiesce();
        submit("throws");
        submit("r2");
        gate.resume();
        gate.quiesce();

        loops.settle();
        assertThat(started).containsExactly("throws");
        assertThat(gate.inFlight()).isEqualTo(1);

        gate.resume();
        loops.settle();
        assertThat(started).containsExactly("throws", "r2");
    }

    @Test
    @Rule("DRAIN-61")
    void shouldUnparkAndCountAgain() {
        gate.quiesce();
        Task first = submit("r1");
        Task second = submit("r2");
        Task third = submit("r3");

        assertThat(lane.unpark(second)).isTrue();
        assertThat(lane.unpark(second)).isFalse();
        assertThat(gate.inFlight()).isEqualTo(1);
        assertThat(lane.parkedCount()).isEqualTo(2);

        gate.resume();
        loops.settle();
        assertThat(started).containsExactly("r1", "r3");
        assertThat(lane.unpark(first)).isFalse();
        assertThat(lane.unpark(third)).isFalse();
    }

    @Test
    void shouldReplayNothingWhenAllWereUnparkedMeanwhile() {
        gate.quiesce();
        Task task = submit("r");
        gate.resume();
        lane.unpark(task);

        loops.settle();

        assertThat(started).isEmpty();
        assertThat(gate.inFlight()).isEqualTo(1);
        assertThat(lane.isReplayBooked()).isFalse();
    }

    @Test
    @Rule("BB-35")
    @Rule("DRAIN-29")
    @Rule("BUG-72")
    void shouldLeaveAfterTheSliceWasPublished() {
        List<Long> seen = new ArrayList<>();
        lane.enter();
        lane.enter();
        loops.a.post(Loops.task("completions", () -> {
            lane.leaveAtSliceEnd();
            lane.leaveAtSliceEnd();
            loops.a.deferCall(Loops.call(() -> seen.add(gate.inFlight())));
        }));

        loops.a.poll(0);

        assertThat(seen).containsExactly(2L);
        assertThat(gate.inFlight()).isZero();
    }

    @Test
    void shouldLeaveInANestedPollWhatReturnedBeforeIt() {
        List<Long> seen = new ArrayList<>();
        lane.enter();
        lane.enter();
        loops.a.post(Loops.task("first", lane::leaveAtSliceEnd));
        loops.a.post(Loops.task("second", () -> {
            loops.a.poll(0);
            seen.add(gate.inFlight());
            lane.leaveAtSliceEnd();
        }));

        loops.a.poll(0);

        assertThat(seen).containsExactly(1L);
        assertThat(gate.inFlight()).isZero();
    }

    @Test
    @Rule("DRAIN-50")
    void shouldWakeMainWhenLeavingAQuiescedGate() {
        lane.enter();
        gate.quiesce();
        lane.leaveAtSliceEnd();

        loops.a.poll(0);

        assertThat(wakesMain()).isTrue();
    }

    @Test
    @Rule("DRAIN-50")
    void shouldWakeMainWhenParking() {
        gate.quiesce();

        submit("r");

        assertThat(wakesMain()).isTrue();
    }

    @Test
    void shouldLetMainSleepWhenLeavingAnOpenGate() {
        lane.enter();
        lane.leaveAtSliceEnd();

        loops.a.poll(0);

        assertThat(wakesMain()).isFalse();
    }

    @Test
    void shouldRefuseCallersThatAreNotHome() {
        Lane foreign = gate.lane(new AioContext("elsewhere", LoopSeams.system()), parked -> { });
        Task task = request("r");

        assertRefused(foreign::enter);
        assertRefused(() -> foreign.parkUnlessOpen(task));
        assertRefused(() -> foreign.unpark(task));
        assertRefused(foreign::leaveAtSliceEnd);
        assertRefused(foreign::completionBegins);
        assertRefused(foreign::completionEnds);
        assertThat(gate.inFlight()).isZero();
    }

    private static void assertRefused(Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("elsewhere");
    }

    /** A wake-up that came since main last looked makes its next sleep return at once. */
    private boolean wakesMain() {
        long before = loops.nanoTime();
        loops.main.poll(1_000);
        return loops.nanoTime() == before;
    }

    private Task submit(String name) {
        return submitTo(lane, name);
    }

    private Task submitTo(Lane to, String name) {
        Task task = request(name);
        if (to.enter() || !to.parkUnlessOpen(task)) {
            started.add(name);
        }
        return task;
    }

    private void start(Task task) {
        started.add(task.toString());
        if (task.toString().equals("throws")) {
            throw new IllegalStateException("this one cannot start");
        }
    }

    private static Task request(String name) {
        return Loops.task(name, () -> { });
    }
}
