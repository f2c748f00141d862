package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Does the next owner of a context see everything that the last one did there?
 *
 * <p>Two threads try to own the same context, and each that gets it counts up a plain field. The
 * result of each: the count as it left it, or 0 if it was refused.
 *
 * <pre>
 *     jcstress-tests/quick.sh LeaseHandOver
 * </pre>
 */
public class LeaseHandOver {
    private LeaseHandOver() {
    }

    /** Acquire on taking, release on giving back. */
    @JCStressTest
    @Outcome(id = {"1, 2", "2, 1"}, expect = ACCEPTABLE, desc = "One after the other.")
    @Outcome(id = {"0, 1", "1, 0"}, expect = ACCEPTABLE, desc = "One was refused.")
    @Outcome(expect = FORBIDDEN, desc = "Both at once, or one did not see the other.")
    @State
    public static class Model extends Fields {
        /** Owns it for a moment. */
        @Actor
        public void first(II_Result r) {
            r.r1 = own();
        }

        /** Owns it for a moment. */
        @Actor
        public void second(II_Result r) {
            r.r2 = own();
        }

        private int own() {
            if (!OWNED.compareAndSet(this, 0, 1)) {
                return 0;
            }
            int mine = ++count;
            OWNED.setRelease(this, 0);
            return mine;
        }
    }

    /** Gives it back before its last write. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE_INTERESTING, desc = "One did not see the other.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenGivesBackEarly extends Fields {
        /** Owns it for a moment. */
        @Actor
        public void first(II_Result r) {
            r.r1 = own();
        }

        /** Owns it for a moment. */
        @Actor
        public void second(II_Result r) {
            r.r2 = own();
        }

        private int own() {
            if (!OWNED.compareAndSet(this, 0, 1)) {
                return 0;
            }
            int mine = count + 1;
            OWNED.setRelease(this, 0);
            count = mine;
            return mine;
        }
    }

    /** Looks whether it is free, and takes it a moment later. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE_INTERESTING, desc = "Both at once.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookThenTake extends Fields {
        /** Owns it for a moment. */
        @Actor
        public void first(II_Result r) {
            r.r1 = own();
        }

        /** Owns it for a moment. */
        @Actor
        public void second(II_Result r) {
            r.r2 = own();
        }

        private int own() {
            if ((int) OWNED.getVolatile(this) != 0) {
                return 0;
            }
            OWNED.setVolatile(this, 1);
            int mine = ++count;
            OWNED.setRelease(this, 0);
            return mine;
        }
    }

    /** The real lease; what a posted task does is handed over too. */
    @JCStressTest
    @Outcome(id = {"1, 2", "2, 1"}, expect = ACCEPTABLE, desc = "One after the other.")
    @Outcome(id = {"0, 1", "1, 0"}, expect = ACCEPTABLE, desc = "One was refused.")
    @Outcome(expect = FORBIDDEN, desc = "Both at once, or one did not see the other.")
    @State
    public static class Actual {
        private final AioContext context = new AioContext("shared", LoopSeams.system());
        private int count;

        /** Owns it for a slice. */
        @Actor
        public void first(II_Result r) {
            r.r1 = own(new Count());
        }

        /** Owns it for a slice. */
        @Actor
        public void second(II_Result r) {
            r.r2 = own(new Count());
        }

        private int own(Task task) {
            Lease lease;
            try {
                lease = context.acquire();
            } catch (IllegalStateException owned) {
                return 0;
            }
            context.defer(task);
            context.poll(0);
            int mine = count;
            lease.close();
            return mine;
        }

        private final class Count extends Task {
            @Override
            protected void run() {
                count++;
            }
        }
    }

    /** Who owns it, and what the owners work on. */
    static class Fields {
        static final VarHandle OWNED = Handles.of(Fields.class, "owned");

        int owned;
        int count;
    }
}
