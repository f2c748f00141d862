package dev.quiesce.drain;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can the last request leave without a kick, while the section goes to sleep (DRAIN-50)?
 *
 * <p>The leaver counts itself out, then looks whether a section is open and wakes the waiter only
 * then. The drainer quiesces, then looks whether all have left, and sleeps if not. First result:
 * the leaver kicks. Second: the drainer saw it gone.
 *
 * <pre>
 *     jcstress-tests/quick.sh KickVersusFirstLook
 * </pre>
 */
public class KickVersusFirstLook {
    private KickVersusFirstLook() {
    }

    /** Sequentially consistent on both sides. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "No kick, and asleep for ever.")
    @Outcome(expect = ACCEPTABLE, desc = "The kick comes, or is not needed.")
    @State
    public static class Model extends InFlightVersusQuiesce.Fields {
        /** Leaves, then looks. */
        @Actor
        public void leaver(ZZ_Result r) {
            LEFT.getAndAdd(this, 1);
            r.r1 = (int) QUIESCE.getVolatile(this) != 0;
        }

        /** Quiesces, then looks. */
        @Actor
        public void drainer(ZZ_Result r) {
            QUIESCE.getAndAdd(this, 1);
            r.r2 = (int) LEFT.getVolatile(this) == 1;
        }
    }

    /** Leaves by a release store: the look may move before it. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "No kick, and asleep for ever.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenRelease extends InFlightVersusQuiesce.Fields {
        /** Leaves with release, looks with acquire. */
        @Actor
        public void leaver(ZZ_Result r) {
            LEFT.setRelease(this, 1);
            r.r1 = (int) QUIESCE.getAcquire(this) != 0;
        }

        /** As in the model. */
        @Actor
        public void drainer(ZZ_Result r) {
            QUIESCE.getAndAdd(this, 1);
            r.r2 = (int) LEFT.getVolatile(this) == 1;
        }
    }

    /** The real lane and gate. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "No kick, and asleep for ever.")
    @Outcome(expect = ACCEPTABLE, desc = "The kick comes, or is not needed.")
    @State
    public static class Actual {
        private final Gate gate = new Gate("gate", Contexts.MAIN);
        private final Lane lane = gate.lane(Contexts.A, Contexts.REPLAY);

        /** One request is in flight. */
        public Actual() {
            lane.count();
        }

        /** Leaves, then looks, as the batch at the end of a slice does. */
        @Actor
        public void leaver(ZZ_Result r) {
            lane.giveBack(1);
            r.r1 = gate.isQuiesced();
        }

        /** Quiesces, then looks. */
        @Actor
        public void drainer(ZZ_Result r) {
            gate.beginSection();
            r.r2 = gate.isSettled();
        }
    }
}
