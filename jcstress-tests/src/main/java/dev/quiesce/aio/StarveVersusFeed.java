package dev.quiesce.aio;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.quiesce.aio.queue.Inbox;
import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;

/**
 * Can something be forgotten that is due and finds no memory to be queued, while the loop queues
 * what was due before (AIO-2), or ends (IOT-6), or is closed (AIO-20)?
 *
 * <p>Whoever is due makes that visible, raises a flag and notifies. The loop takes the flag down,
 * then looks who is due. First result of the model and its twins: whether the loop found it.
 * Second: whether the loop would not look again.
 *
 * <pre>
 *     jcstress-tests/quick.sh StarveVersusFeed
 * </pre>
 */
public class StarveVersusFeed {
    private StarveVersusFeed() {
    }

    /** Due, then the flag; the flag down, then the look. */
    @JCStressTest
    @Outcome(id = "0, true", expect = FORBIDDEN, desc = "Neither found nor on record: lost.")
    @Outcome(id = "0, false", expect = ACCEPTABLE, desc = "On record: the next turn finds it.")
    @Outcome(id = "1, false", expect = ACCEPTABLE, desc = "Found, and on record all the same.")
    @Outcome(id = "1, true", expect = ACCEPTABLE, desc = "Found.")
    @State
    public static class Model extends Flags {
        /** Is due, then says so. */
        @Actor
        public void asker() {
            due = true;
            starved = true;
        }

        /** Takes the flag down, then looks. */
        @Actor
        public void loop(IZ_Result r) {
            starved = false;
            r.r1 = due ? 1 : 0;
        }

        /** Whether the loop would not look. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !starved;
        }
    }

    /** The loop looks, and takes the flag down only then. */
    @JCStressTest
    @Outcome(id = "0, true", expect = ACCEPTABLE_INTERESTING, desc = "Lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenLookBeforeTheFlag extends Flags {
        /** As in the model. */
        @Actor
        public void asker() {
            due = true;
            starved = true;
        }

        /** Looks, then takes the flag down. */
        @Actor
        public void loop(IZ_Result r) {
            r.r1 = due ? 1 : 0;
            starved = false;
        }

        /** Whether the loop would not look. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !starved;
        }
    }

    /** Whoever is due says so before it can be found. */
    @JCStressTest
    @Outcome(id = "0, true", expect = ACCEPTABLE_INTERESTING, desc = "Lost.")
    @Outcome(expect = ACCEPTABLE, desc = "Went well this time.")
    @State
    public static class BrokenFlagBeforeDue extends Flags {
        /** Says so, then is due. */
        @Actor
        public void asker() {
            starved = true;
            due = true;
        }

        /** As in the model. */
        @Actor
        public void loop(IZ_Result r) {
            starved = false;
            r.r1 = due ? 1 : 0;
        }

        /** Whether the loop would not look. */
        @Arbiter
        public void sleep(IZ_Result r) {
            r.r2 = !starved;
        }
    }

    /** A real bottom half that finds no memory, while the loop queues for others. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "Run.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or run twice.")
    @State
    public static class ActualBottomHalf extends Loop {
        /** Another one has found no memory before. */
        public ActualBottomHalf() {
            boolean unused = context.remains().starve();
        }

        /** Schedules. */
        @Actor
        public void scheduler() {
            half.schedule();
        }

        /** One turn. */
        @Actor
        public void loop() {
            turn();
        }

        /** The turns that the loop takes if it was notified, and no others. */
        @Arbiter
        public void turns(I_Result r) {
            r.r1 = runs();
        }
    }

    /** A real item that comes home and finds no memory, while the loop queues for others. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "Run.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or run twice.")
    @State
    public static class ActualItem extends Loop {
        /** Another one has found no memory before. */
        public ActualItem() {
            submit();
            boolean unused = context.remains().starve();
        }

        /** Does the work. */
        @Actor
        public void worker() {
            boolean unused = item.perform();
        }

        /** One turn. */
        @Actor
        public void loop() {
            turn();
        }

