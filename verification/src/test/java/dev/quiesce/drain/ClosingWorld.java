package dev.quiesce.drain;

import dev.quiesce.drain.GateSteps.LaneSteps;
import dev.quiesce.drain.Request.State;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;

/**
 * The closing of a backend inside somebody's section, against one request that parks. The home of
 * the lane is one thread: the submission and the task that finishes what is parked take turns.
 */
final class ClosingWorld {
    private static final String SUBMITTED = "is done submitting";

    private final GateSteps gate = new RealGateSteps();
    private final LaneSteps lane = gate.lane(0);
    private final Request request = new Request("r");
    private boolean busy;
    private boolean closed;
    private boolean sawParked;
    private boolean sawClosed;
    private boolean posted;

    private ClosingWorld() {
        gate.quiesce();
    }

    static StepModel<ClosingWorld> model(String question) {
        return StepModel.of(question, ClosingWorld::new)
                .fingerprint(ClosingWorld::fingerprint)
                .showing(ClosingWorld::fingerprint)
                .inTheEnd("a request is left parked", w -> w.request.state == State.DONE)
                .inTheEnd("counts are out of balance", ClosingWorld::isBalanced);
    }

    /** As a port: parks, then looks whether the backend is closed. */
    static void submitter(StepProgram<ClosingWorld> program) {
        countAndPark(program)
                .branch("looks whether it is closed", w -> w.closed ? null : SUBMITTED)
                .step("finishes what is parked", ClosingWorld::finishParked)
                .step(SUBMITTED, w -> w.busy = false);
    }

    /** Looks whether the backend is closed, then parks. */
    static void hastySubmitter(StepProgram<ClosingWorld> program) {
        program.step("looks whether it is closed", w -> w.sawClosed = w.closed);
        countAndPark(program)
                .branch("goes by what it saw", w -> w.sawClosed ? null : SUBMITTED)
                .step("finishes what is parked", ClosingWorld::finishParked)
                .step(SUBMITTED, w -> w.busy = false);
    }

    private static StepProgram<ClosingWorld> countAndPark(StepProgram<ClosingWorld> program) {
        return program
                .stepWhen("counts", w -> !w.busy, w -> {
                    w.busy = true;
                    w.lane.count();
                })
                .step("parks", w -> {
                    if (!w.lane.park(w.request)) {
                        throw new IllegalStateException("the section is open");
                    }
                    w.request.become(State.NEW, State.PARKED);
                });
    }

    /** Says that it is closed, then looks for what is parked. */
    static void closer(StepProgram<ClosingWorld> program) {
        program.step("says that it is closed", w -> w.closed = true)
                .step("looks for what is parked", w -> w.sawParked = w.lane.parkedCount() > 0)
                .step("posts", w -> w.posted = w.sawParked);
    }

    /** Looks for what is parked, then says that it is closed. */
    static void hastyCloser(StepProgram<ClosingWorld> program) {
        program.step("looks for what is parked", w -> w.sawParked = w.lane.parkedCount() > 0)
                .step("says that it is closed", w -> w.closed = true)
                .step("posts", w -> w.posted = w.sawParked);
    }

    /** The task that the closer posts. */
    static void task(StepProgram<ClosingWorld> program) {
        program.serves().branchWhen("takes what is parked", w -> w.posted && !w.busy, w -> {
            w.posted = false;
            w.finishParked();
            return "takes what is parked";
        });
    }

    private void finishParked() {
        for (Request each = lane.takeForReplay(); each != null; each = lane.takeForReplay()) {
            each.become(State.PARKED, State.DONE);
            lane.giveBack();
        }
    }

    private boolean isBalanced() {
        GateSteps.ScanSteps scan = gate.scan();
        boolean complete = false;
        while (!complete) {
            complete = scan.step();
        }
        return scan.isSettled();
    }

    private String fingerprint() {
        return gate.fingerprint() + request + (busy ? " busy" : " free")
                + (closed ? " closed" : " open") + (sawParked ? " saw parked" : "")
                + (sawClosed ? " saw closed" : "") + (posted ? " posted" : "");
    }
}
