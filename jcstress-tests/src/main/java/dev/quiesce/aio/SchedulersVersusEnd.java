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
import org.openjdk.jcstress.infra.results.ZZI_Result;

/**
 * Can one of two threads that schedule the same bottom half when its loop ends be told that it is
 * scheduled, though nobody runs or reports it (IOT-6, IOT-7)?
 *
 * <p>The one that comes second counts on the first, which queues for both; and the first may find
 * the queue sealed. First and second result: who was told that it is scheduled. Third: how often
 * that was reported as left. Where nothing else is said the loop has ended just before.
 *
 * <pre>
 *     jcstress-tests/quick.sh SchedulersVersusEnd
 * </pre>
 */
public class SchedulersVersusEnd {
    private static final int ASKED = 1;
    private static final int SHARED = 2;

    private SchedulersVersusEnd() {
    }

    /** Whoever comes second leaves a note in the same step. Who is refused answers for it. */
    @JCStressTest
    @Outcome(id = {"true, false, 1", "false, true, 1"}, expect = ACCEPTABLE,
            desc = "One was refused, and the other's reported.")
    @Outcome(id = "false, false, 0", expect = ACCEPTABLE, desc = "Both were refused.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class Model extends Fields {
        /** Schedules. */
        @Actor
        public void one(ZZI_Result r) {
            r.r1 = schedule();
        }

        /** Schedules. */
        @Actor
        public void another(ZZI_Result r) {
            r.r2 = schedule();
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZZI_Result r) {
            r.r3 = reports.get();
        }

        @Override
        boolean isForOthers(int taken) {
            return taken == SHARED;
        }
    }

    /** Who is refused answers for itself only. */
    @JCStressTest
    @Outcome(id = {"true, false, 0", "false, true, 0"}, expect = ACCEPTABLE_INTERESTING,
            desc = "Lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenRefusalOfOne extends Fields {
        /** Schedules. */
        @Actor
        public void one(ZZI_Result r) {
            r.r1 = schedule();
        }

        /** Schedules. */
        @Actor
        public void another(ZZI_Result r) {
            r.r2 = schedule();
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZZI_Result r) {
            r.r3 = reports.get();
        }

        @Override
        boolean isForOthers(int taken) {
            return false;
        }
    }

    /** A real bottom half. */
    @JCStressTest
    @Outcome(id = {"true, false, 1", "false, true, 1"}, expect = ACCEPTABLE,
            desc = "One was refused, and the other's reported.")
    @Outcome(id = "false, false, 0", expect = ACCEPTABLE, desc = "Both were refused.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class Actual extends Half {
        /** Its loop has ended. */
        public Actual() {
            end();
        }

        /** Schedules. */
        @Actor
        public void one(ZZI_Result r) {
            r.r1 = isAccepted(half::schedule);
        }

        /** Schedules. */
        @Actor
        public void another(ZZI_Result r) {
            r.r2 = isAccepted(half::schedule);
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZZI_Result r) {
            r.r3 = ran + reported;
        }
    }

    /** A real bottom half, whose loop ends meanwhile. For machines of three processors. */
    @JCStressTest
    @Outcome(id = "true, true, 1", expect = ACCEPTABLE, desc = "Reported for both.")
    @Outcome(id = "true, true, 2", expect = ACCEPTABLE, desc = "Reported for each.")
    @Outcome(id = {"true, false, 1", "false, true, 1"}, expect = ACCEPTABLE,
            desc = "One was refused, and the other's reported.")
    @Outcome(id = "false, false, 0", expect = ACCEPTABLE, desc = "Both were refused.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class ActualMeanwhile extends Half {
        /** Schedules. */
        @Actor
        public void one(ZZI_Result r) {
            r.r1 = isAccepted(half::schedule);
        }

        /** Schedules. */
        @Actor
        public void another(ZZI_Result r) {
            r.r2 = isAccepted(half::schedule);
        }

        /** The end. */
        @Actor
        public void loop() {
            end();
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZZI_Result r) {
            r.r3 = ran + reported;
        }
    }

    /** A loop and a bottom half. */
    static class Half extends EndingLoop {
        final BottomHalf half = new BottomHalf(context, DUE, this::countRun);
    }

    /** Asks in one word, for a queue that is sealed. */
    abstract static class Fields {
        final AtomicInteger reports = new AtomicInteger();
        private final AtomicInteger asks = new AtomicInteger();

        /** Whether what was taken has to be reported by who is refused. */
        abstract boolean isForOthers(int taken);

        /** Asks; the first one would queue for all. Returns whether it is told that it has. */
        final boolean schedule() {
            if (asks.getAndUpdate(old -> old == 0 ? ASKED : SHARED) != 0) {
                return true;
            }
            if (isForOthers(asks.getAndSet(0))) {
                reports.incrementAndGet();
            }
            return false;
        }
    }
}
