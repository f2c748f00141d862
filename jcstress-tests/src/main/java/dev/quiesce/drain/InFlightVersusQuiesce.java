package dev.quiesce.drain;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/**
 * Can a request be admitted while the drainer concludes that nothing is in flight (I2)?
 *
 * <p>The requester counts itself, then looks at the quiesce counter. The drainer raises the quiesce
 * counter, then compares what left with what entered. The request never leaves, so "admitted" and
 * "settled" exclude each other.
 *
 * <pre>
 *     jcstress-tests/quick.sh InFlightVersusQuiesce
 * </pre>
 */
public class InFlightVersusQuiesce {
    private InFlightVersusQuiesce() {
    }

    /** Two counters and a flag, sequentially consistent on both sides. */
    @JCStressTest
    @Outcome(id = "true, true", expect = FORBIDDEN, desc = "Admitted and settled.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Admitted; the section waits.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Settled; the request parks.")
    @Outcome(id = "false, false", expect = ACCEPTABLE,
            desc = "The request parks, and was seen before it gave its count back.")
    @State
    public static class Model extends Fields {
        /** Counts, then looks. */
        @Actor
        public void requester(ZZ_Result r) {
            ENTERED.getAndAdd(this, 1);
            r.r1 = (int) QUIESCE.getVolatile(this) == 0;
        }

        /** Quiesces, then looks. */
        @Actor
        public void drainer(ZZ_Result r) {
            QUIESCE.getAndAdd(this, 1);
            int out = (int) LEFT.getVolatile(this);
            r.r2 = out == (int) ENTERED.getVolatile(this);
        }
    }

    /** The requester looks before it counts. */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE_INTERESTING, desc = "Admitted and settled.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookThenCount extends Fields {
        /** Looks, then counts. */
        @Actor
        public void requester(ZZ_Result r) {
            r.r1 = (int) QUIESCE.getVolatile(this) == 0;
            ENTERED.getAndAdd(this, 1);
        }

