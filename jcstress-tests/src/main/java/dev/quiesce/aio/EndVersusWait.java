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
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can an asynchronous wait miss that the loop which it comes to depend on has just ended, and wait
 * for ever (IOT-7)?
 *
 * <p>Whoever depends on the loop enters itself, then looks whether the loop is over. The loop says
 * that it is over, then looks who has entered. First result: who depends finds it over. Second: the
 * loop finds who depends.
 *
 * <pre>
 *     jcstress-tests/quick.sh EndVersusWait
 * </pre>
 */
public class EndVersusWait {
    private EndVersusWait() {
    }

    /** Sequentially consistent on both sides. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "A wait that nobody tells.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Who depends tells itself.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The loop tells it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both do; it looks twice.")
    @State
    public static class Model extends Fields {
        /** Enters, then looks. */
        @Actor
        public void dependant(ZZ_Result r) {
            ENTERED.setVolatile(this, 1);
            r.r1 = (int) OVER.getVolatile(this) != 0;
        }

        /** Is over, then looks. */
        @Actor
        public void loop(ZZ_Result r) {
            OVER.setVolatile(this, 1);
            r.r2 = (int) ENTERED.getVolatile(this) != 0;
        }
    }

    /** Release stores and acquire loads: each look may move before the store above it. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "A wait that nobody tells.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Fields {
        /** Enters with release, looks with acquire. */
        @Actor
        public void dependant(ZZ_Result r) {
            ENTERED.setRelease(this, 1);
            r.r1 = (int) OVER.getAcquire(this) != 0;
        }

        /** Is over with release, looks with acquire. */
        @Actor
        public void loop(ZZ_Result r) {
            OVER.setRelease(this, 1);
            r.r2 = (int) ENTERED.getAcquire(this) != 0;
        }
    }

    /** The loop looks who has entered, and is over only then. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "A wait that nobody tells.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenTellsBeforeItIsOver extends Fields {
        /** As in the model. */
        @Actor
        public void dependant(ZZ_Result r) {
            ENTERED.setVolatile(this, 1);
            r.r1 = (int) OVER.getVolatile(this) != 0;
        }

        /** Looks, then is over. */
        @Actor
        public void loop(ZZ_Result r) {
            r.r2 = (int) ENTERED.getVolatile(this) != 0;
            OVER.setVolatile(this, 1);
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "A wait that nobody tells.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Who depends tells itself.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The loop tells it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both do; it looks twice.")
    @State
    public static class Actual extends Loops {
        /** The first steps of {@link Remains#addDependant}. */
        @Actor
        public void dependant(ZZ_Result r) {
            loop.remains().enter(main);
            r.r1 = loop.remains().isOver();
        }

        /** The last steps of an end. */
        @Actor
        public void loop(ZZ_Result r) {
            loop.remains().beOver();
            r.r2 = loop.remains().dependsOnThis(main);
        }
    }

    /**
     * A real wait, begun while the loop ends. First result: how often it was told in the end.
     * Second: what it was told is that it cannot end.
     */
    @JCStressTest
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Told once that it waits in vain.")
    @Outcome(expect = FORBIDDEN, desc = "Not told, told twice, or told that it is done.")
    @State
    public static class ActualWait extends Loops {
        private int told;
        private boolean inVain;

        /** Begins to wait for something of the loop's, and looks once. */
        @Actor
        public void control() {
            Lease lease = main.acquire();
            ControlWait.whenDone(main, new Never(loop), "wait", failure -> {
                told++;
                inVain = failure instanceof WaitCannotEndException;
            });
            ControlWait.dependsOn(main, loop);
            main.poll(0);
            lease.close();
        }

        /** Ends. */
        @Actor
        public void loop() {
            Lease lease = loop.acquire();
            loop.end("the end");
            lease.close();
        }

        /** The turns that main takes if it was waked, and no others. */
        @Arbiter
        public void turns(IZ_Result r) {
            Lease lease = main.acquire();
            while (main.hasRunnable() || main.sleep().isNotified()) {
                main.poll(0);
            }
            lease.close();
            r.r1 = told;
            r.r2 = inVain;
        }
    }

    /** What nobody will make true. */
    private static final class Never implements ControlWait.Target {
        private final AioContext where;

        Never(AioContext where) {
            this.where = where;
        }

        @Override
        public boolean isDone() {
            return false;
        }

        @Override
        public void describe(WaitReport out) {
            out.outstanding("something", where, 1, false);
        }
    }

    /** A loop that ends, and the main context that waits for it. */
    static class Loops {
        final AioContext main = new AioContext("main", LoopSeams.system());
        final AioContext loop = new AioContext("loop", LoopSeams.system());
    }

    /** The two flags. */
    static class Fields {
        static final VarHandle ENTERED = Handles.of(Fields.class, "entered");
        static final VarHandle OVER = Handles.of(Fields.class, "over");

        int entered;
        int over;
    }
}