        /** The turns that the loop takes if it was notified, and no others. */
        @Arbiter
        public void turns(I_Result r) {
            r.r1 = runs();
        }
    }

    /**
     * A real bottom half that finds no memory while the loop ends. First result: the schedule was
     * accepted. Second: how often it ran or was reported as left.
     */
    @JCStressTest
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Accepted, and reported.")
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Refused, and nothing else.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class ActualEndingBottomHalf extends Loop {
        /** Schedules. */
        @Actor
        public void scheduler(ZI_Result r) {
            r.r1 = isAccepted(half::schedule);
        }

        /** The end. */
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

    /**
     * A real bottom half that finds no memory while its context is closed. First result: the
     * schedule was accepted. Second: how often it ran.
     */
    @JCStressTest
    @Outcome(id = "true, 1", expect = ACCEPTABLE, desc = "Accepted, and run: the close was not.")
    @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Refused, and nothing else.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or answered twice.")
    @State
    public static class ActualClosingBottomHalf extends Loop {
        private boolean closed;

        /** Schedules. */
        @Actor
        public void scheduler(ZI_Result r) {
            r.r1 = isAccepted(half::schedule);
        }

        /** The close; if it is refused, one turn. */
        @Actor
        public void loop() {
            closed = close();
            if (!closed) {
                turn();
            }
        }

        /** What became of it. */
        @Arbiter
        public void answers(ZI_Result r) {
            r.r2 = closed ? ran : runs();
        }
    }

    /** A real item that comes home and finds no memory while the loop ends. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "Reported.")
    @Outcome(expect = FORBIDDEN, desc = "Lost, or reported twice.")
    @State
    public static class ActualEndingItem extends Loop {
        /** The item is at work. */
        public ActualEndingItem() {
            submit();
        }

        /** Does the work. */
        @Actor
        public void worker() {
            boolean unused = item.perform();
        }

        /** The end. */
        @Actor
        public void loop() {
            end();
        }

        /** What became of it. */
        @Arbiter
        public void answers(I_Result r) {
            r.r1 = ran + reported;
        }
    }

    /** What is due, and whether something is; another one was before. */
    static class Flags {
        volatile boolean due;
        volatile boolean starved = true;
    }

    /** A loop with an inbox that has no room for the first that comes. */
    static class Loop extends EndingLoop {
        final BottomHalf half = new BottomHalf(context, DUE, this::countRun);
        final WorkItem item = new WorkItem() {
            @Override
            protected void work() {
                // Its way home is what matters.
            }

            @Override
            protected void run() {
                countRun();
            }

            @Override
            public String describe() {
                return DUE;
            }
        };

        Loop() {
            super(new ScarceInbox());
        }

        final void submit() {
            Lease lease = context.acquire();
            item.submitted(context);
            lease.close();
        }

        final int runs() {
            while (context.sleep().isNotified()) {
                turn();
            }
            return ran;
        }
    }

    /** An inbox that throws as if an allocation had failed, once. */
    private static final class ScarceInbox extends Inbox<Task> {
        private final Inbox<Task> inbox = Task.Queues.newInbox();
        private final AtomicBoolean failed = new AtomicBoolean();

        @Override
        public boolean offer(Task item) {
            if (failed.compareAndSet(false, true)) {
                throw new OutOfMemoryError("no room for a task");
            }
            return inbox.offer(item);
        }

        @Override
        public boolean offerAll(Task[] items, int count) {
            return inbox.offerAll(items, count);
        }

        @Override
        public int poll(Object[] into, int from, int max) {
            return inbox.poll(into, from, max);
        }

        @Override
        public boolean hasNext() {
            return inbox.hasNext();
        }

        @Override
        public long claimed() {
            return inbox.claimed();
        }

        @Override
        public boolean isEmpty() {
            return inbox.isEmpty();
        }

        @Override
        public boolean sealIfEmpty() {
            return inbox.sealIfEmpty();
        }

        @Override
        public void unseal() {
            inbox.unseal();
        }

        @Override
        public void seal() {
            inbox.seal();
        }
    }
}
