package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.aio.Task;
import dev.quiesce.drain.Hold;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One pass over all requests of a unit, each in its own context. See
 * {@link LogicalUnit#forEachRequestAsync}. Started by control; its legs run in the contexts.
 */
final class Walk {
    /*
     * For each context that ever had a list: take a hold on the unit's gate, then post a leg to
     * that context (WALK-15, WALK-17, I6). The leg shows the visitor the requests that are listed
     * at that moment, and gives the hold back in the settle phase of its slice, after what the
     * visits pushed was published (I1, design 1.17). So from the return of start() until the last
     * effect of the last visit is visible, the gate is not settled: every drained section that
     * begins on it, and every purge, waits for the walk (WALK-12), and no context of anything below
     * the gate can change under it. A leg runs in the context of its requests, not in "the
     * backend's": that may change or differ as it likes (WALK-14).
     *
     * A context that ends takes its requests with it, and a leg that has not ended there never
     * will: the end of the context ends it (WatchedLoop.atEnd), drops the list and says how many
     * requests that were. It is made by the context's own last thread, or by control if the leg was
     * refused, so a leg ends once.
     *
     * A hold belongs to one leg and ends with it; it is not kept while cancelled requests wait for
     * their work to come back (I9). Who needs those too gives cancel() a notifier and counts.
     *
     * A walk counts as awaited when the wait of a drained section found it unfinished: either the
     * section began while the leg's hold was out (quiesced at the end of the leg, not at its
     * start), or the section is the purge's own, whose wait looked while legs were out
     * (markAwaited).
     */
    private final LogicalUnit unit;
    private final RequestVisitor visitor;
    private final AtomicInteger legsLeft;
    private final AtomicBoolean awaited = new AtomicBoolean();

    private Walk(LogicalUnit unit, RequestVisitor visitor, int legs) {
        this.unit = unit;
        this.visitor = visitor;
        this.legsLeft = new AtomicInteger(legs);
    }

    /** Control. */
    static Walk start(LogicalUnit unit, RequestVisitor visitor, RequestList[] lists) {
        Walk walk = new Walk(unit, visitor, lists.length);
        if (lists.length == 0) {
            visitor.ended();
        }
        for (RequestList list : lists) {
            walk.post(list);
        }
        return walk;
    }

    /** Control or any: some section's wait saw this walk unfinished. */
    void markAwaited() {
        if (!isEnded() && awaited.compareAndSet(false, true)) {
            unit.countAwaitedWalk();
        }
    }

    boolean isEnded() {
        return legsLeft.getAcquire() == 0;
    }

    private void post(RequestList list) {
        AioContext context = list.home();
        boolean quiescedBefore = unit.gate().isQuiesced();
        Hold hold = unit.gate().hold("walk over " + unit.name(), context);
        Leg leg = new Leg(list, hold, quiescedBefore);
        context.watched().atEnd(leg.lost);
        try {
            context.post(leg);
        } catch (IllegalStateException gone) {
            // Who ends the leg is whoever takes it back: this, or the end that is under way.
            if (context.watched().notAtEnd(leg.lost)) {
                leg.lose();
            }
        }
    }

    private void endLeg() {
        if (legsLeft.decrementAndGet() == 0) {
            visitor.ended();
        }
    }

    private final class Leg extends Task implements RequestVisitor {
        private final RequestList list;
        private final Hold hold;
        private final boolean quiescedBefore;

        /** What to do if the context ends before the leg has. */
        private final Runnable lost = this::lose;

        Leg(RequestList list, Hold hold, boolean quiescedBefore) {
            this.list = list;
            this.hold = hold;
            this.quiescedBefore = quiescedBefore;
        }

        @Override
        protected void run() {
            try {
                list.walk(this);
            } finally {
                list.home().deferSettle(new Settle(this));
            }
        }

        void settle() {
            list.home().watched().notAtEnd(lost);
            if (!quiescedBefore && unit.gate().isQuiesced()) {
                markAwaited();
            }
            finish();
        }

        /** The context has ended, or is about to: its requests went with it. */
        void lose() {
            int requests = list.listedCountOpaque() + list.cancellingCountOpaque();
            if (requests > 0) {
                unit.main().report(describe(), new IllegalStateException(requests + " requests of "
                        + unit + " were lost with the loop of " + list.home().name()));
            }
            unit.lists().forget(list);
            try {
                visitor.lost(list.home(), requests);
            } finally {
                finish();
            }
        }

        private void finish() {
            try {
                endLeg();
            } finally {
                hold.close();
            }
        }

        /* One visit that throws must not hide the requests behind it from a purge. */

        @Override
        public void visit(ScsiRequest request) {
            try {
                visitor.visit(request);
            } catch (RuntimeException e) {
                report(e);
            }
        }

        @Override
        public void visitCancelling(ScsiRequest request) {
            try {
                visitor.visitCancelling(request);
            } catch (RuntimeException e) {
                report(e);
            }
        }

        private void report(RuntimeException e) {
            list.home().report(describe(), e);
        }

        @Override
        public String describe() {
            return "walk over " + unit.name();
        }
    }

    private static final class Settle extends DeferredCall {
        private final Leg leg;

        Settle(Leg leg) {
            this.leg = leg;
        }

        @Override
        protected void run() {
            leg.settle();
        }
    }
}
