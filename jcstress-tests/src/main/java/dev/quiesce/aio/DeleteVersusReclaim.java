package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can whoever deletes a bottom half and waits for its end be forgotten, or told while the callback
 * may still start (AIO-12, AIO-13)?
 *
 * <p>The deleter leaves a waiter, then looks whether the bottom half is reclaimed already. The loop
 * reclaims it, then looks for a waiter. First result: the deleter found it reclaimed. Second: the
 * loop found the waiter.
 *
 * <pre>
 *     jcstress-tests/quick.sh DeleteVersusReclaim
 * </pre>
 */
public class DeleteVersusReclaim {
    private DeleteVersusReclaim() {
    }

    /** Sequentially consistent on both sides. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "A waiter that nobody tells.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The deleter tells itself.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The loop tells it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both do; a stage completes once.")
    @State
    public static class Model extends Fields {
        /** Leaves a waiter, then looks. */
        @Actor
        public void deleter(ZZ_Result r) {
            WAITER.setVolatile(this, 1);
            r.r1 = (int) RECLAIMED.getVolatile(this) != 0;
        }

        /** Reclaims, then looks. */
        @Actor
        public void loop(ZZ_Result r) {
            RECLAIMED.setVolatile(this, 1);
            r.r2 = (int) WAITER.getVolatile(this) != 0;
        }
    }

    /** Release stores and acquire loads: each look may move before the store above it. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "A waiter that nobody tells.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Fields {
        /** Leaves a waiter with release, looks with acquire. */
        @Actor
        public void deleter(ZZ_Result r) {
            WAITER.setRelease(this, 1);
            r.r1 = (int) RECLAIMED.getAcquire(this) != 0;
        }

        /** Reclaims with release, looks with acquire. */
        @Actor
        public void loop(ZZ_Result r) {
            RECLAIMED.setRelease(this, 1);
            r.r2 = (int) WAITER.getAcquire(this) != 0;
        }
    }

    /**
     * The real one, deleted while it is scheduled and the loop runs. First result: how many stages
     * have completed in the end. Second: the callback has started after a stage said that it never
     * would.
     */
    @JCStressTest
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Told, after the last run.")
    @Outcome(expect = FORBIDDEN, desc = "A waiter that nobody tells, or a late run.")
    @State
    public static class Actual extends Deleted {
        /** Schedules once more, deletes, and waits. */
        @Actor
        public void deleter() {
            half.schedule();
            deleteAndAwait(0);
        }

        /** One turn. */
        @Actor
        public void loop() {
            turn();
        }

        /** The turn after. */
        @Arbiter
        public void nextTurn(IZ_Result r) {
            turn();
            r.r1 = told();
            r.r2 = isLate();
        }
    }

    /** The real one, deleted twice at the same moment while it is scheduled. */
    @JCStressTest
    @Outcome(id = "2, false", expect = ACCEPTABLE, desc = "Both told, after the last run.")
    @Outcome(expect = FORBIDDEN, desc = "A waiter that nobody tells, or a late run.")
    @State
    public static class ActualTwoDeleters extends Deleted {
        /** Deletes, and waits. */
        @Actor
        public void deleter() {
            deleteAndAwait(0);
        }

        /** Deletes too, having scheduled once more. */
        @Actor
        public void another() {
            half.schedule();
            deleteAndAwait(1);
        }

        /** Two turns. */
        @Arbiter
        public void turns(IZ_Result r) {
            turn();
            turn();
            r.r1 = told();
            r.r2 = isLate();
        }
    }

    /** A scheduled bottom half, and what its deleters hear. */
    static class Deleted {
        final AioContext context = new AioContext("loop", LoopSeams.system());
        final BottomHalf half = new BottomHalf(context, "half", this::run);
        private final CompletableFuture<?>[] stages = new CompletableFuture<?>[2];
        private volatile boolean over;
        private volatile boolean late;

        Deleted() {
            half.schedule();
        }

        void deleteAndAwait(int deleter) {
            CompletableFuture<?> stage = half.deleteAndAwait().toCompletableFuture();
            if (stage.isDone()) {
                over = true;
            }
            stages[deleter] = stage;
        }

        void turn() {
            ScheduleVersusDequeue.turn(context);
        }

        int told() {
            int told = 0;
            for (CompletableFuture<?> stage : stages) {
                told += stage != null && stage.isDone() ? 1 : 0;
            }
            return told;
        }

        boolean isLate() {
            return late;
        }

        private void run() {
            late |= over;
        }
    }

    /** The two flags. */
    static class Fields {
        static final VarHandle WAITER = Handles.of(Fields.class, "waiter");
        static final VarHandle RECLAIMED = Handles.of(Fields.class, "reclaimed");

        int waiter;
        int reclaimed;
    }
}
