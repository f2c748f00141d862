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
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can a pool that is being closed refuse an item and do it all the same, or neither (AIO-74)?
 *
 * <p>The submitter queues the item, then looks whether the pool is closed and its workers have
 * gone; if so it takes the item back. The last worker looks at the queue once more after the pool
 * was closed, and takes what it finds. First result: the submitter is refused. Second: the item is
 * done.
 *
 * <pre>
 *     jcstress-tests/quick.sh SubmitVersusClose
 * </pre>
 */
public class SubmitVersusClose {
    private SubmitVersusClose() {
    }

    /** Each takes the item by a compare and set, and the submitter is refused only with it. */
    @JCStressTest
    @Outcome(id = "true, true", expect = FORBIDDEN, desc = "Refused, and done.")
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Neither.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Refused.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Done.")
    @State
    public static class Model extends Fields {
        /** Queues, then looks. */
        @Actor
        public void submitter(ZZ_Result r) {
            STATE.setVolatile(this, QUEUED);
            r.r1 = (int) GONE.getVolatile(this) != 0
                    && STATE.compareAndSet(this, QUEUED, IDLE);
        }

        /** Goes, then looks once more. */
        @Actor
        public void worker(ZZ_Result r) {
            GONE.setVolatile(this, 1);
            r.r2 = STATE.compareAndSet(this, QUEUED, RUNNING);
        }
    }

    /** The submitter refuses without asking whether it still has the item. */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE_INTERESTING, desc = "Refused, and done.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenUnseenFailure extends Fields {
        /** Queues, then looks. */
        @Actor
        public void submitter(ZZ_Result r) {
            STATE.setVolatile(this, QUEUED);
            r.r1 = (int) GONE.getVolatile(this) != 0;
            if (r.r1) {
                STATE.compareAndSet(this, QUEUED, IDLE);
            }
        }

        /** As in the model. */
        @Actor
        public void worker(ZZ_Result r) {
            GONE.setVolatile(this, 1);
            r.r2 = STATE.compareAndSet(this, QUEUED, RUNNING);
        }
    }

    /**
     * The real pool, which is closed by the one who then is its only worker. First result: the
     * submitter is refused. Second: how often the item came home.
     */
    @JCStressTest
    @Outcome(id = "true, 0", expect = ACCEPTABLE, desc = "Refused.")
    @Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "Done, and home.")
    @Outcome(expect = FORBIDDEN, desc = "Refused and done, or left behind.")
    @State
    public static class Actual {
        private final AioContext context = new AioContext("home", LoopSeams.system());
        private final Item item = new Item();
        private Runnable worker = () -> { };
        private final WorkerPool pool = new WorkerPool(this::newThread, 1, 1, () -> 0);

        /** There is one worker, which is an actor. */
        public Actual() {
        }

        private Thread newThread(Runnable work) {
            worker = work;
            return new Thread(work) {
                @Override
                public void start() {
                    // It is run by an actor.
                }
            };
        }

        /** Submits. */
        @Actor
        public void submitter(ZI_Result r) {
            try (Lease lease = context.acquire()) {
                assert lease != null;
                pool.submit(context, item);
            } catch (IllegalStateException refused) {
                r.r1 = true;
            }
        }

        /** Closes, then does what is left. */
        @Actor
        public void worker() {
            pool.stopTaking();
            worker.run();
        }

        /** The home context's next turn. */
        @Arbiter
        public void end(ZI_Result r) {
            ScheduleVersusDequeue.turn(context);
            r.r2 = item.cameHome;
        }
    }

    /** Counts. */
    private static final class Item extends WorkItem {
        private int cameHome;

        @Override
        protected void work() {
            // It only matters that it is done.
        }

        @Override
        protected void run() {
            cameHome++;
        }
    }

    /** Where the item is, and whether the worker has gone. */
    static class Fields {
        static final int IDLE = 0;
        static final int QUEUED = 1;
        static final int RUNNING = 2;
        static final VarHandle STATE = Handles.of(Fields.class, "state");
        static final VarHandle GONE = Handles.of(Fields.class, "gone");

        int state;
        int gone;
    }
}
