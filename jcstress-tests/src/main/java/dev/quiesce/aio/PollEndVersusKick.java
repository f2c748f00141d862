package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.source.PollHook;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.Poller;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Can an event be lost while a loop leaves polling mode (AIO-32)?
 *
 * <p>While the loop polls, the device does not notify. Leaving the mode, the loop says that it
 * wants to be notified, and asks once more. The device makes its event visible and then looks
 * whether it has to notify. First result: the device notifies. Second: the loop sees the event.
 *
 * <pre>
 *     jcstress-tests/quick.sh PollEndVersusKick
 * </pre>
 */
public class PollEndVersusKick {
    private PollEndVersusKick() {
    }

    /** Two words, sequentially consistent on both sides; the last look comes after. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Neither notified nor seen: lost.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Notified.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Seen by the last look.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both: the handler runs once for it.")
    @State
    public static class Model extends Ring {
        /** Makes the event visible, then looks. */
        @Actor
        public void device(ZZ_Result r) {
            r.r1 = produce();
        }

        /** Wants to be notified, then looks. */
        @Actor
        public void loop(ZZ_Result r) {
            wantNotify();
            r.r2 = hasEvent();
        }
    }

    /** The last look comes before the wish. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "Neither notified nor seen: lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookThenWant extends Ring {
        /** As in the model. */
        @Actor
        public void device(ZZ_Result r) {
            r.r1 = produce();
        }

        /** Looks, then wants to be notified. */
        @Actor
        public void loop(ZZ_Result r) {
            r.r2 = hasEvent();
            wantNotify();
        }
    }

    /** Release and acquire: the last look may move before the wish. */
    @JCStressTest
    @Outcome(id = "false, false", expect = ACCEPTABLE_INTERESTING,
            desc = "Neither notified nor seen: lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenReleaseAcquire extends Ring {
        /** Publishes with release, looks with acquire. */
        @Actor
        public void device(ZZ_Result r) {
            EVENT.setRelease(this, 1);
            r.r1 = (int) QUIET.getAcquire(this) == 0;
        }

        /** Wants with release, looks with acquire. */
        @Actor
        public void loop(ZZ_Result r) {
            QUIET.setRelease(this, 0);
            r.r2 = (int) EVENT.getAcquire(this) != 0;
        }
    }

    /** The real poller leaves the mode of a device that it polls. */
    @JCStressTest
    @Outcome(id = "false, false", expect = FORBIDDEN, desc = "Neither notified nor seen: lost.")
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Notified.")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Seen by the last look.")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Both: the handler runs once for it.")
    @State
    public static class Actual extends Ring implements PollHook {
        private final Poller poller = new Poller(failure -> { });
        private boolean hit;

        /** The loop has served the device once, and polls it. */
        public Actual() {
            poller.set(PollParameters.DEFAULT);
            poller.budgetNanos();
            Poller.Polled polled = poller.add(this, () -> hit = true);
            polled.served();
            poller.begin(0);
        }

        /** As in the model. */
        @Actor
        public void device(ZZ_Result r) {
            r.r1 = produce();
        }

        /** What the loop does before it sleeps. */
        @Actor
        public void loop(ZZ_Result r) {
            r.r2 = poller.end(0) && hit;
        }

        @Override
        public boolean poll() {
            return hasEvent();
        }

        @Override
        public void pollEnds() {
            wantNotify();
        }
    }

    /** A device that is quiet as long as it was told so. */
    static class Ring {
        static final VarHandle EVENT = Handles.of(Ring.class, "event");
        static final VarHandle QUIET = Handles.of(Ring.class, "quiet");

        /** Read and written through EVENT. */
        int event;
        /** Read and written through QUIET. */
        int quiet = 1;

        boolean produce() {
            EVENT.setVolatile(this, 1);
            return (int) QUIET.getVolatile(this) == 0;
        }

        void wantNotify() {
            QUIET.setVolatile(this, 0);
        }

        boolean hasEvent() {
            return (int) EVENT.getVolatile(this) != 0;
        }
    }
}
