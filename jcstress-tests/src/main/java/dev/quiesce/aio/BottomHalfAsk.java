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
 * Can an ask from elsewhere be lost while the loop runs the bottom half for an ask of its own
 * (AIO-4)?
 *
 * <p>The asker writes, then sets SCHEDULED. The loop clears SCHEDULED if it is set, then runs and
 * reads. First result: what the run saw. Second: whether the ask is still on record in the end, for
 * the errand to serve.
 *
 * <pre>
 *     jcstress-tests/quick.sh BottomHalfAsk
 * </pre>
 */
public class BottomHalfAsk {
    private BottomHalfAsk() {
    }

    /** Both are read-modify-writes of one word; the loop may read it first. */
    @JCStressTest
    @Outcome(id = "0, false", expect = FORBIDDEN, desc = "Lost.")
    @Outcome(id = "0, true", expect = ACCEPTABLE, desc = "For the errand.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Served by this run.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen, and served again.")
    @State
    public static class Model extends Fields {
        /** Writes, then asks. */
        @Actor
        public void asker() {
            written = 1;
            SCHEDULED.getAndSet(this, 1);
        }

        /** Begins, then reads. */
        @Actor
        public void loop(IZ_Result r) {
            if ((int) SCHEDULED.getVolatile(this) != 0) {
                SCHEDULED.getAndSet(this, 0);
            }
            r.r1 = written;
        }

        /** What the errand will find. */
        @Arbiter
        public void errand(IZ_Result r) {
            r.r2 = scheduled != 0;
        }
    }

    /** The loop reads first, and clears afterwards. */
    @JCStressTest
    @Outcome(id = "0, false", expect = ACCEPTABLE_INTERESTING, desc = "Lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenClearedAfterTheRun extends Fields {
        /** Writes, then asks. */
        @Actor
        public void asker() {
            written = 1;
            SCHEDULED.getAndSet(this, 1);
        }

        /** Reads, then clears. */
        @Actor
        public void loop(IZ_Result r) {
            r.r1 = written;
            SCHEDULED.getAndSet(this, 0);
        }

        /** What the errand will find. */
        @Arbiter
        public void errand(IZ_Result r) {
            r.r2 = scheduled != 0;
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "0, false", expect = FORBIDDEN, desc = "Lost.")
    @Outcome(id = "0, true", expect = ACCEPTABLE, desc = "For the errand.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Served by this run.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen, and served again.")
    @State
    public static class Actual {
        private final BottomHalf half = new BottomHalf(
                new AioContext("loop", LoopSeams.system()), "half", () -> { });
        private int written;

        /** Writes, then asks. */
        @Actor
        public void asker() {
            written = 1;
            half.ask();
        }

        /** What the bottom half's own task does. */
        @Actor
        public void loop(IZ_Result r) {
            half.beginAtHome();
            r.r1 = written;
        }

        /** What the errand will find. */
        @Arbiter
        public void errand(IZ_Result r) {
            r.r2 = (half.begin() & BottomHalf.SCHEDULED) != 0;
        }
    }

    /** The bare fields. */
    static class Fields {
        static final VarHandle SCHEDULED = Handles.of(Fields.class, "scheduled");

        int scheduled;
        int written;
    }
}
