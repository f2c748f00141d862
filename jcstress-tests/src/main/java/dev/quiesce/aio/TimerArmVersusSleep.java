package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.LoopSeams.NotifyProtocol;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.time.MachineClock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;

/**
 * Can a loop oversleep a timer that another thread arms, for an earlier time than before, or whose
 * clock another thread starts (AIO-55, AIO-56)?
 *
 * <p>A loop looks at the nearest deadline and then decides whether to sleep. Whoever arms a timer
 * puts it into its list and then notifies. First result: the deadlines that the loop saw, or the
 * timers that it fired. Second: whether it would sleep now, all said and done.
 *
 * <pre>
 *     jcstress-tests/quick.sh TimerArmVersusSleep
 * </pre>
 */
public class TimerArmVersusSleep {
    private TimerArmVersusSleep() {
    }

    /** The deadline is made visible, then said. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither seen nor on record: overslept.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record: it does not sleep.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Seen, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Seen.")
    @State
    public static class Model extends Deadline {
        /** Sets the deadline, then says so. */
        @Actor
        public void armer() {
            arm();
            notify.raise();
        }

        /** Wipes out what was said, then looks. */
        @Actor
        public void loop(IZ_Result r) {
            notify.acknowledge();
            r.r1 = look();
        }

        /** Whether the loop would sleep. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !notify.isAnnounced();
        }
    }

    /** The deadline is said before it is visible. */
    @JCStressTest
    @Outcome(id = "0, true", expect = ACCEPTABLE_INTERESTING, desc = "Overslept.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenNotifyThenArm extends Deadline {
        /** Says so, then sets the deadline. */
        @Actor
        public void armer() {
            notify.raise();
            arm();
        }

        /** Wipes out what was said, then looks. */
        @Actor
        public void loop(IZ_Result r) {
            notify.acknowledge();
            r.r1 = look();
        }

        /** Whether the loop would sleep. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !notify.isAnnounced();
        }
    }

    /** A timer that is armed for far away, and is armed again for now. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither fired nor on record: overslept.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record: the next turn fires it.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Fired, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Fired.")
    @State
    public static class ActualRearm extends Timed {
        /** The context was notified before, and its timer is armed. */
        public ActualRearm() {
            super(Clock.system());
            timer.armAt(Long.MAX_VALUE);
            context.wake();
        }

        /** Arms the timer anew. */
        @Actor
        public void armer() {
            timer.armAt(Long.MIN_VALUE);
        }

        /** One turn. */
        @Actor
        public void loop(IZ_Result r) {
            r.r1 = turn();
        }

        /** Whether the next turn would sleep without looking. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !context.sleep().isNotified();
        }
    }

    /** A timer that is due, on a clock that is stopped, and is started. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither fired nor on record: overslept.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record: the next turn fires it.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Fired, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Fired.")
    @State
    public static class ActualClockStart extends Timed {
        private final MachineClock clock;

        /** The context was notified before, and its timer is armed. */
        public ActualClockStart() {
            this(MachineClock.driven("machine", Clock.Kind.VIRTUAL));
        }

        private ActualClockStart(MachineClock clock) {
            super(clock);
            this.clock = clock;
            timer.armAt(0);
            context.wake();
        }

        /** Starts the clock. */
        @Actor
        public void machine() {
            clock.start();
        }

        /** One turn. */
        @Actor
        public void loop(IZ_Result r) {
            r.r1 = turn();
        }

        /** Whether the next turn would sleep without looking. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !context.sleep().isNotified();
        }
    }

    /** A deadline under a lock, with the count that is read without it. */
    static class Deadline {
        final NotifyProtocol notify = new NotifyProtocol();
        private final Object lock = new Object();
        private int deadlines;

        Deadline() {
            notify.raise();
        }

        void arm() {
            synchronized (lock) {
                deadlines = 1;
            }
        }

        int look() {
            synchronized (lock) {
                return deadlines;
            }
        }
    }

    /** A context with one timer. */
    static class Timed {
        final AioContext context = new AioContext("loop", LoopSeams.system());
        final LoopTimer timer;
        private int fired;

        Timed(Clock clock) {
            timer = new LoopTimer(context, clock, "timer", () -> fired++);
        }

        int turn() {
            Lease lease = context.acquire();
            context.poll(0);
            lease.close();
            return fired;
        }
    }
}
