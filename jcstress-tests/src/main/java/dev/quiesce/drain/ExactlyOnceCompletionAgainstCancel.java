package dev.quiesce.drain;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.Task;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Can a parked request be both cancelled and started, or neither?
 *
 * <p>The home context cancels a parked request while control ends the section and books its replay;
 * afterwards the home context runs the replay if one was booked. First result: how often it was
 * cancelled. Second: how often it was started.
 *
 * <pre>
 *     jcstress-tests/quick.sh ExactlyOnceCompletionAgainstCancel
 * </pre>
 */
public class ExactlyOnceCompletionAgainstCancel {
    private ExactlyOnceCompletionAgainstCancel() {
    }

    /** Whoever takes it out of the lot under the lock has it. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Cancelled.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Started.")
    @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "Cancelled and started.")
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "Lost.")
    @State
    public static class Model {
        private boolean parked = true;

        /** Takes it out of the lot under the lock. */
        @Actor
        public void canceller(II_Result r) {
            r.r1 = take();
        }

        /** Takes it out of the lot under the lock. */
        @Actor
        public void replayer(II_Result r) {
            r.r2 = take();
        }

        private synchronized int take() {
            boolean found = parked;
            parked = false;
            return found ? 1 : 0;
        }
    }

    /** Looks at it, and takes it out a moment later. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE_INTERESTING, desc = "Cancelled and started.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookThenTake {
        private volatile boolean parked = true;

        /** Looks, then takes. */
        @Actor
        public void canceller(II_Result r) {
            r.r1 = take();
        }

        /** Looks, then takes. */
        @Actor
        public void replayer(II_Result r) {
            r.r2 = take();
        }

        private int take() {
            if (!parked) {
                return 0;
            }
            parked = false;
            return 1;
        }
    }

    /** The real lane: {@link Lane#unpark} against {@link Gate#resume}, then the replay. */
    @JCStressTest
    @Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "Cancelled; it owns its count.")
    @Outcome(id = "0, 1, 1", expect = ACCEPTABLE, desc = "Started; it owns its count.")
    @Outcome(expect = FORBIDDEN, desc = "Both, neither, or a count that nobody owns.")
    @State
    public static class Actual extends Parked {
        /** Cancels. */
        @Actor
        public void home(III_Result r) {
            r.r1 = lane.takeOut(request) ? 1 : 0;
        }

        /** Ends the section. */
        @Actor
        public void control() {
            gate.endSection(booked);
        }

        /** The home context again: runs the replay if one is booked. */
        @Arbiter
        public void replay(III_Result r) {
            if (!booked.isEmpty()) {
                r.r2 = lane.takeForReplay() == request ? 1 : 0;
                if (!lane.replayAgain()) {
                    lane.giveBack(1);
                }
            }
            r.r3 = (int) gate.inFlight();
        }
    }

    /** The real lane: cancelling against the replay itself, should anybody run them at once. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Cancelled.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Started.")
    @Outcome(expect = FORBIDDEN, desc = "Both or neither.")
    @State
    public static class ActualReplay extends Parked {
        /** Cancels. */
        @Actor
        public void canceller(II_Result r) {
            r.r1 = lane.takeOut(request) ? 1 : 0;
        }

        /** Replays. */
        @Actor
        public void replayer(II_Result r) {
            r.r2 = lane.takeForReplay() == request ? 1 : 0;
        }
    }

    /** A request that is parked in an open section. */
    static class Parked {
        final Gate gate = new Gate("gate", Contexts.MAIN);
        final Lane lane = gate.lane(Contexts.A, Contexts.REPLAY);
        final Task request = new ParkVersusResume.Request();
        final List<Lane> booked = new ArrayList<>(1);

        Parked() {
            gate.beginSection();
            lane.count();
            if (!lane.park(request)) {
                throw new AssertionError("the section is open");
            }
        }
    }
}
