package dev.quiesce.drain;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.Task;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can a request park after the last look at the parking lot (I5, DRAIN-30)?
 *
 * <p>The requester has counted itself and seen the section open; it parks. At the same time the
 * section ends. First result: it parked. Second: a replay was booked.
 *
 * <pre>
 *     jcstress-tests/quick.sh ParkVersusResume
 * </pre>
 */
public class ParkVersusResume {
    private ParkVersusResume() {
    }

    /** Looks again under the lock that the end of the section takes. */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Parked, and found.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "Not parked: it runs.")
    @Outcome(id = "true, false", expect = FORBIDDEN, desc = "Stranded.")
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Found, but not parked.")
    @State
    public static class Model extends ParkingLot {
        /** Parks if the section is open, decided under the lock. */
        @Actor
        public void requester(ZZ_Result r) {
            synchronized (this) {
                if (quiesce > 0) {
                    parked++;
                    r.r1 = true;
                }
            }
        }

        /** Ends the section and looks at the lot, under the lock. */
        @Actor
        public void control(ZZ_Result r) {
            r.r2 = end();
        }
    }

    /** Decides before it takes the lock. */
    @JCStressTest
    @Outcome(id = "true, false", expect = ACCEPTABLE_INTERESTING, desc = "Stranded.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenNoSecondLook extends ParkingLot {
        /** Parks if the section was open a moment ago. */
        @Actor
        public void requester(ZZ_Result r) {
            if (quiesce > 0) {
                synchronized (this) {
                    parked++;
                    r.r1 = true;
                }
            }
        }

        /** As in the model. */
        @Actor
        public void control(ZZ_Result r) {
            r.r2 = end();
        }
    }

    /** The real lane and gate. */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Parked, and found.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "Not parked: it runs.")
    @Outcome(id = "true, false", expect = FORBIDDEN, desc = "Stranded.")
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Found, but not parked.")
    @State
    public static class Actual {
        private final Gate gate = new Gate("gate", Contexts.MAIN);
        private final Lane lane = gate.lane(Contexts.A, Contexts.REPLAY);
        private final Task request = new Request();

        /** Counted, and the section is open. */
        public Actual() {
            gate.beginSection();
            lane.count();
        }

        /** {@link Lane#parkUnlessOpen} without its thread check. */
        @Actor
        public void requester(ZZ_Result r) {
            r.r1 = lane.park(request);
        }

        /** {@link Gate#resume} without its thread check. */
        @Actor
        public void control(ZZ_Result r) {
            List<Lane> booked = new ArrayList<>(1);
            gate.endSection(booked);
            r.r2 = !booked.isEmpty();
        }
    }

    /** A section that is open, and an empty parking lot. */
    static class ParkingLot {
        volatile int quiesce = 1;
        int parked;

        boolean end() {
            synchronized (this) {
                quiesce--;
                return parked > 0;
            }
        }
    }

    /** Never runs. */
    static final class Request extends Task {
        @Override
        protected void run() {
            throw new AssertionError("nobody queues it");
        }
    }
}
