package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.Gate;
import dev.quiesce.drain.GateDrainable;
import dev.quiesce.scsi.spec.CdbFormat;
import dev.quiesce.scsi.spec.Sense;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A device server with its task set: executes requests from any number of contexts, and lets
 * control walk, cancel and purge them.
 *
 * <p>Concrete units implement {@link #executeCommand} and {@link #cancelCommand}. This class
 * answers REPORT LUNS and REQUEST SENSE, reports unit attentions, keeps the request lists, and
 * knows which of them are being cancelled.
 *
 * <p>Threads: {@link #execute} and what follows from it run in the request's home context; each
 * context has its own list, so units have no lock on the way of a command. Walks, purges and resets
 * are control, that is, for the owner of the {@linkplain #main() main context}; their asynchronous
 * forms say who may call them. Violations throw {@link IllegalStateException}.
 */
public abstract class LogicalUnit {
    /*
     * Three words tie the contexts to control.
     *
     * "lists": the table of per-context lists, see RequestTable.
     *
     * "stamp": epoch << 2 | REMOVED | CLOSED, written by control only. execute() publishes its list
     * and then reads the stamp; a purge writes the stamp and then reads the lists; all four
     * volatile. That Dekker pair is what makes one walk enough (see Purge).
     *
     * "place": bus and address together, so that a reader never sees one without the other.
     *
     * A command that arrives while the unit is closed is listed but held; opening posts a release
     * to every list. A context that read "closed" published its list before, so the release reaches
     * it; one that reads "open" while earlier ones are still held queues behind them.
     *
     * execute() is made of the atomic steps that PurgeStepModelTest interleaves with a purge's.
     */
    private static final VarHandle STAMP;
    private static final VarHandle PLACE;
    private static final long CLOSED = 1;
    private static final long REMOVED = 2;
    private static final int EPOCH_SHIFT = 2;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STAMP = lookup.findVarHandle(LogicalUnit.class, "stamp", long.class);
            PLACE = lookup.findVarHandle(LogicalUnit.class, "place", ScsiBus.Place.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final Gate gate;
    private final Drainable drainable;
    private final UnitAttentions attentions = new UnitAttentions();
    private final RequestTable lists = new RequestTable(this);
    private final AtomicLong walks = new AtomicLong();
    private final AtomicLong walksAwaited = new AtomicLong();

    /** Written volatile by control; read volatile by any. */
    @SuppressWarnings("UnusedVariable") // read and written through STAMP
    private long stamp;

    /** Written release by control; read acquire by any. */
    @SuppressWarnings("UnusedVariable") // read and written through PLACE
    private ScsiBus.@Nullable Place place;

    /* Control only. */
    private int purgesOpen;
    private boolean removed;
    private long epoch;

    /**
     * Makes a unit that stands alone on its gate. Any thread.
     *
     * @param name names the unit in reports
     * @param gate counts walks, and whatever the unit does below
     */
    protected LogicalUnit(String name, Gate gate) {
        this(name, gate, new GateDrainable(gate));
    }

    /**
     * Makes a unit whose gate belongs to something larger, a block backend for instance. Any
     * thread.
     *
     * @param name names the unit in reports
     * @param gate counts walks, and whatever the unit does below
     * @param drainable what a purge brings to rest; draining it quiesces the gate
     */
    protected LogicalUnit(String name, Gate gate, Drainable drainable) {
        this.name = Objects.requireNonNull(name, "name");
        this.gate = Objects.requireNonNull(gate, "gate");
        this.drainable = Objects.requireNonNull(drainable, "drainable");
    }

    /**
     * The unit's name. Any thread.
     *
     * @return the name
     */
    public final String name() {
        return name;
    }

    /**
     * The gate on which the unit's walks and I/O count. Any thread.
     *
     * @return the gate
     */
    public final Gate gate() {
        return gate;
    }

    /**
     * What to drain to bring the unit's I/O to rest. Any thread.
     *
     * @return the drainable; draining it quiesces {@link #gate()}
     */
    public final Drainable drainable() {
        return drainable;
    }

    /**
     * The context whose owner is control. Any thread.
     *
     * @return the main context
     */
    public final AioContext main() {
        return gate.main();
    }

    /**
     * Where the unit sits. Any thread.
     *
     * @return the address, or null while the unit is on no bus
     */
    public final @Nullable ScsiAddress address() {
        ScsiBus.Place here = placeAcquire();
        return here == null ? null : here.address();
    }

    /**
     * The size of a logical block, by which CDBs are interpreted. Any thread.
     *
     * @return bytes, above 0, always the same
     */
    public abstract int blockSizeBytes();

    // ---- commands

    /**
     * Executes a prepared request: sooner or later, perhaps before this returns, its adapter gets
     * the answer. Home context of the request.
     *
     * <p>While the unit is being purged a request is held and starts afterwards (VSCSI-38); on a
     * unit that was taken off its bus it is cancelled at once with {@link CancelCause#REMOVED}.
     *
     * @param request the request
     * @throws IllegalStateException if the caller is elsewhere, or the request was not prepared
     */
    public final void execute(ScsiRequest request) {
        request.checkHome();
        RequestList list = lists.of(request.home());
        admit(request, list, stampVolatile());
    }

    /**
     * Runs a command other than REPORT LUNS and REQUEST SENSE. Home context of the request. The CDB
     * is {@linkplain ScsiRequest#parse parsed}; formats that the unit does not know are answered
     * with {@link Sense#INVALID_OPCODE}. The unit ends the request now or later, in the same
     * context.
     *
     * @param request the request, listed
     */
    protected abstract void executeCommand(ScsiRequest request);

    /**
     * Asks the unit to stop the work that it announced by {@link ScsiRequest#workBegins}. Home
     * context of the request. Advisory: the work comes back sooner, or as before; {@link
     * ScsiRequest#workEnds} then tells that it was in vain.
     *
     * @param request the request, being cancelled
     */
    protected abstract void cancelCommand(ScsiRequest request);

    /**
     * Makes what the unit keeps per context, a port for instance. Called once per context, there.
     *
     * @param home the context
     * @return the state that {@link #contextState} returns from then on
     */
    protected Object newContextState(AioContext home) {
        return home;
    }

    /**
     * What {@link #newContextState} made for the request's context. Home context of the request.
     *
     * @param request a listed request
     * @return the state
     */
    protected final Object contextState(ScsiRequest request) {
        return request.listed().unitState();
    }

    /**
     * Whether sense data is returned in descriptor format (the D_SENSE bit). Any thread.
     *
     * @return false unless a unit knows better
     */
    protected boolean descriptorSense() {
        return false;
    }

    /** Puts volatile parameters back to their defaults, after a reset's purge. Control. */
    protected void onReset() {}

    // ---- unit attention

    /**
     * Queues a unit attention condition: a command to come is answered with it, once, at the moment
     * of its execution (SCSI-36). Any thread.
     *
     * @param condition the sense; anything but a unit attention is ignored (SCSI-33)
     */
    public final void queueUnitAttention(Sense condition) {
        if (condition.isUnitAttention()) {
            attentions.add(condition);
        }
    }

    /**
     * The conditions that wait, next first. Any thread; for diagnosis.
     *
     * @return an unmodifiable copy
     */
    public final List<Sense> unitAttentions() {
        return attentions.snapshot();
    }

    /**
     * Queues a unit attention and tells the bus's listeners that the unit changed. Control.
     *
     * @param condition what changed, for instance {@link Sense#UA_CAPACITY_CHANGED}
     */
    protected final void reportChange(Sense condition) {
        main().checkHome();
        queueUnitAttention(condition);
        ScsiBus.Place here = placeAcquire();
        if (here != null) {
            here.bus().unitChanged(this, here.address(), condition);
        }
    }

    // ---- walks and task management

    /**
     * Shows every request to a visitor, each in its own context. Control; does not wait.
     *
     * <p>For each context that ever had requests, the unit's {@linkplain #gate() gate} is held
     * before the walk is posted there, and given back after the visitor has seen the last request
     * of that context and what it caused was published (WALK-10 to WALK-18): a drained section that
     * begins after this call returns, and one that begins before and still waits, awaits every
     * visit. The visitor sees only requests that are still listed, in order of submission, and
     * separately those being cancelled. A request that arrives after its context was walked is not
     * seen (WALK-21).
     *
     * @param visitor what to do
     * @throws IllegalStateException if the caller does not own the main context
     */
    public final void forEachRequestAsync(RequestVisitor visitor) {
        main().checkHome();
        startWalk(visitor, lists.all());
    }

    /**
     * Cancels the requests that match, as ABORT TASK and ABORT TASK SET do. Control; does not wait.
     *
     * @param cause why
     * @param which chooses; called in the requests' contexts, at the same time in several
     * @return completes in the main context with the number of requests found, once all of them are
     *     gone and their answers were published (VSCSI-33), those included that were being
     *     cancelled already; exceptionally if a context ended and took requests with it
     * @throws IllegalStateException if the caller does not own the main context
     */
    public final CompletionStage<Integer> cancelTasksAsync(
            CancelCause cause, Predicate<ScsiRequest> which) {
        return search(which, Objects.requireNonNull(cause, "cause"));
    }

    /**
     * Counts the requests that match, as QUERY TASK and QUERY TASK SET do. Control; does not wait.
     *
     * @param which chooses; called in the requests' contexts, at the same time in several
     * @return completes in the main context with the number of requests that are listed or being
     *     cancelled; exceptionally if a context ended and took requests with it
     * @throws IllegalStateException if the caller does not own the main context
     */
    public final CompletionStage<Integer> countTasksAsync(Predicate<ScsiRequest> which) {
        return search(which, null);
    }

    // ---- purge and reset

    /**
     * Cancels every request of the unit. Any thread; does not wait.
     *
     * <p>When the stage completes, in the main context, every request that had been executed when
     * the purge began is answered, and its answer published; nothing of them runs or will run; the
     * unit attention is queued (PURGE-2). Requests that arrived meanwhile start now and meet it.
     * The purge begins at once if the caller owns the main context, else when main runs.
     *
     * <p>With {@link CancelCause#REMOVED} the unit refuses requests from the beginning of the purge
     * on, until it is plugged again.
     *
     * @param cause what the cancelled requests are answered with
     * @param unitAttention what to queue afterwards, or null
     * @return completes when all are gone; exceptionally if the drained section failed, for
     *     instance because a context has ended in which requests of the unit were at work
     */
    public final CompletionStage<Void> purgeAsync(
            CancelCause cause, @Nullable Sense unitAttention) {
        return new Purge(this, cause, unitAttention, false).beginAsync();
    }

    /**
     * As {@link #purgeAsync}, waiting. Control; polls the main context.
     *
     * @param cause what the cancelled requests are answered with
     * @param unitAttention what to queue afterwards, or null
     * @throws dev.quiesce.aio.WaitCannotEndException if the wait could never end: some requests may
     *     have been cancelled, nothing else happened, the unit is open again
     * @throws IllegalStateException if the caller does not own the main context, or is a hook
     *     (DRAIN-9): nothing happened
     */
    public final void purge(CancelCause cause, @Nullable Sense unitAttention) {
        new Purge(this, cause, unitAttention, false).runBlocking();
    }

    /**
     * Resets the unit: a purge with {@link CancelCause#RESET}, then volatile parameters go back to
     * their defaults, then {@link Sense#UA_RESET} (PURGE-8). Any thread; does not wait.
     *
     * @return completes in the main context
     */
    public final CompletionStage<Void> resetAsync() {
        return new Purge(this, CancelCause.RESET, Sense.UA_RESET, true).beginAsync();
    }

    /**
     * As {@link #resetAsync}, waiting. Control; polls the main context.
     *
     * @throws IllegalStateException as for {@link #purge}, a wait that cannot end included
     */
    public final void reset() {
        new Purge(this, CancelCause.RESET, Sense.UA_RESET, true).runBlocking();
    }

    // ---- diagnosis

    /**
     * How many requests are listed. Any thread; a snapshot.
     *
     * @return requests in all contexts that were executed and are neither answered nor cancelled
     */
    public final int listedRequests() {
        return lists.listed();
    }

    /**
     * How many requests are being cancelled. Any thread; a snapshot.
     *
     * @return requests that were cancelled and whose work has not come back
     */
    public final int cancellingRequests() {
        return lists.cancelling();
    }

    /**
     * How many requests were cancelled for a reason so far. Any thread.
     *
     * @param cause the reason; that of the first cancel counts
     * @return requests that were listed, and then cancelled
     */
    public final long cancelledRequests(CancelCause cause) {
        return lists.cancelled(cause);
    }

    /**
     * How many walks were started, those of purges included. Any thread.
     *
     * @return the count
     */
    public final long walks() {
        return walks.get();
    }

    /**
     * How many walks a drained section had to wait for: its wait found the walk unfinished. Any
     * thread.
     *
     * @return the count, at most {@link #walks}
     */
    public final long walksAwaited() {
        return walksAwaited.get();
    }

    @Override
    public String toString() {
        ScsiAddress here = address();
        return "unit " + name + (here == null ? "" : " at " + here);
    }

    // ---- RequestList, Walk, Purge, ScsiBus

    /** Volatile: after the list was published, an arriving request's half of the Dekker pair. */
    final long stampVolatile() {
        return (long) STAMP.getVolatile(this);
    }

    /** Lists an arriving request and starts it, or holds or refuses it. Home context. */
    final void admit(ScsiRequest request, RequestList list, long seen) {
        if ((seen & REMOVED) != 0) {
            request.refuse(CancelCause.REMOVED);
            return;
        }
        if (request.state() != RequestState.PREPARED) {
            throw new IllegalStateException("executed without prepare: " + request);
        }
        request.epoch = seen >>> EPOCH_SHIFT;
        if (list.append(request, (seen & CLOSED) != 0 || list.hasHeld())) {
            start(request);
        }
    }

    /** Runs a listed request. Home context. */
    final void start(ScsiRequest request) {
        try {
            startGuarded(request);
        } catch (RuntimeException | InternalError e) {
            failUnder(request, e);
        }
    }

    /**
     * Ends a request under which the unit failed, or under which its buffers did: guest memory that
     * vanishes throws out of the copy (I7). Units call it from their own completions. Home context.
     *
     * @param request the request; one whose work is still out is left to it
     * @param cause what was thrown; reported to the context's error handler
     */
    protected final void failUnder(ScsiRequest request, Throwable cause) {
        request.home().report(name() + ": " + request, cause);
        if (request.state() == RequestState.LISTED) {
            request.completeWith(Sense.TARGET_FAILURE);
        }
    }

    private void startGuarded(ScsiRequest request) {
        Sense defect = request.parse(blockSizeBytes());
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        CdbFormat format = request.cdb().format();
        if (attentions.isPending() && !request.cdb().isExemptFromUnitAttention()) {
            Sense condition = attentions.take();
            if (condition != null) {
                request.completeWith(condition);
                return;
            }
        }
        switch (format) {
            case REPORT_LUNS -> reportLuns(request);
            case REQUEST_SENSE -> requestSense(request);
            default -> executeCommand(request);
        }
    }

    final boolean isClosed() {
        return (stampVolatile() & CLOSED) != 0;
    }

    final RequestTable lists() {
        return lists;
    }

    final Walk startWalk(RequestVisitor visitor, RequestList[] over) {
        walks.incrementAndGet();
        return Walk.start(this, visitor, over);
    }

    final void countAwaitedWalk() {
        walksAwaited.incrementAndGet();
    }

    /** Closes the unit; the epoch returned is that of the first request that is not concerned. */
    final long purgeBegins(CancelCause cause) {
        main().checkHome();
        purgesOpen++;
        epoch++;
        removed |= cause == CancelCause.REMOVED;
        publishStamp();
        return epoch;
    }

    /** Opens the unit if no other purge keeps it closed, and starts what was held. */
    final void purgeEnds() {
        assert purgesOpen > 0 : this;
        purgesOpen--;
        publishStamp();
        if (purgesOpen == 0) {
            for (RequestList list : lists.all()) {
                list.postRelease();
            }
        }
    }

    final boolean isBeingPurged() {
        return purgesOpen > 0;
    }

    /** Control: goes on when every purge has ended, also a reset that overlaps an unplug. */
    final void whenNotPurged(Runnable then) {
        if (!isBeingPurged()) {
            then.run();
            return;
        }
        main().whenDone(() -> !isBeingPurged(), new Task() {
            @Override
            protected void run() {
                whenNotPurged(then); // Another one may have begun after the look.
            }

            @Override
            public String describe() {
                return name() + ": every purge has ended";
            }
        });
    }

    /** Control: publishes the unit's place, before the bus publishes the unit. */
    final void placed(ScsiBus.@Nullable Place where) {
        if (where != null) {
            removed = false;
            publishStamp();
        }
        // Release: bus and address are one immutable object.
        PLACE.setRelease(this, where);
    }

    final void clearUnitAttention(Sense condition) {
        attentions.clear(condition);
    }

    private void publishStamp() {
        long value = epoch << EPOCH_SHIFT | (removed ? REMOVED : 0) | (purgesOpen > 0 ? CLOSED : 0);
        // Volatile: control's half of the Dekker pair, before it reads the lists.
        STAMP.setVolatile(this, value);
    }

    private ScsiBus.@Nullable Place placeAcquire() {
        return (ScsiBus.Place) PLACE.getAcquire(this);
    }

    private CompletionStage<Integer> search(
            Predicate<ScsiRequest> which, @Nullable CancelCause cause) {
        main().checkHome();
        return TaskSetSearch.start(this, which, cause);
    }

    private void requestSense(ScsiRequest request) {
        Sense condition = attentions.take();
        TargetCommands.answerSense(request, condition == null ? Sense.NO_SENSE : condition);
    }

    private void reportLuns(ScsiRequest request) {
        ScsiBus.Place here = placeAcquire();
        if (here == null) {
            TargetCommands.reportNoLuns(request);
        } else {
            here.bus().targetCommands().reportLuns(request, here.address().target());
        }
    }
}
