package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can an item of work be left in the queue while all workers sleep or have gone (AIO-70)?
 *
 * <p>The submitter offers the item, then looks whether a worker sleeps, or there could be one more.
 * The worker says that it sleeps, or that it ends, then looks at the queue. First result: the
 * submitter finds it a worker. Second: the worker finds the item.
 *
 * <pre>
 *     jcstress-tests/quick.sh SubmitVersusSleep
 * </pre>
 */
public class SubmitVersusSleep {
    private SubmitVersusSleep() {
    }

    /** A full fence between store and look on both sides. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Queued, and nobody looks.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The submitter finds a worker.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The worker finds the item.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both; one looks in vain.")
    @State
    public static class Model extends Fields {
        /** Offers, then looks. */
        @Actor
        public void submitter(ZZ_Result r) {
            QUEUED.setRelease(this, 1);
            VarHandle.fullFence();
            r.r1 = (int) ASLEEP.getAcquire(this) != 0;
        }

        /** Says so, then looks. */
        @Actor
        public void worker(ZZ_Result r) {
            ASLEEP.setRelease(this, 1);
            VarHandle.fullFence();
            r.r2 = (int) QUEUED.getAcquire(this) != 0;
        }
    }

    /** The submitter leaves its fence out. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "Queued, and nobody looks.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenWithoutFence extends Fields {
        /** Offers, then looks. */
        @Actor
        public void submitter(ZZ_Result r) {
            QUEUED.setRelease(this, 1);
            r.r1 = (int) ASLEEP.getAcquire(this) != 0;
        }

        /** As in the model. */
        @Actor
        public void worker(ZZ_Result r) {
            ASLEEP.setRelease(this, 1);
            VarHandle.fullFence();
            r.r2 = (int) QUEUED.getAcquire(this) != 0;
        }
    }

    /**
     * The real pool, whose only worker ends for want of work. Its threads are steps of this test:
     * one that the submission makes runs in the end. First result: how often the item was worked
     * on. Second: how often it came home.
     */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "Done, and home.")
    @Outcome(expect = FORBIDDEN, desc = "Left behind, or done twice.")
    @State
    public static class Actual {
        private final AioContext context = new AioContext("home", LoopSeams.system());
        private final Item item = new Item();
        private final AtomicLong now = new AtomicLong();
        private Runnable worker = () -> { };
        private final WorkerPool pool = new WorkerPool(this::newThread, 1, 1,
                () -> now.addAndGet(Long.MAX_VALUE / 4));
        private final Runnable first = worker;

        /** There is one worker, which may end. */
        public Actual() {
            pool.resize(0, 1);
        }

        private Thread newThread(Runnable work) {
            worker = work;
            return new Thread(work) {
                @Override
                public void start() {
                    // It is run by an actor, or in the end.
                }
            };
        }

        /** Submits. */
        @Actor
        public void submitter() {
            Lease lease = context.acquire();
            pool.submit(context, item);
            lease.close();
        }

        /** Looks for work, and ends if there is none. */
        @Actor
        public void worker() {
            first.run();
        }

        /** The worker that the submission may have made, and the home context's next turn. */
        @Arbiter
        public void end(II_Result r) {
            if (worker != first) {
                worker.run();
            }
            ScheduleVersusDequeue.turn(context);
            r.r1 = item.worked;
            r.r2 = item.cameHome;
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

    /** Whether there is an item, and whether the worker sleeps. */
    static class Fields {
        static final VarHandle QUEUED = Handles.of(Fields.class, "queued");
        static final VarHandle ASLEEP = Handles.of(Fields.class, "asleep");

        int queued;
        int asleep;
    }
}
