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
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;

/**
 * Can a schedule be lost that comes just as the loop takes the bottom half off its queue (AIO-2 to
 * AIO-5)?
 *
 * <p>The bottom half was scheduled before, and the loop begins with it: it is off the queue, and
 * its flags are about to be cleared. Meanwhile another thread writes something and schedules again.
 * First result: the scheduler found it not pending, so it queues it once more. Second: what the run
 * saw of what was written.
 *
 * <pre>
 *     jcstress-tests/quick.sh ScheduleVersusDequeue
 * </pre>
 */
public class ScheduleVersusDequeue {
    private static final int PENDING = 1;
    private static final int SCHEDULED = 2;

    private ScheduleVersusDequeue() {
    }

    /** Both flags go down in one read-modify-write, before the run. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = FORBIDDEN, desc = "Neither seen nor queued: lost.")
    @Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "Served by this run.")
    @Outcome(id = "true, 0", expect = ACCEPTABLE, desc = "Queued for a further run.")
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Seen, and queued all the same.")
    @State
    public static class Model extends Fields {
        /** Writes, then asks. */
        @Actor
        public void scheduler(ZI_Result r) {
            r.r1 = writeAndAsk();
        }

        /** Clears, then runs. */
        @Actor
        public void loop(ZI_Result r) {
            FLAGS.getAndBitwiseAnd(this, ~(PENDING | SCHEDULED));
            r.r2 = written;
        }
    }

    /** The flags go down after the run. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = ACCEPTABLE_INTERESTING,
            desc = "Neither seen nor queued: lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenClearsAfterTheRun extends Fields {
        /** As in the model. */
        @Actor
        public void scheduler(ZI_Result r) {
            r.r1 = writeAndAsk();
        }

        /** Runs, then clears. */
        @Actor
        public void loop(ZI_Result r) {
            r.r2 = written;
            FLAGS.getAndBitwiseAnd(this, ~(PENDING | SCHEDULED));
        }
    }

    /** The flags go down by a store: the run's reads may move before it. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = ACCEPTABLE_INTERESTING,
            desc = "Neither seen nor queued: lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenClearsByStore extends Fields {
        /** As in the model. */
        @Actor
        public void scheduler(ZI_Result r) {
            r.r1 = writeAndAsk();
        }

        /** Clears with release, then runs. */
        @Actor
        public void loop(ZI_Result r) {
            FLAGS.setRelease(this, 0);
            r.r2 = written;
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = FORBIDDEN, desc = "Neither seen nor queued: lost.")
    @Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "Served by this run.")
    @Outcome(id = "true, 0", expect = ACCEPTABLE, desc = "Queued for a further run.")
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Seen, and queued all the same.")
    @State
    public static class Actual {
        private final BottomHalf half = new BottomHalf(
                new AioContext("loop", LoopSeams.system()), "half", () -> { });
        private int written;

        /** It was scheduled before. */
        public Actual() {
            half.ask();
        }

        /** The steps of {@link BottomHalf#schedule}. */
        @Actor
        public void scheduler(ZI_Result r) {
            written = 1;
            r.r1 = (half.ask() & BottomHalf.PENDING) == 0;
        }

        /** What the loop does once the task has left its queue. */
        @Actor
        public void loop(ZI_Result r) {
            half.begin();
            r.r2 = written;
        }
    }

    /** The real loop. First result: what its last run saw. Second: how often it ran. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "One run served both schedules.")
    @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "A run for each.")
    @Outcome(expect = FORBIDDEN, desc = "The second schedule was lost, or served twice.")
    @State
    public static class ActualLoop {
        private final AioContext context = new AioContext("loop", LoopSeams.system());
        private final BottomHalf half = new BottomHalf(context, "half", this::run);
        private int written;
        private int seen;
        private int runs;

        /** It was scheduled before. */
        public ActualLoop() {
            half.schedule();
        }

        private void run() {
            seen = written;
            runs++;
        }

        /** Writes, then schedules. */
        @Actor
        public void scheduler() {
            written = 1;
            half.schedule();
        }

        /** One turn. */
        @Actor
        public void loop() {
            turn(context);
        }

        /** The turn after. */
        @Arbiter
        public void nextTurn(II_Result r) {
            turn(context);
            r.r1 = seen;
            r.r2 = runs;
        }
    }

    static void turn(AioContext context) {
        Lease lease = context.acquire();
        context.poll(0);
        lease.close();
    }

    /** A bottom half that was scheduled, and what its callback reads. */
    static class Fields {
        static final VarHandle FLAGS = Handles.of(Fields.class, "flags");

        int flags = PENDING | SCHEDULED;
        int written;

        boolean writeAndAsk() {
            written = 1;
            return ((int) FLAGS.getAndBitwiseOr(this, PENDING | SCHEDULED) & PENDING) == 0;
        }
    }
}
