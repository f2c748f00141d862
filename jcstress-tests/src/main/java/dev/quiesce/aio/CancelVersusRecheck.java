package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;

/**
 * Can a consumer that cancels a bottom half and then checks its condition again miss both the
 * schedule and the condition (AIO-10, AIO-11)?
 *
 * <p>The producer makes a condition true and schedules the consumer's bottom half. The consumer
 * cancels it and looks at the condition itself. First result: the condition as the consumer saw it.
 * Second: whether the bottom half is still scheduled in the end.
 *
 * <pre>
 *     jcstress-tests/quick.sh CancelVersusRecheck
 * </pre>
 */
public class CancelVersusRecheck {
    private CancelVersusRecheck() {
    }

    /** Both sides change the flag by a read-modify-write; the check comes after it. */
    @JCStressTest
    @Outcome(id = "0, false", expect = FORBIDDEN, desc = "Wiped out, and not seen.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Wiped out, and seen.")
    @Outcome(id = "0, true", expect = ACCEPTABLE, desc = "It will run.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen, and it will run all the same.")
    @State
    public static class Model extends Fields {
        /** Makes it true, then schedules. */
        @Actor
        public void producer() {
            condition = 1;
            SCHEDULED.getAndBitwiseOr(this, 1);
        }

        /** Cancels, then checks. */
        @Actor
        public void consumer(IZ_Result r) {
            SCHEDULED.getAndBitwiseAnd(this, 0);
            r.r1 = condition;
        }

        /** What will run. */
        @Arbiter
        public void end(IZ_Result r) {
            r.r2 = scheduled != 0;
        }
    }

    /** Cancels by a store with release: the check may move before it. */
    @JCStressTest
    @Outcome(id = "0, false", expect = ACCEPTABLE_INTERESTING, desc = "Wiped out, and not seen.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenCancelsByStore extends Fields {
        /** As in the model. */
        @Actor
        public void producer() {
            condition = 1;
            SCHEDULED.getAndBitwiseOr(this, 1);
        }

        /** Cancels with release, then checks. */
        @Actor
        public void consumer(IZ_Result r) {
            SCHEDULED.setRelease(this, 0);
            r.r1 = condition;
        }

        /** What will run. */
        @Arbiter
        public void end(IZ_Result r) {
            r.r2 = scheduled != 0;
        }
    }

    /** Checks before it cancels. */
    @JCStressTest
    @Outcome(id = "0, false", expect = ACCEPTABLE_INTERESTING, desc = "Wiped out, and not seen.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenChecksFirst extends Fields {
        /** As in the model. */
        @Actor
        public void producer() {
            condition = 1;
            SCHEDULED.getAndBitwiseOr(this, 1);
        }

        /** Checks, then cancels. */
        @Actor
        public void consumer(IZ_Result r) {
            r.r1 = condition;
            SCHEDULED.getAndBitwiseAnd(this, 0);
        }

        /** What will run. */
        @Arbiter
        public void end(IZ_Result r) {
            r.r2 = scheduled != 0;
        }
    }

    /** The real bottom half. */
    @JCStressTest
    @Outcome(id = "0, false", expect = FORBIDDEN, desc = "Wiped out, and not seen.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Wiped out, and seen.")
    @Outcome(id = "0, true", expect = ACCEPTABLE, desc = "It will run.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen, and it will run all the same.")
    @State
    public static class Actual {
        private final BottomHalf half = new BottomHalf(
                new AioContext("loop", LoopSeams.system()), "half", () -> { });
        private int condition;

        /** Makes it true, then schedules. */
        @Actor
        public void producer() {
            condition = 1;
            half.schedule();
        }

        /** Cancels, then checks. */
        @Actor
        public void consumer(IZ_Result r) {
            half.cancel();
            r.r1 = condition;
        }

        /** What will run. */
        @Arbiter
        public void end(IZ_Result r) {
            r.r2 = half.isScheduled();
        }
    }

    /** A flag, and what the consumer waits for. */
    static class Fields {
        static final VarHandle SCHEDULED = Handles.of(Fields.class, "scheduled");

        int scheduled;
        int condition;
    }
}
