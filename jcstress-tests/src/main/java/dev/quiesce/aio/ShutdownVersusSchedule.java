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
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can something that another thread schedules at the very moment in which a loop ends be neither
 * run, nor refused, nor reported (IOT-6, IOT-7)?
 *
 * <p>Closing (an owner closes an empty context): the closer refuses if there is something left.
 * First result: the poster was told that its task is queued. Second: the context is closed.
 *
 * <p>Ending (an IoThread stops whatever is left): see the classes so named.
 *
 * <pre>
 *     jcstress-tests/quick.sh ShutdownVersusSchedule
 * </pre>
 */
public class ShutdownVersusSchedule {
    private static final int EMPTY = 0;
    private static final int TASK = 1;
    private static final int SEALED = 2;

    private ShutdownVersusSchedule() {
    }

    /** "Closed" is a value of the queue's head: one compare and set decides. */
    @JCStressTest
    @Outcome(id = "true, true", expect = FORBIDDEN, desc = "Queued in a closed context.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Queued; the close was refused.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Closed; the post was refused.")
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Both refused.")
    @State
    public static class Model {
        private final AtomicInteger head = new AtomicInteger(EMPTY);

        /** Pushes, unless sealed. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = head.compareAndSet(EMPTY, TASK);
        }

        /** Seals, if empty. */
        @Actor
        public void closer(ZZ_Result r) {
            r.r2 = head.compareAndSet(EMPTY, SEALED);
        }
    }

    /** "Closed" is a flag beside the queue. */
    @JCStressTest
    @Outcome(id = "true, true", expect = ACCEPTABLE_INTERESTING,
            desc = "Queued in a closed context.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenFlagBesideTheQueue {
        private volatile boolean closed;
        private volatile boolean queued;

        /** Looks at the flag, then pushes. */
        @Actor
        public void poster(ZZ_Result r) {
            if (!closed) {
                queued = true;
                r.r1 = true;
            }
        }

        /** Looks at the queue, then sets the flag. */
        @Actor
        public void closer(ZZ_Result r) {
            if (!queued) {
                closed = true;
                r.r2 = true;
            }
        }
    }

    /** The real close, against a post. */
    @JCStressTest
    @Outcome(id = "true, true", expect = FORBIDDEN, desc = "Queued in a closed context.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Queued; the close was refused.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Closed; the post was refused.")
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Both refused.")
    @State
    public static class Actual extends Loop {
        /** Posts. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = context.tryPost(task);
        }

        /** Closes. */
        @Actor
        public void closer(ZZ_Result r) {
            r.r2 = close();
        }
    }

    /** The real close, against a timer that is being armed. */
    @JCStressTest
    @Outcome(id = "true, true", expect = FORBIDDEN, desc = "Armed in a closed context.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Armed; the close was refused.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Closed; the arming was refused.")
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Both refused.")
    @State
    public static class ActualTimer extends Loop {
        private final LoopTimer timer = new LoopTimer(context, "timer", () -> { });

        /** Arms. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = isAccepted(() -> timer.armAt(0));
        }

        /** Closes. */
        @Actor
        public void closer(ZZ_Result r) {
            r.r2 = close();
        }
    }

    /**
     * The end of an IoThread, against a post. First result: the poster was told that its task is
     * queued. Second: how often the task ran or was reported as left.
     */
    @JCStressTest
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Queued, and run or reported.")
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Refused, and nothing else.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class ActualEnding extends Loop {
        /** Posts. */
        @Actor
        public void poster(ZI_Result r) {
            r.r1 = context.tryPost(task);
        }

        /** The last turn, then the end. */
        @Actor
        public void loop() {
            turn();
            end();
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZI_Result r) {
            r.r2 = ran + reported;
        }
    }

    /**
     * The end of an IoThread, against a schedule and a delete that is awaited. First result: 1 if
     * the schedule was accepted. Second: how often it ran or was reported as left; a deleted one
     * need not be. Third: 1 if the waiter was told.
     */
    @JCStressTest
    @Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "Run or reported; reclaimed.")
    @Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "Deleted before it ran; reclaimed.")
    @Outcome(id = "0, 0, 1", expect = ACCEPTABLE, desc = "Refused; reclaimed.")
    @Outcome(expect = FORBIDDEN, desc = "Answered twice, or a waiter that nobody tells.")
    @State
    public static class ActualEndingBottomHalf extends Loop {
        private final BottomHalf half = new BottomHalf(context, DUE, this::countRun);
        private volatile boolean told;

        /** Schedules. */
        @Actor
        public void scheduler(III_Result r) {
            r.r1 = isAccepted(half::schedule) ? 1 : 0;
        }

        /** Deletes, and waits. */
        @Actor
        public void deleter() {
            half.deleteAndAwait().thenRun(() -> told = true);
        }

        /** The last turn, then the end. */
        @Actor
        public void loop() {
            turn();
            end();
        }

        /** What became of it. */
        @Arbiter
        public void answers(III_Result r) {
            r.r2 = ran + reported;
            r.r3 = told ? 1 : 0;
        }
    }

    /**
     * The end of an IoThread, against a schedule of a bottom half that is queued and cancelled, so
     * that the end was about to drop it. First result: the schedule was accepted. Second: how often
     * it ran or was reported as left.
     */
    @JCStressTest
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Accepted, and run or reported.")
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Refused, and nothing else.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class ActualEndingCancelled extends Loop {
        private final BottomHalf half = new BottomHalf(context, DUE, this::countRun);

        /** It is queued, and cancelled. */
        public ActualEndingCancelled() {
            half.schedule();
            half.cancel();
        }

        /** Schedules. */
        @Actor
        public void scheduler(ZI_Result r) {
            r.r1 = isAccepted(half::schedule);
        }

        /** The end, without a last turn. */
        @Actor
        public void loop() {
            end();
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZI_Result r) {
            r.r2 = ran + reported;
        }
    }

    /** A loop, and a task. */
    static class Loop extends EndingLoop {
        final Task task = new Task() {
            @Override
            protected void run() {
                countRun();
            }

            @Override
            public String describe() {
                return DUE;
            }
        };
    }
}
