package dev.quiesce.drain;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.Task;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can a request stay parked behind the closing of its backend (DRAIN-61)?
 *
 * <p>The requester parks and then looks whether the backend is closed. The closer says that it is
 * and then looks for what is parked. First result: the requester saw the close. Second: the closer
 * saw the request.
 *
 * <pre>
 *     jcstress-tests/quick.sh ParkVersusClose
 * </pre>
 */
public class ParkVersusClose {
    private ParkVersusClose() {
    }

    /** Either side writes, takes the lock, and looks. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Left parked.")
    @Outcome(expect = ACCEPTABLE, desc = "Somebody finishes it.")
    @State
    public static class Model {
        private volatile boolean closed;
        private int parked;

        /** Parks under the lock, then looks. */
        @Actor
        public void requester(ZZ_Result r) {
            synchronized (this) {
                parked++;
            }
            r.r1 = closed;
        }

        /** Says so, then looks under the lock. */
        @Actor
        public void closer(ZZ_Result r) {
            closed = true;
            synchronized (this) {
                r.r2 = parked > 0;
            }
        }
    }

    /** The closer looks before it says so. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING, desc = "Left parked.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLooksFirst {
        private volatile boolean closed;
        private int parked;

        /** As in the model. */
        @Actor
        public void requester(ZZ_Result r) {
            synchronized (this) {
                parked++;
            }
            r.r1 = closed;
        }

        /** Looks under the lock, then says so. */
        @Actor
        public void closer(ZZ_Result r) {
            synchronized (this) {
                r.r2 = parked > 0;
            }
            closed = true;
        }
    }

    /** The real lane and gate. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Left parked.")
    @Outcome(expect = ACCEPTABLE, desc = "Somebody finishes it.")
    @State
    public static class Actual {
        private final Gate gate = new Gate("gate", Contexts.MAIN);
        private final Lane lane = gate.lane(Contexts.A, Contexts.REPLAY);
        private final Task request = new ParkVersusResume.Request();
        private volatile boolean closed;

        /** Counted, and the section is open. */
        public Actual() {
            gate.beginSection();
            lane.count();
        }

        /** {@link Lane#parkUnlessOpen} without its thread check; then looks. */
        @Actor
        public void requester(ZZ_Result r) {
            if (!lane.park(request)) {
                throw new AssertionError("the section is open");
            }
            r.r1 = closed;
        }

        /** Says so, then looks. */
        @Actor
        public void closer(ZZ_Result r) {
            closed = true;
            r.r2 = lane.parkedCount() > 0;
        }
    }
}
