package dev.quiesce.vhostuser;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can a writer that a front end makes wait go unnoticed, because the guard of {@link CallLines}
 * fell asleep just then?
 *
 * <p>The writer says that it writes, then looks whether the guard sleeps, to wake it. The guard
 * says that it sleeps, then looks a last time whether somebody writes. First result: the writer
 * wakes the guard. Second: the guard sleeps.
 *
 * <pre>
 *     jcstress-tests/quick.sh WriteVersusGuard
 * </pre>
 */
public class WriteVersusGuard {
    private WriteVersusGuard() {
    }

    /** A read-modify-write and a store, sequentially consistent. */
    @JCStressTest
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Asleep over a write, for ever.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Asleep, and woken.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Woken, though it did not sleep.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "It did not sleep.")
    @State
    public static class Model extends Fields {
        /** Says that it writes, then looks. */
        @Actor
        public void writer(ZZ_Result r) {
            WRITES.getAndAdd(this, 1);
            r.r1 = (int) ASLEEP.getVolatile(this) != 0;
        }

        /** Says that it sleeps, then looks. */
        @Actor
        public void guard(ZZ_Result r) {
            ASLEEP.setVolatile(this, 1);
            r.r2 = (int) WRITES.getVolatile(this) == 0;
        }
    }

    /** Release stores and acquire loads: each look may move before the store above it. */
    @JCStressTest
    @Outcome(id = "false, true", expect = ACCEPTABLE_INTERESTING,
            desc = "Asleep over a write, for ever.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Fields {
        /** Says with release that it writes, looks with acquire. */
        @Actor
        public void writer(ZZ_Result r) {
            WRITES.setRelease(this, 1);
            r.r1 = (int) ASLEEP.getAcquire(this) != 0;
        }

        /** Says with release that it sleeps, looks with acquire. */
        @Actor
        public void guard(ZZ_Result r) {
            ASLEEP.setRelease(this, 1);
            r.r2 = (int) WRITES.getAcquire(this) == 0;
        }
    }

    /** The guard looks before it says that it sleeps. */
    @JCStressTest
    @Outcome(id = "false, true", expect = ACCEPTABLE_INTERESTING,
            desc = "Asleep over a write, for ever.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLooksBeforeItSleeps extends Fields {
        /** As in the model. */
        @Actor
        public void writer(ZZ_Result r) {
            WRITES.getAndAdd(this, 1);
            r.r1 = (int) ASLEEP.getVolatile(this) != 0;
        }

        /** Looks, then says that it sleeps. */
        @Actor
        public void guard(ZZ_Result r) {
            r.r2 = (int) WRITES.getVolatile(this) == 0;
            ASLEEP.setVolatile(this, 1);
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Asleep over a write, for ever.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Asleep, and woken.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Woken, though it did not sleep.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "It did not sleep.")
    @State
    public static class Actual {
        private final CallLines.Line line = new CallLines.Line();
        private final CallLines.Guard guard = new CallLines.Guard(
                run -> Thread.currentThread(), new CallLines.Line[] {line});

        /** What a signal does before it writes. */
        @Actor
        public void writer(ZZ_Result r) {
            line.beginWrite();
            r.r1 = guard.isAsleep();
        }

        /** What the guard does before it parks. */
        @Actor
        public void guard(ZZ_Result r) {
            guard.fallAsleep();
            r.r2 = !guard.hasAnyMoved();
        }
    }

    /** The bare fields of the models. */
    static class Fields {
        static final VarHandle WRITES = handle("writes");
        static final VarHandle ASLEEP = handle("asleep");

        int writes;
        int asleep;

        private static VarHandle handle(String name) {
            try {
                return MethodHandles.lookup().findVarHandle(Fields.class, name, int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