        /** As in the model. */
        @Actor
        public void drainer(ZZ_Result r) {
            QUIESCE.getAndAdd(this, 1);
            int out = (int) LEFT.getVolatile(this);
            r.r2 = out == (int) ENTERED.getVolatile(this);
        }
    }

    /**
     * A single writer counts by a release store and looks by an acquire load: the look may move
     * before the count.
     */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE_INTERESTING, desc = "Admitted and settled.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Fields {
        /** Counts with release, looks with acquire. */
        @Actor
        public void requester(ZZ_Result r) {
            ENTERED.setRelease(this, (int) ENTERED.get(this) + 1);
            r.r1 = (int) QUIESCE.getAcquire(this) == 0;
        }

        /** As in the model. */
        @Actor
        public void drainer(ZZ_Result r) {
            QUIESCE.getAndAdd(this, 1);
            int out = (int) LEFT.getVolatile(this);
            r.r2 = out == (int) ENTERED.getVolatile(this);
        }
    }

    /**
     * The atomic add has release semantics only: formally the look may still move before the
     * count. On x86 it cannot, where every atomic add is a full fence.
     */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE_INTERESTING, desc = "Admitted and settled.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAdd extends Fields {
        /** Counts with release, looks with acquire. */
        @Actor
        public void requester(ZZ_Result r) {
            ENTERED.getAndAddRelease(this, 1);
            r.r1 = (int) QUIESCE.getAcquire(this) == 0;
        }

        /** As in the model. */
        @Actor
        public void drainer(ZZ_Result r) {
            QUIESCE.getAndAdd(this, 1);
            int out = (int) LEFT.getVolatile(this);
            r.r2 = out == (int) ENTERED.getVolatile(this);
        }
    }

    /** The request hops from lane B to lane A; the drainer sums entered - left in one pass. */
    @JCStressTest
    @Outcome(id = "true", expect = ACCEPTABLE_INTERESTING, desc = "Settled while it hops.")
    @Outcome(id = "false", expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenOnePass extends TwoLanes {
        /** Enters A, then leaves B. */
        @Actor
        public void requester() {
            enteredA++;
            leftB++;
        }

        /** One pass. */
        @Actor
        public void drainer(Z_Result r) {
            int inFlight = enteredA - leftA;
            inFlight += enteredB - leftB;
            r.r1 = inFlight == 0;
        }
    }

    /** The same hop against the two passes. */
    @JCStressTest
    @Outcome(id = "true", expect = FORBIDDEN, desc = "Settled while it hops.")
    @Outcome(id = "false", expect = ACCEPTABLE, desc = "The section waits.")
    @State
    public static class ModelTwoPasses extends TwoLanes {
        /** Enters A, then leaves B. */
        @Actor
        public void requester() {
            enteredA++;
            leftB++;
        }

        /** First all that left, then all that entered. */
        @Actor
        public void drainer(Z_Result r) {
            int out = leftA;
            out += leftB;
            int in = enteredA;
            in += enteredB;
            r.r1 = in == out;
        }
    }

    /** The real lane and gate. */
    @JCStressTest
    @Outcome(id = "true, true", expect = FORBIDDEN, desc = "Admitted and settled.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Admitted; the section waits.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Settled; the request parks.")
    @Outcome(id = "false, false", expect = ACCEPTABLE,
            desc = "The request parks, and was seen before it gave its count back.")
    @State
    public static class Actual extends RealGate {
        /** {@link Lane#enter} without its thread check. */
        @Actor
        public void requester(ZZ_Result r) {
            laneA.count();
            r.r1 = laneA.isOpen();
        }

        /** {@link Gate#quiesce} without its thread check, and {@link Gate#isSettled}. */
        @Actor
        public void drainer(ZZ_Result r) {
            gate.beginSection();
            r.r2 = gate.isSettled();
        }
    }

    /** The real gate, and a request that hops from one lane to another. */
    @JCStressTest
    @Outcome(id = "true", expect = FORBIDDEN, desc = "Settled while it hops.")
    @Outcome(id = "false", expect = ACCEPTABLE, desc = "The section waits.")
    @State
    public static class ActualHop extends RealGate {
        /** Begins on lane B. */
        public ActualHop() {
            laneB.count();
            gate.beginSection();
        }

        /** Enters A, then leaves B. */
        @Actor
        public void requester() {
            laneA.count();
            laneB.giveBack(1);
        }

        /** Looks once. */
        @Actor
        public void drainer(Z_Result r) {
            r.r1 = gate.isSettled();
        }
    }

    /** The real gate, and a request that hops to a lane that is made at that moment. */
    @JCStressTest
    @Outcome(id = "true", expect = FORBIDDEN, desc = "Settled while it hops.")
    @Outcome(id = "false", expect = ACCEPTABLE, desc = "The section waits.")
    @State
    public static class ActualNewLane extends RealGate {
        /** Begins on lane B. */
        public ActualNewLane() {
            laneB.count();
            gate.beginSection();
        }

        /** Makes lane C, enters it, then leaves B. */
        @Actor
        public void requester() {
            gate.lane(Contexts.C, Contexts.REPLAY).count();
            laneB.giveBack(1);
        }

        /** Looks once. */
        @Actor
        public void drainer(Z_Result r) {
            r.r1 = gate.isSettled();
        }
    }

    /** The real gate: a settled section sees what the requests did, even by plain stores. */
    @JCStressTest
    @Outcome(id = "true, true, 0", expect = FORBIDDEN, desc = "Settled, but the effect is late.")
    @Outcome(id = "true, true, 1", expect = ACCEPTABLE, desc = "Settled after the request.")
    @Outcome(id = "true, false, 0", expect = ACCEPTABLE, desc = "The section waits.")
    @Outcome(id = "false, true, 0", expect = ACCEPTABLE, desc = "Settled; the request parks.")
    @Outcome(id = "false, false, 0", expect = ACCEPTABLE, desc = "On its way to park.")
    @State
    public static class ActualEffects extends RealGate {
        private int effect;

        /** Runs and leaves, or gives back. */
        @Actor
        public void requester(ZZI_Result r) {
            laneA.count();
            r.r1 = laneA.isOpen();
            if (r.r1) {
                effect = 1;
            }
            laneA.giveBack(1);
        }

        /** Looks once. */
        @Actor
        public void drainer(ZZI_Result r) {
            gate.beginSection();
            r.r2 = gate.isSettled();
            r.r3 = r.r2 ? effect : 0;
        }
    }

    /** The bare fields of the models. */
    static class Fields {
        static final VarHandle ENTERED = handle("entered");
        static final VarHandle LEFT = handle("left");
        static final VarHandle QUIESCE = handle("quiesce");

        int entered;
        int left;
        int quiesce;

        private static VarHandle handle(String name) {
            try {
                return MethodHandles.lookup().findVarHandle(Fields.class, name, int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }

    /** Two lanes with one writer; the request is on B, and the section was opened before. */
    static class TwoLanes {
        volatile int enteredA;
        volatile int leftA;
        volatile int enteredB = 1;
        volatile int leftB;
    }

    /** The real gate with two lanes. */
    static class RealGate {
        final Gate gate = new Gate("gate", Contexts.MAIN);
        final Lane laneA = gate.lane(Contexts.A, Contexts.REPLAY);
        final Lane laneB = gate.lane(Contexts.B, Contexts.REPLAY);
    }
}
