package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.scsi.spec.Sense;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Cancels every request that a unit had when the purge began, and waits until all of them are gone.
 * Control, except the visits.
 */
final class Purge extends Task implements Drainable, RequestVisitor {
    /*
     * Algorithm (PURGE-1..7):
     * 1. the unit's epoch grows and the unit closes: whatever arrives from now on is held, or
     *    refused if the unit is being removed, and so runs wholly after the purge (VSCSI-38);
     * 2. a drained section begins on the purge itself, which stands for the unit's drainable and
     *    more: its quiesce hook quiesces that first (PURGE-3) and then starts the walk, that is it
     *    posts and holds; its isBusy is "a leg is out, or a cancelled request is not gone, or the
     *    drainable is busy". So the walk runs while nothing new can enter the gate, and the
     *    section's one wait covers everything;
     * 3. the visits cancel every older request; each cancel raises the count of its context before
     *    it starts and lowers it by a notifier, which runs after the response was published;
     * 4. then the unit forgets its modes if this is a reset, the unit attention is set (SCSI-43:
     *    never earlier), the section ends, the unit opens, and what was held starts.
     *
     * One round of walking is enough, by construction: a request older than the epoch was listed in
     * its context before that context's leg ran. For let C be the context. execute() in C publishes
     * C's list in the unit's table and then reads the epoch, both volatile; step 1 writes the epoch
     * and then reads the table, both volatile. Either execute() sees the new epoch, then the
     * request is not old; or the table read here has C's list, and since execute() is one task of C
     * the request is listed before the leg runs. Purges may overlap (a removal during a reset):
     * each cancels all that is older than itself, requests held by the other included; the unit
     * opens when the last one ends.
     *
     * It works under somebody else's section too (PURGE-6): parked block requests do not count on
     * the gate and cancelling reaches them; and without a medium, since the gate belongs to the
     * unit (PURGE-7).
     *
     * The counts are written by the contexts with release and read here with acquire: whoever reads
     * zero sees the request gone. A count that falls to zero wakes main, whose wait looks again.
     *
     * Proof of "one round is enough" and of "held ones start": PurgeStepModelTest drives these very
     * steps through every interleaving with those of execute(), and refutes the other order.
     */
    private final LogicalUnit unit;
    private final CancelCause cause;
    private final @Nullable Sense unitAttention;
    private final boolean resets;
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    /* Main context only, set when the purge begins; the visits see them by the post of the legs. */
    private long epoch;
    private RequestList[] lists = new RequestList[0];
    private Pending[] pending = new Pending[0];
    private @Nullable Walk walk;

    Purge(LogicalUnit unit, CancelCause cause, @Nullable Sense unitAttention, boolean resets) {
        this.unit = unit;
        this.cause = cause;
        this.unitAttention = unitAttention;
        this.resets = resets;
    }

    /** Any thread. */
    CompletionStage<Void> beginAsync() {
        AioContext main = unit.main();
        if (main.isHome()) {
            run();
        } else {
            main.post(this);
        }
        return done;
    }

    /** Main context: the asynchronous form. */
    @Override
    protected void run() {
        open();
        CompletionStage<DrainedSection> section;
        try {
            section = DrainedSection.beginAsync(unit.main(), this);
        } catch (IllegalStateException closed) {
            settled(null, closed);
            return;
        }
        section.whenComplete(this::settled);
    }

    /** Control: the blocking form. */
    void runBlocking() {
        open();
        DrainedSection section;
        try {
            section = DrainedSection.begin(this);
        } catch (RuntimeException e) {
            unit.purgeEnds();
            throw e;
        }
        finish(section);
    }

    private void open() {
        closeUnit();
        collectLists();
    }

    /** Control's write of the Dekker pair: whatever arrives from now on is held or refused. */
    void closeUnit() {
        unit.main().checkHome();
        epoch = unit.purgeBegins(cause);
    }

    /** Control's read of the Dekker pair, after {@link #closeUnit}. */
    void collectLists() {
        lists = unit.lists().all();
        pending = new Pending[lists.length];
        for (int i = 0; i < lists.length; i++) {
            pending[i] = new Pending(lists[i].home());
        }
    }

    private void settled(@Nullable DrainedSection section, @Nullable Throwable failure) {
        if (section == null) {
            unit.purgeEnds();
            done.completeExceptionally(
                    failure == null ? new IllegalStateException("no section") : failure);
            return;
        }
        try {
            finish(section);
            done.complete(null);
        } catch (RuntimeException | AssertionError e) {
            // Whoever waits for the stage must hear of it; nobody else would.
            done.completeExceptionally(e);
        }
    }

    private void finish(DrainedSection section) {
        try {
            conclude();
        } finally {
            section.close();
            unit.purgeEnds();
        }
    }

    /** What a purge does when all are gone, inside its section. */
    void conclude() {
        assert !isBusy() : this;
        if (resets) {
            unit.onReset();
        }
        if (unitAttention != null) {
            unit.queueUnitAttention(unitAttention);
        }
    }

    // ---- the walk

    @Override
    public void visit(ScsiRequest request) {
        if (request.epoch < epoch) {
            cancel(request);
        }
    }

    @Override
    public void visitCancelling(ScsiRequest request) {
        cancel(request);
    }

    private void cancel(ScsiRequest request) {
        Pending here = pendingOf(request.home());
        here.requests.incrementAndGet();
        request.cancel(cause, new Gone(here));
    }

    private Pending pendingOf(AioContext context) {
        for (Pending p : pending) {
            if (p.context == context) {
                return p;
            }
        }
        throw new AssertionError("walked in a context without a list: " + context.name());
    }

    // ---- the section's part

    /** A hook may not wait; it takes the asynchronous form (DRAIN-9). */
    @Override
    public void checkMayWait() {
        unit.drainable().checkMayWait();
    }

    @Override
    public void quiesce() {
        unit.drainable().quiesce();
        boolean started = false;
        try {
            walk = unit.startWalk(this, lists);
            started = true;
        } finally {
            if (!started) {
                unit.drainable().resume();
            }
        }
    }

    @Override
    public boolean isBusy() {
        Walk started = walk;
        if (started != null && !started.isEnded()) {
            started.markAwaited();
            return true;
        }
        for (Pending p : pending) {
            if (p.requests.getAcquire() != 0) {
                return true;
            }
        }
        return unit.drainable().isBusy();
    }

    @Override
    public void resume() {
        unit.drainable().resume();
    }

    @Override
    public AioContext main() {
        return unit.main();
    }

    @Override
    public String name() {
        return "purge of " + unit.name();
    }

    @Override
    public void describe(WaitReport out) {
        unit.drainable().describe(out);
        for (Pending p : pending) {
            int requests = p.requests.getAcquire();
            if (requests > 0) {
                out.outstanding(name() + ", requests being cancelled", p.context, requests, false);
            }
        }
    }

    @Override
    public String describe() {
        return name();
    }

    /** The requests of one context that were cancelled and are not gone. */
    private static final class Pending {
        private final AioContext context;
        private final AtomicInteger requests = new AtomicInteger();

        Pending(AioContext context) {
            this.context = context;
        }
    }

    /** Runs in the request's context after its response was published. */
    private final class Gone extends Task {
        private final Pending where;

        Gone(Pending where) {
            this.where = where;
        }

        @Override
        protected void run() {
            if (where.requests.decrementAndGet() == 0) {
                unit.main().wake();
            }
        }

        @Override
        public String describe() {
            return "cancelled request gone, " + name();
        }
    }
}
