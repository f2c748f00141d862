package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Can a work item be both cancelled and done, or neither?
 *
 * <p>The home context cancels an item while a worker takes it from the queue. First result: whether
 * it was cancelled. Second: whether the worker took it.
 *
 * <pre>
 *     jcstress-tests/quick.sh WorkCancelVersusStart
 * </pre>
 */
public class WorkCancelVersusStart {
    private static final int QUEUED = 1;

    private WorkCancelVersusStart() {
    }

    /** One compare and set leads out of the state. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "Cancelled.")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "Started.")
    @Outcome(id = "1, 1", expect = FORBIDDEN, desc = "Cancelled and started.")
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "Lost.")
    @State
    public static class Model {
        private final AtomicInteger state = new AtomicInteger(QUEUED);

        /** Cancels. */
        @Actor
        public void home(II_Result r) {
            r.r1 = state.compareAndSet(QUEUED, 2) ? 1 : 0;
        }

        /** Starts. */
        @Actor
        public void worker(II_Result r) {
            r.r2 = state.compareAndSet(QUEUED, 3) ? 1 : 0;
        }
    }

    /** Looks at the state, and changes it a moment later. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE_INTERESTING, desc = "Cancelled and started.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookThenSet {
        private volatile int state = QUEUED;

        /** Cancels. */
        @Actor
        public void home(II_Result r) {
            r.r1 = change(2);
        }

        /** Starts. */
        @Actor
        public void worker(II_Result r) {
            r.r2 = change(3);
        }

        private int change(int to) {
            if (state != QUEUED) {
                return 0;
            }
            state = to;
            return 1;
        }
    }

    /** The real item. Third result: how often it was worked on. Fourth: how often it came home. */
    @JCStressTest
    @Outcome(id = "1, 0, 0, 1", expect = ACCEPTABLE, desc = "Cancelled, and home once.")
    @Outcome(id = "0, 1, 1, 1", expect = ACCEPTABLE, desc = "Done, and home once.")
    @Outcome(expect = FORBIDDEN, desc = "Both, neither, or not home once.")
    @State
    public static class Actual {
        private final AioContext context = new AioContext("home", LoopSeams.system());
        private final Item item = new Item();

        /** The item is queued. */
        public Actual() {
            Lease lease = context.acquire();
            item.submitted(context);
            lease.close();
        }

        /** {@link Workers#cancel}. */
        @Actor
        public void home(IIII_Result r) {
            Lease lease = context.acquire();
            r.r1 = item.withdraw() ? 1 : 0;
            lease.close();
        }

        /** What a worker does. */
        @Actor
        public void worker(IIII_Result r) {
            r.r2 = item.perform() ? 1 : 0;
        }

        /** The home context's next turn. */
        @Arbiter
        public void turn(IIII_Result r) {
            Lease lease = context.acquire();
            context.poll(0);
            lease.close();
            r.r3 = item.worked;
            r.r4 = item.cameHome;
        }
    }

    /** Counts. */
    private static final class Item extends WorkItem {
        private int worked;
        private int cameHome;

        @Override
        protected void work() {
            worked++;
        }

        @Override
        protected void run() {
            cameHome++;
        }
    }
}
