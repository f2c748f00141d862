package dev.quiesce.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A callback of one context that any thread may ask for, any number of times: however many asks
 * there were between two runs, it runs once (AIO-2, AIO-3). Everything a thread wrote before it
 * asked is visible to the run (AIO-4). An ask from within the callback is for one further run, in
 * the loop's next slice. Bottom halves run first in, first out (AIO-16).
 *
 * <p>An ask may be {@linkplain #scheduleIdle idle}: it lets the loop sleep for a while, and its run
 * is no progress. An ordinary ask before the run makes it an ordinary run, in whichever order the
 * two come (AIO-8).
 *
 * <p>Life: created by any thread, without touching the loop (AIO-1); ended by {@link #delete}. Its
 * context, when it is closed, names those that were never deleted (AIO-20).
 */
public final class BottomHalf extends Task {
    /*
     * PENDING says that the task is in a queue of its context or about to be; whoever sets it
     * queues the task, so it is queued once. The loop takes the task off its queue first and then
     * clears PENDING and what was asked for in one atomic step, deciding by the old value (AIO-5):
     * an ask before that step is served by this run and visible to it, since both steps are
     * read-modify-writes of one word; an ask after it queues the task anew. Cancel clears only what
     * was asked for: the task stays queued and does nothing when its turn comes (AIO-10).
     *
     * SCHEDULED and IDLE are asks of two kinds, each set by its own and cleared together, so
     * neither hides the other and the run is an idle one only if nobody asked for more (AIO-8).
     * `paces` says that the queued task does not keep the loop from sleeping: true only for one
     * that home itself asked to run idle. Whoever else asks raises a notify, which keeps the loop
     * awake by itself; an ordinary ask from home ends the pacing.
     *
     * RECLAIMED is set once, by the loop, when a deleted bottom half can never run again and is
     * not running; `gone` and RECLAIMED are a Dekker pair, so a waiter either is found or finds
     * that there is nothing to wait for.
     *
     * Proved by the step model BottomHalfStepModelTest.
     */
    static final int PENDING = 1;
    static final int SCHEDULED = 2;
    static final int DELETED = 4;

    private static final int RECLAIMED = 8;
    private static final int IDLE = 16;

    private static final VarHandle FLAGS;
    private static final VarHandle GONE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            FLAGS = lookup.findVarHandle(BottomHalf.class, "flags", int.class);
            GONE = lookup.findVarHandle(BottomHalf.class, "gone", CompletableFuture.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final AioContext context;
    private final String name;
    private final Runnable callback;

    @SuppressWarnings("UnusedVariable") // read and written through FLAGS
    private int flags;
    @SuppressWarnings("UnusedVariable") // read and written through GONE
    private @Nullable CompletableFuture<@Nullable Void> gone;

    /** Whether this lets the loop sleep while it is queued. Home context only. */
    private boolean paces;

    /** How many runs are on the stack: more than one if the callback polls. Home context only. */
    private int running;

    /** Whether the last run on the stack has to reclaim. Home context only. */
    private boolean reclaimLater;

    /**
     * Creates a bottom half that is not scheduled. Thread: any.
     *
     * @param context where the callback runs
     * @param name what to call it in diagnoses
     * @param callback what to run, in the home context
     */
    public BottomHalf(AioContext context, String name, Runnable callback) {
        this.context = Objects.requireNonNull(context, "context");
        this.name = Objects.requireNonNull(name, "name");
        this.callback = Objects.requireNonNull(callback, "callback");
        context.registry().add(this);
    }

    /**
     * Asks for one run after this call. Does nothing if the bottom half was deleted. Thread: any.
     *
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void schedule() {
        if (!trySchedule(SCHEDULED)) {
            throw context.gone();
        }
    }

    /**
     * Asks for one run when the loop next does something, and at the latest after ten milliseconds
     * (AIO-7): for work that may wait but must not be forgotten, such as giving memory back. One
     * that asks again in every run costs a turn each ten milliseconds (AIO-9). Asked for from
     * elsewhere it runs at once. Does nothing if the bottom half was deleted. Thread: any.
     *
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void scheduleIdle() {
        if (!trySchedule(IDLE)) {
            throw context.gone();
        }
    }

    /**
     * Takes back what was asked for so far, as far as the loop has not begun with it; does not
     * wait for a running callback. It is a full barrier: what the caller reads afterwards is not
     * older than the cancellation (AIO-11). May be scheduled again. Thread: any; only the home
     * context can be sure that the callback does not start.
     */
    public void cancel() {
        FLAGS.getAndBitwiseAnd(this, ~(SCHEDULED | IDLE));
        // StoreLoad: a condition that the caller checks again must be read after the cancellation.
        VarHandle.fullFence();
    }

    /**
     * Ends this bottom half. In the home context the callback never starts again; from elsewhere
     * it may be running, and may even start once more, after this call returned (AIO-12). Allowed
     * from within the callback. Idempotent. Thread: any.
     */
    public void delete() {
        int old = markDeleted();
        if ((old & PENDING) == 0 && (old & DELETED) == 0 && !context.tryPost(this)) {
            reclaim();
        }
    }

    /**
     * Ends this bottom half and says when its callback neither runs nor will ever run again
     * (AIO-13). Idempotent. Thread: any.
     *
     * @return a stage that completes in the home context, after the callback has returned if it
     *     was running; at once if the context is gone
     */
    public CompletionStage<@Nullable Void> deleteAndAwait() {
        // Sequentially consistent, before the look at the flags in delete and below. Only the
        // first waiter is kept; the others share it.
        GONE.compareAndSet(this, null, new CompletableFuture<@Nullable Void>());
        CompletableFuture<@Nullable Void> waiter = Objects.requireNonNull(goneVolatile());
        delete();
        if ((flags() & RECLAIMED) != 0) {
            waiter.complete(null);
        }
        return waiter;
    }

    /**
     * Whether a run was asked for that has not begun. Thread: any; a snapshot.
     *
     * @return true if the callback is due
     */
    public boolean isScheduled() {
        return isAsked(flags());
    }

    /**
     * The name given at construction.
     *
     * @return the name
     */
    @Override
    public String describe() {
        return name;
    }

    @Override
    protected void run() {
        callback.run();
    }

    @Override
    boolean step() {
        endPacing();
        int old = begin();
        if ((old & DELETED) != 0) {
            reclaimOrLater();
            return false;
        }
        if (!isAsked(old)) {
            return false;
        }
        running++;
        try {
            run();
        } finally {
            running--;
            if (reclaimLater && running == 0) {
                reclaim();
            }
        }
        return (old & SCHEDULED) != 0;
    }

    @Override
    boolean isLive() {
        return isScheduled();
    }

    @Override
    String leak() {
        return "bottom half " + name + " was never deleted";
    }

    @Override
    boolean abandon() {
        // As in step: from now on the others find that the task is in no queue.
        endPacing();
        int old = begin();
        if ((old & DELETED) != 0) {
            reclaim();
            return false;
        }
        // Asked for since it looked dead: queued again, or, if the context is gone, left.
        return isAsked(old) && !trySchedule(old & (SCHEDULED | IDLE));
    }

    /** Step of {@link #schedule}; the caller queues the task if the old flags have no PENDING. */
    int ask() {
        return ask(SCHEDULED);
    }

    /** Step of the loop, once the task has left its queue: run if the old flags say so. */
    int begin() {
        // One step, acquire and release: see the note above.
        return (int) FLAGS.getAndBitwiseAnd(this, ~(PENDING | SCHEDULED | IDLE));
    }

    /** Step of {@link #delete}; the caller queues the task if the old flags have no PENDING. */
    int markDeleted() {
        return (int) FLAGS.getAndBitwiseOr(this, DELETED | PENDING);
    }

    /** The flags as they are now. Thread: any. */
    int flags() {
        return (int) FLAGS.getVolatile(this);
    }

    private int ask(int how) {
        return (int) FLAGS.getAndBitwiseOr(this, PENDING | how);
    }

    private static boolean isAsked(int flags) {
        return (flags & (SCHEDULED | IDLE)) != 0 && (flags & DELETED) == 0;
    }

    private boolean trySchedule(int how) {
        int old = ask(how);
        if ((old & DELETED) != 0) {
            return true;
        }
        if ((old & PENDING) == 0) {
            if (!context.tryPost(this)) {
                // Gone. A delete that found PENDING set has left the rest to us.
                if ((begin() & DELETED) != 0) {
                    reclaim();
                }
                return false;
            }
            if (how == IDLE && context.isHome()) {
                paces = true;
                context.queues().pacingBegins(context.clock().nanoTime());
            }
        } else if (!context.isHome()) {
            context.notifyLoop();
        } else if (how == SCHEDULED) {
            endPacing();
        }
        return true;
    }

    private void endPacing() {
        if (paces) {
            paces = false;
            context.queues().pacingEnds();
        }
    }

    private void reclaimOrLater() {
        if (running > 0) {
            reclaimLater = true;
        } else {
            reclaim();
        }
    }

    private void reclaim() {
        context.registry().remove(this);
        // Sequentially consistent, before the look at `gone`.
        FLAGS.getAndBitwiseOr(this, RECLAIMED);
        CompletableFuture<@Nullable Void> waiter = goneVolatile();
        if (waiter != null) {
            waiter.complete(null);
        }
    }

    @SuppressWarnings("unchecked") // the field's type
    private @Nullable CompletableFuture<@Nullable Void> goneVolatile() {
        return (CompletableFuture<@Nullable Void>) GONE.getVolatile(this);
    }
}
