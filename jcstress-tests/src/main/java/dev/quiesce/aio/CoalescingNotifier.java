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
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can an event that is set be lost, because its notifier is just being attached, or because it
 * coalesces with an earlier one?
 *
 * <p>Attaching: the setter raises the flag, then looks for an attachment to schedule; the attacher
 * publishes its attachment, then looks at the flag. First result: the setter schedules. Second: the
 * attacher does.
 *
 * <p>Coalescing (the classes so named): the flag is up already, and the handler that will serve it
 * begins. First result: the setter found the flag down, so it schedules the handler once more.
 * Second: what the handler saw of what the setter wrote before.
 *
 * <pre>
 *     jcstress-tests/quick.sh CoalescingNotifier
 * </pre>
 */
public class CoalescingNotifier {
    private CoalescingNotifier() {
    }

    /** Sequentially consistent on both sides. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Set, attached, and never served.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The setter schedules.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The attacher schedules.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both do; one finds nothing to serve.")
    @State
    public static class Model extends Fields {
        /** Raises, then looks. */
        @Actor
        public void setter(ZZ_Result r) {
            FLAG.setVolatile(this, 1);
            r.r1 = (int) ATTACHED.getVolatile(this) != 0;
        }

        /** Publishes, then looks. */
        @Actor
        public void attacher(ZZ_Result r) {
            ATTACHED.setVolatile(this, 1);
            r.r2 = (int) FLAG.getVolatile(this) != 0;
        }
    }

    /** Release stores and acquire loads: each look may move before the store above it. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "Set, attached, and never served.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Fields {
        /** Raises with release, looks with acquire. */
        @Actor
        public void setter(ZZ_Result r) {
            FLAG.setRelease(this, 1);
            r.r1 = (int) ATTACHED.getAcquire(this) != 0;
        }

        /** Publishes with release, looks with acquire. */
        @Actor
        public void attacher(ZZ_Result r) {
            ATTACHED.setRelease(this, 1);
            r.r2 = (int) FLAG.getAcquire(this) != 0;
        }
    }

    /** The attacher looks at the flag first. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "Set, attached, and never served.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookThenAttach extends Fields {
        /** As in the model. */
        @Actor
        public void setter(ZZ_Result r) {
            FLAG.setVolatile(this, 1);
            r.r1 = (int) ATTACHED.getVolatile(this) != 0;
        }

        /** Looks, then publishes. */
        @Actor
        public void attacher(ZZ_Result r) {
            r.r2 = (int) FLAG.getVolatile(this) != 0;
            ATTACHED.setVolatile(this, 1);
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Set, attached, and never served.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The setter schedules.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The attacher schedules.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both do; one finds nothing to serve.")
    @State
    public static class Actual {
        private static final AioContext CONTEXT = new AioContext("home", LoopSeams.system());

        private final EventNotifier notifier = new EventNotifier("event");
        private final EventNotifier.Attachment attachment =
                new EventNotifier.Attachment(notifier, CONTEXT, () -> { });

        /** The steps of {@link EventNotifier#set}. */
        @Actor
        public void setter(ZZ_Result r) {
            r.r1 = notifier.raise() && notifier.attachedVolatile() != null;
        }

        /** The steps of {@link EventNotifier#attach}. */
        @Actor
        public void attacher(ZZ_Result r) {
            boolean unused = notifier.publish(attachment);
            r.r2 = notifier.isSet();
        }
    }

    /** The real notifier and context: what was written before the set is seen by a handler. */
    @JCStressTest
    @Outcome(id = "0", expect = FORBIDDEN, desc = "No handler saw it.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "A handler saw it.")
    @State
    public static class ActualAttach extends RealNotifier {
        /** Writes, then sets. */
        @Actor
        public void setter() {
            written = 1;
            notifier.set();
        }

        /** Attaches, and takes a turn. */
        @Actor
        public void attacher() {
            Lease lease = context.acquire();
            attach();
            context.poll(0);
            lease.close();
        }

        /** The next turn. */
        @Arbiter
        public void nextTurn(I_Result r) {
            turn();
            r.r1 = seen;
        }
    }

    /** The setter always writes the flag; the handler clears it before it looks. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = FORBIDDEN, desc = "Coalesced with a run that missed it.")
    @Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "Coalesced with a run that saw it.")
    @Outcome(id = "true, 0", expect = ACCEPTABLE, desc = "Another run will see it.")
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Seen; another run follows all the same.")
    @State
    public static class ModelCoalescing extends Raised {
        /** Writes, then raises. */
        @Actor
        public void setter(ZI_Result r) {
            written = 1;
            r.r1 = (int) FLAG.getAndSet(this, 1) == 0;
        }

        /** Clears, then looks. */
        @Actor
        public void handler(ZI_Result r) {
            FLAG.getAndSet(this, 0);
            r.r2 = written;
        }
    }

    /** The setter leaves the flag alone if it is up, so nothing orders its write. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = ACCEPTABLE_INTERESTING,
            desc = "Coalesced with a run that missed it.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenCoalescingByTest extends Raised {
        /** Writes, then raises unless the flag is up. */
        @Actor
        public void setter(ZI_Result r) {
            written = 1;
            r.r1 = (int) FLAG.getVolatile(this) == 0 && (int) FLAG.getAndSet(this, 1) == 0;
        }

        /** As in the model. */
        @Actor
        public void handler(ZI_Result r) {
            FLAG.getAndSet(this, 0);
            r.r2 = written;
        }
    }

    /** The handler clears the flag when it is done. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = ACCEPTABLE_INTERESTING,
            desc = "Coalesced with a run that missed it.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenCoalescingClearedLate extends Raised {
        /** As in the model. */
        @Actor
        public void setter(ZI_Result r) {
            written = 1;
            r.r1 = (int) FLAG.getAndSet(this, 1) == 0;
        }

        /** Looks, then clears. */
        @Actor
        public void handler(ZI_Result r) {
            r.r2 = written;
            FLAG.getAndSet(this, 0);
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "false, 0", expect = FORBIDDEN, desc = "Coalesced with a run that missed it.")
    @Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "Coalesced with a run that saw it.")
    @Outcome(id = "true, 0", expect = ACCEPTABLE, desc = "Another run will see it.")
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Seen; another run follows all the same.")
    @State
    public static class ActualCoalescing {
        private final EventNotifier notifier = new EventNotifier("event");
        private int written;

        /** The event is set. */
        public ActualCoalescing() {
            notifier.set();
        }

        /** The first step of {@link EventNotifier#set}. */
        @Actor
        public void setter(ZI_Result r) {
            written = 1;
            r.r1 = notifier.raise();
        }

        /** What the loop does before it calls the handler, and the handler. */
        @Actor
        public void handler(ZI_Result r) {
            notifier.testAndClear();
            r.r2 = written;
        }
    }

    /** The real notifier and context, attached and set before. */
    @JCStressTest
    @Outcome(id = "0", expect = FORBIDDEN, desc = "No handler saw it.")
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "A handler saw it.")
    @State
    public static class ActualCoalescingWhole extends RealNotifier {
        /** The event is set, and its handler due. */
        public ActualCoalescingWhole() {
            Lease lease = context.acquire();
            attach();
            notifier.set();
            lease.close();
        }

        /** Writes, then sets. */
        @Actor
        public void setter() {
            written = 1;
            notifier.set();
        }

        /** Takes a turn. */
        @Actor
        public void loop() {
            turn();
        }

        /** The next turn. */
        @Arbiter
        public void nextTurn(I_Result r) {
            turn();
            r.r1 = seen;
        }
    }

    /** The bare fields of the models. */
    static class Fields {
        static final VarHandle FLAG = Handles.of(Fields.class, "flag");
        static final VarHandle ATTACHED = Handles.of(Fields.class, "attached");

        int flag;
        int attached;
    }

    /** The flag is up, and the handler on its way. */
    static class Raised extends Fields {
        int written;

        Raised() {
            flag = 1;
        }
    }

    /** A notifier, and a context that serves it. */
    static class RealNotifier {
        final AioContext context = new AioContext("home", LoopSeams.system());
        final EventNotifier notifier = new EventNotifier("event");
        int written;
        int seen;

        void attach() {
            notifier.attach(context, () -> seen = written);
        }

        void turn() {
            Lease lease = context.acquire();
            context.poll(0);
            lease.close();
        }
    }
}
