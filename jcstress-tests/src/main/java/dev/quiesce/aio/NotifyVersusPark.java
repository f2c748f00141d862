package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.LoopSeams.NotifyProtocol;
import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.queue.RingInbox;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can a loop fall asleep, or forget a notify, while an event is waiting (AIO-33 to AIO-38)?
 *
 * <p>Falling asleep: the poster makes an event visible, notes it, and unparks the loop if that says
 * it is about to sleep. The loop says so, and parks if nothing was noted. First result: the poster
 * unparks. Second: the loop parks.
 *
 * <p>Acknowledging (the classes so named): an earlier notify is on record when the loop wipes it
 * out and looks at its queues. First result: the event of the later notify, as the loop saw it.
 * Second: whether nothing is on record in the end.
 *
 * <pre>
 *     jcstress-tests/quick.sh NotifyVersusPark
 * </pre>
 */
public class NotifyVersusPark {
    private NotifyVersusPark() {
    }

    /** Two flags, sequentially consistent on both sides. */
    @JCStressTest
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Asleep, and nobody wakes it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Asleep, and woken.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Woken, though it did not sleep.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "It did not sleep.")
    @State
    public static class Model extends Fields {
        /** Notes, then looks. */
        @Actor
        public void poster(ZZ_Result r) {
            NOTIFIED.setVolatile(this, 1);
            r.r1 = (int) NOTIFY_ME.getVolatile(this) != 0;
        }

        /** Arms, then looks. */
        @Actor
        public void loop(ZZ_Result r) {
            NOTIFY_ME.setVolatile(this, 1);
            r.r2 = (int) NOTIFIED.getVolatile(this) == 0;
        }
    }

    /** Release stores and acquire loads: each look may move before the store above it. */
    @JCStressTest
    @Outcome(id = "false, true", expect = ACCEPTABLE_INTERESTING,
            desc = "Asleep, and nobody wakes it.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Fields {
        /** Notes with release, looks with acquire. */
        @Actor
        public void poster(ZZ_Result r) {
            NOTIFIED.setRelease(this, 1);
            r.r1 = (int) NOTIFY_ME.getAcquire(this) != 0;
        }

        /** Arms with release, looks with acquire. */
        @Actor
        public void loop(ZZ_Result r) {
            NOTIFY_ME.setRelease(this, 1);
            r.r2 = (int) NOTIFIED.getAcquire(this) == 0;
        }
    }

    /** The poster notes nothing unless the loop is about to sleep already. */
    @JCStressTest
    @Outcome(id = "false, true", expect = ACCEPTABLE_INTERESTING,
            desc = "Asleep, and nobody wakes it.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenNotedOnlyWhileArmed extends Fields {
        /** Looks, then notes. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = (int) NOTIFY_ME.getVolatile(this) != 0;
            if (r.r1) {
                NOTIFIED.setVolatile(this, 1);
            }
        }

        /** As in the model. */
        @Actor
        public void loop(ZZ_Result r) {
            NOTIFY_ME.setVolatile(this, 1);
            r.r2 = (int) NOTIFIED.getVolatile(this) == 0;
        }
    }

    /** The real steps. */
    @JCStressTest
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Asleep, and nobody wakes it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Asleep, and woken.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Woken, though it did not sleep.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "It did not sleep.")
    @State
    public static class Actual {
        private final NotifyProtocol notify = new NotifyProtocol();

        /** What {@link AioContext#post} does after the push. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = notify.raise();
        }

        /** What {@link AioContext#poll} does before it parks. */
        @Actor
        public void loop(ZZ_Result r) {
            notify.arm();
            r.r2 = !notify.isAnnounced();
        }
    }

    /** The real inbox and the real steps: the task in the inbox is the event. */
    @JCStressTest
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Asleep, and nobody wakes it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Asleep, and woken.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Woken, though it did not sleep.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "It did not sleep.")
    @State
    public static class ActualInbox extends Posted {
        /** What {@link AioContext#post} does. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = postAndLook();
        }

        /** What {@link AioContext#poll} does before it parks. */
        @Actor
        public void loop(ZZ_Result r) {
            r.r2 = armAndLook();
        }
    }

    /** The same, where the inbox has no slot left and the task goes to the overflow. */
    @JCStressTest
    @Outcome(id = "false, true", expect = FORBIDDEN, desc = "Asleep, and nobody wakes it.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Asleep, and woken.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Woken, though it did not sleep.")
    @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "It did not sleep.")
    @State
    public static class ActualFullInbox extends Posted {
        private final Object[] taken = new Object[1];

        /** The one slot that can be claimed is. */
        public ActualFullInbox() {
            Task.push(inbox, new Task.OneShot(() -> { }));
        }

        /** What {@link AioContext#post} does. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = postAndLook();
        }

        /** Takes the first task, and then what {@link AioContext#poll} does before it parks. */
        @Actor
        public void loop(ZZ_Result r) {
            inbox.poll(taken, 0, 1);
            r.r2 = armAndLook();
        }
    }

    /** The loop looks into the slots, which are no half of a Dekker pair. */
    @JCStressTest
    @Outcome(id = "false, true", expect = ACCEPTABLE_INTERESTING,
            desc = "Asleep, and nobody wakes it.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLooksIntoTheSlots extends Posted {
        /** What {@link AioContext#post} does. */
        @Actor
        public void poster(ZZ_Result r) {
            r.r1 = postAndLook();
        }

        /** Arms, then looks whether there is something to take. */
        @Actor
        public void loop(ZZ_Result r) {
            notify.arm();
            r.r2 = !notify.isAnnounced() && !inbox.hasNext();
        }
    }

    /** The acknowledge is a read-modify-write, before the look. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither seen nor on record.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record for the next turn.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Seen, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen.")
    @State
    public static class ModelAcknowledge extends Acknowledging {
        /** Makes the event visible, and says so. */
        @Actor
        public void poster() {
            post();
        }

        /** Wipes out, then looks. */
        @Actor
        public void loop(IZ_Result r) {
            NOTIFIED.getAndSet(this, 0);
            r.r1 = event;
        }

        /** What the next turn would find. */
        @Arbiter
        public void nextTurn(IZ_Result r) {
            r.r2 = nothingOnRecord();
        }
    }

    /** Looks, then wipes out. */
    @JCStressTest
    @Outcome(id = "0, true", expect = ACCEPTABLE_INTERESTING, desc = "Neither seen nor on record.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenAcknowledgeAfterLook extends Acknowledging {
        /** Makes the event visible, and says so. */
        @Actor
        public void poster() {
            post();
        }

        /** Looks, then wipes out. */
        @Actor
        public void loop(IZ_Result r) {
            r.r1 = event;
            NOTIFIED.getAndSet(this, 0);
        }

        /** What the next turn would find. */
        @Arbiter
        public void nextTurn(IZ_Result r) {
            r.r2 = nothingOnRecord();
        }
    }

    /** Wipes out by a plain store: the look may move before it. */
    @JCStressTest
    @Outcome(id = "0, true", expect = ACCEPTABLE_INTERESTING, desc = "Neither seen nor on record.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenAcknowledgeByStore extends Acknowledging {
        /** Makes the event visible, and says so. */
        @Actor
        public void poster() {
            post();
        }

        /** Wipes out with release, then looks. */
        @Actor
        public void loop(IZ_Result r) {
            NOTIFIED.setRelease(this, 0);
            r.r1 = event;
        }

        /** What the next turn would find. */
        @Arbiter
        public void nextTurn(IZ_Result r) {
            r.r2 = nothingOnRecord();
        }
    }

    /** The real steps; the event is a plain store that the raise must make visible. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither seen nor on record.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record for the next turn.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Seen, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen.")
    @State
    public static class ActualAcknowledge {
        private final NotifyProtocol notify = new NotifyProtocol();
        private int event;

        /** An earlier notify is on record. */
        public ActualAcknowledge() {
            notify.raise();
        }

        /** Makes the event visible, and says so. */
        @Actor
        public void poster() {
            event = 1;
            notify.raise();
        }

        /** What {@link AioContext#poll} does before it runs anything. */
        @Actor
        public void loop(IZ_Result r) {
            notify.acknowledge();
            r.r1 = event;
        }

        /** What the next turn would find. */
        @Arbiter
        public void nextTurn(IZ_Result r) {
            r.r2 = !notify.isAnnounced();
        }
    }

    /** The real context: a task that was posted runs in this turn or the next one may not sleep. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither run nor on record.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record for the next turn.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Run, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Run.")
    @State
    public static class ActualPost {
        private final AioContext context = new AioContext("loop", LoopSeams.system());
        private int written;
        private int seen;
        private final Task task = new Task() {
            @Override
            protected void run() {
                seen = written;
            }
        };

        /** An earlier notify is on record. */
        public ActualPost() {
            context.wake();
        }

        /** Writes, and posts a task that reads. */
        @Actor
        public void poster() {
            written = 1;
            context.post(task);
        }

        /** One turn. */
        @Actor
        public void loop(IZ_Result r) {
            Lease lease = context.acquire();
            context.poll(0);
            lease.close();
            r.r1 = seen;
        }

        /** What the next turn would find. */
        @Arbiter
        public void nextTurn(IZ_Result r) {
            r.r2 = !context.sleep().isNotified();
        }
    }

    /** The real inbox, a task for it, and the real steps. */
    static class Posted {
        final NotifyProtocol notify = new NotifyProtocol();
        final Inbox<Task> inbox = new RingInbox<>(2, 2);
        private final Task task = new Task.OneShot(() -> { });

        boolean postAndLook() {
            Task.push(inbox, task);
            return notify.mustWake();
        }

        boolean armAndLook() {
            notify.arm();
            return !notify.isAnnounced() && inbox.isEmpty();
        }
    }

    /** The bare fields of the models. */
    static class Fields {
        static final VarHandle NOTIFIED = Handles.of(Fields.class, "notified");
        static final VarHandle NOTIFY_ME = Handles.of(Fields.class, "notifyMe");

        int notified;
        int notifyMe;
    }

    /** A loop that acknowledges an earlier notify, and a poster of a later one. */
    static class Acknowledging extends Fields {
        int event;

        Acknowledging() {
            notified = 1;
        }

        void post() {
            event = 1;
            NOTIFIED.setVolatile(this, 1);
        }

        boolean nothingOnRecord() {
            return (int) NOTIFIED.getVolatile(this) == 0;
        }
    }
}
