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
     * Asks are kept in two places, because an ask at home, the commonest by far, needs no atomic
     * operation if it has a place of its own (RescheduleBenchmark: with one place it costs 4 ns
     * more than a plain task, with two 2 ns).
     *
     * From elsewhere: `flags`. PENDING says that `errand`, the bottom half's second task, is in the
     * inbox or the ready list, or about to be; whoever sets it queues it, so it is queued once. The
     * loop takes the errand off its queue first and then clears PENDING and the asks in one atomic
     * step, deciding by the old value (AIO-5): an ask before that step is served by this run and
     * visible to it, since both steps are read-modify-writes of one word; an ask after it queues
     * the errand anew. An ask that finds PENDING set has nothing to queue: whoever set it pushes
     * the errand, and that wakes the loop. It looks all the same whether the loop is armed, since
     * the other one may have had no memory to wake it: see NotifyProtocol.
     *
     * At home: `atHome`, with the same bits and some more; PENDING says that this task is in the
     * ready list. No other thread writes it.
     *
     * SCHEDULED and IDLE are asks of two kinds, each set by its own and cleared together, so
     * neither hides the other and the run is an idle one only if nobody asked for more (AIO-8).
     * PACES, in `atHome` only, says that this task, queued, does not keep the loop from sleeping:
     * true only for one that home itself asked to run idle. An errand keeps it awake by itself; an
     * ordinary ask from home ends the pacing.
     *
     * `atHome` also counts the runs on the stack, above the asks, so that noting the begin of a run
     * and taking back what it serves is one store. A deletion waits for them (AIO-13). The shortest
     * path of a run looks at `flags` before that store; nobody decides by `atHome` elsewhere.
     *
     * A run serves both places (AIO-3): whichever task comes first takes the asks of both back
     * before the callback, and the other one, if it is queued too, finds nothing to do. This task
     * changes `flags` only if it reads an ask there, but the read is sequentially consistent: an
     * ask that it misses comes later than the read and has found PENDING clear, or the errand still
     * queued; so the errand comes after and serves it.
     *
     * Cancel clears only what was asked for: tasks stay queued and do nothing when their turn comes
     * (AIO-10). From elsewhere it cannot clear `atHome`, so it leaves REVOKED behind, which makes
     * asks at home void that were made before: the loop drops them when it finds REVOKED, before
     * it runs; and the next ask at home takes REVOKED down before it is noted.
     *
     * An errand that finds no room, or the inbox sealed, is left to the loop. If that ends, whoever
     * takes the asks answers for them: see the note in Remains about SHARED, LATER, WAITS.
     *
     * RECLAIMED is set once, by the loop, when a deleted bottom half can never run again and is
     * not running; `gone` and RECLAIMED are a Dekker pair, so a waiter either is found or finds
     * that there is nothing to wait for.
     *
     * Proved by the step model BottomHalfStepModelTest and the stress test BottomHalfAsk.
     */
    static final int PENDING = 1;
    static final int SCHEDULED = 2;
    static final int DELETED = 4;
    static final int SHARED = 512; // Only in `flags`, beside an ask: not the only one.

    private static final int RECLAIMED = 8;
    private static final int IDLE = 16;
    private static final int REVOKED = 32;
    private static final int PACES = 64;
    private static final int LATER = 1024; // As SHARED: it found none, but one who waits.
    private static final int ASKS = SCHEDULED | IDLE;
    private static final int LEFT = ASKS | SHARED | LATER; // What is taken together, or back.

    /** One for each who waits, in {@code flags} only. */
    private static final int WAITS = 2048;
    private static final int ANY_WAIT = -WAITS;

    /** Only in {@code atHome}, and not asks: the last run on the stack has to reclaim. */
    private static final int RECLAIM_LATER = 128;

    /** One for each run that is on the stack. */
    private static final int RUN = 256;

    /** What an ask at home leaves in {@code atHome}. */
    private static final int ASKED = PENDING | ASKS | PACES;

    private static final VarHandle FLAGS;
    private static final VarHandle AT_HOME;
    private static final VarHandle GONE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            FLAGS = lookup.findVarHandle(BottomHalf.class, "flags", int.class);
            AT_HOME = lookup.findVarHandle(BottomHalf.class, "atHome", int.class);
            GONE = lookup.findVarHandle(BottomHalf.class, "gone", CompletableFuture.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final AioContext context;
    private final String name;
    private final Runnable callback;
    private final Errand errand = new Errand();

    /** What was asked from elsewhere, and the state of this bottom half. Any thread. */
    @SuppressWarnings("UnusedVariable") // read and written through FLAGS
    private int flags;

    /** What was asked at home, and how many runs are on the stack. Written at home, read by any. */
    private int atHome;

    @SuppressWarnings("UnusedVariable") // read and written through GONE
    private @Nullable CompletableFuture<@Nullable Void> gone;

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
        context.remains().register(this);
    }

    /**
     * Asks for one run after this call. Does nothing if the bottom half was deleted. Thread: any.
     *
     * @throws IllegalStateException if the context is closed or its loop has ended; if that happens
     *     while several threads ask, what some of them asked for may be reported instead
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
     * @throws IllegalStateException as for {@link #schedule}
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
        if (context.isHome()) {
            int unused = forgetAsks();
        } else {
            revoke();
        }
        unask();
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
        if ((old & (PENDING | DELETED)) != 0) {
            boolean unused = context.notify.wakes(context, true);
        } else if (!tryPostErrand()) {
            int unused = takeLeft();
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
        int now = flags();
        return (now & DELETED) == 0 && asks(now, (int) AT_HOME.getOpaque(this)) != 0;
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
        if (atHome == (PENDING | SCHEDULED) && flags() == 0) {
            // The most frequent case: what the rest would do, in one store, of a constant, which
            // need not wait for what was stored there last.
            runCounted(0);
            return true;
        }
        int asked = leaveQueue();
        int old = beginAtHome();
        return (old & DELETED) == 0 && serve(asks(old, asked));
    }

    @Override
    boolean isLive() {
        return (flags() & (DELETED | REVOKED)) == 0 && (atHome & ASKS) != 0;
    }

    @Override
    void requeue() {
        int now = flags();
        if ((now & (PENDING | RECLAIMED)) == 0 && (now & (ASKS | DELETED)) != 0
                && (claim() & PENDING) == 0 && !tryPostErrand() && takeLeft() != 0) {
            context.remains().reportStarved(this);
        }
    }

    @Override
    String leak() {
        return "bottom half " + name + " was never deleted";
    }

    @Override
    boolean abandon() {
        // Nobody asks at home meanwhile.
        int unused = leaveQueue();
        return false;
    }

    /** The task that is queued for asks from elsewhere. */
    Task errand() {
        return errand;
    }

    /** Step of {@link #schedule}; the caller queues the errand if the old flags lack PENDING. */
    int ask() {
        return ask(SCHEDULED);
    }

    private int ask(int how) {
        int old;
        int shared;
        do {
            old = flags();
            shared = (old & (PENDING | ASKS | ANY_WAIT)) == 0 ? 0 : shared(old);
            // An atomic "or" of a bit that depends on the old flags; again if they have changed.
        } while ((old & DELETED) == 0
                && !FLAGS.weakCompareAndSet(this, old, old | PENDING | how | shared));
        return old;
    }

    private static int shared(int old) {
        return (old & ASKS) == 0 && (old & ANY_WAIT) != 0 ? SHARED | LATER : SHARED;
    }

    /** Sets PENDING; the caller queues the errand if the old flags lack it. */
    int claim() {
        return (int) FLAGS.getAndBitwiseOr(this, PENDING);
    }

    /**
     * Step of {@link #schedule} at home.
     *
     * @param now the flags, not older than this ask
     * @return whether the caller has to queue this task
     */
    boolean askAtHome(int now) {
        return askAtHome(now, SCHEDULED);
    }

    private boolean askAtHome(int now, int how) {
        int before = atHome;
        if ((now & REVOKED) != 0) {
            // What was cancelled comes before this ask. Sequentially consistent: a cancellation
            // that comes later makes this ask void as well.
            FLAGS.getAndBitwiseAnd(this, ~REVOKED);
            before &= ~ASKS;
        }
        setAtHome(before | PENDING | how);
        return (before & PENDING) == 0;
    }

    /** Step of {@link #cancel} from elsewhere; its other step is {@link #unask}. */
    void revoke() {
        FLAGS.getAndBitwiseOr(this, REVOKED);
    }

    /** Step of {@link #cancel}. */
    void unask() {
        FLAGS.getAndBitwiseAnd(this, ~LEFT);
    }

    /** Step of the loop, once the errand has left its queue: the flags decide about the run. */
    int begin() {
        // One step, acquire and release: see the note above.
        return (int) FLAGS.getAndBitwiseAnd(this, ~(PENDING | LEFT | REVOKED));
    }

    /** Step of the loop, once this task has left its queue: the flags decide about the run. */
    int beginAtHome() {
        int now = flags();
        if ((now & (ASKS | REVOKED)) == 0) {
            return now;
        }
        // Acquire: what those wrote who asked. The errand, if there is one, stays where it is.
        return (int) FLAGS.getAndBitwiseAnd(this, ~(LEFT | REVOKED));
    }

    /**
     * Step of the loop, before {@link #beginAtHome}: this task has left the ready list.
     *
     * @return what was asked at home
     */
    int leaveQueue() {
        int asked = atHome;
        setAtHome(asked & ~ASKED);
        if ((asked & PACES) != 0) {
            context.queues().pacingEnds();
        }
        return asked;
    }

    /**
     * Step of the loop, before {@link #begin}, which serves what was asked at home too; and of
     * {@link #cancel} at home.
     *
     * @return what was asked at home
     */
    int forgetAsks() {
        int asked = atHome;
        if ((asked & ASKS) != 0) {
            setAtHome(asked & ~ASKS);
        }
        return asked;
    }

    /** What to run for, by the flags as they were when the run began; 0 if for nothing. */
    static int asks(int old, int askedAtHome) {
        return ((old & REVOKED) == 0 ? old | askedAtHome : old) & ASKS;
    }

    /** Step of {@link #delete}; the caller queues the errand if the old flags lack PENDING. */
    int markDeleted() {
        return ask(DELETED);
    }

    /** Step of whoever has set PENDING and cannot queue the errand: it waits for the answer. */
    void unpend() {
        FLAGS.getAndAdd(this, WAITS - PENDING);
    }

    /** Step of whoever was told after {@link #unpend} that the loop queues the errand. */
    void countOnTheLoop() {
        FLAGS.getAndAdd(this, -WAITS);
    }

    /** The flags as they are now. Thread: any. */
    int flags() {
        return (int) FLAGS.getVolatile(this);
    }

    private void setAtHome(int value) {
        // Opaque: other threads read it for a snapshot only.
        AT_HOME.setOpaque(this, value);
    }

    private boolean trySchedule(int how) {
        return context.isHome() ? tryScheduleAtHome(how) : tryScheduleFromElsewhere(how);
    }

    private boolean tryScheduleAtHome(int how) {
        int now = flags();
        int before = atHome;
        if ((now | (before & ASKED)) == 0) {
            // The most frequent case: what askAtHome would do.
            setAtHome(before | PENDING | how);
            return tryDeferAsked(how);
        }
        if ((now & DELETED) != 0) {
            return true;
        }
        if (askAtHome(now, how)) {
            return tryDeferAsked(how);
        }
        if (how == SCHEDULED && (atHome & PACES) != 0) {
            setAtHome(atHome & ~PACES);
            context.queues().pacingEnds();
        }
        return true;
    }

    private boolean tryDeferAsked(int how) {
        boolean deferred = false;
        try {
            deferred = context.tryDefer(this);
        } finally {
            if (!deferred) {
                setAtHome(atHome & ~ASKED);
            }
        }
        if (deferred && how == IDLE) {
            setAtHome(atHome | PACES);
            context.queues().pacingBegins(context.clock().nanoTime());
        }
        return deferred;
    }

    private boolean tryScheduleFromElsewhere(int how) {
        int old = ask(how);
        return (old & (DELETED | PENDING)) != 0
                ? context.notify.wakes(context, true) : tryPostErrand() || !isRefused();
    }

    /** Step of {@link #schedule} when the context is gone: true unless others answer, or none. */
    boolean isRefused() {
        int left = takeLeft();
        if ((left & SHARED) != 0) { // the others have been told that it is scheduled
            context.remains().reportStarved(this);
        }
        return left != 0 && (left & LATER) == 0;
    }

    /** Step of who waits when the context is gone: takes what it has to answer for, or 0. */
    int takeLeft() {
        int old;
        int rest;
        do {
            old = flags();
            // With PENDING, the loop or who has asked since answers. REVOKED is the end's to see.
            rest = (old & PENDING) != 0 ? old : old & ~LEFT;
            // Acquire and release, as in begin.
        } while (!FLAGS.weakCompareAndSet(this, old, rest - WAITS));
        if ((old & (DELETED | PENDING)) == DELETED) {
            // Whoever deletes and finds PENDING set leaves the rest to who has set it.
            reclaim();
        }
        return (old & (DELETED | PENDING)) != 0 ? 0 : old & LEFT;
    }

    /** Queues the errand, or has the loop do it if that is not possible now; false if gone. */
    private boolean tryPostErrand() {
        if (Remains.tryPost(context, errand)) {
            return true;
        }
        unpend();
        boolean gone = false;
        try {
            gone = !context.remains().starve();
            return !gone;
        } finally {
            // Also if the loop could not be woken. If it is gone, takeLeft comes next.
            if (!gone) {
                countOnTheLoop();
            }
        }
    }

    /** Runs the callback, if it was asked for; returns whether that is progress. */
    private boolean serve(int asked) {
        if (asked == 0) {
            return false;
        }
        runCounted(atHome);
        return (asked & SCHEDULED) != 0;
    }

    /** Runs the callback; {@code before}: what is to be in {@code atHome} besides this run. */
    private void runCounted(int before) {
        setAtHome(before + RUN);
        try {
            callback.run();
        } finally {
            int left = atHome - RUN;
            setAtHome(left);
            if ((left & ~ASKED) == RECLAIM_LATER) {
                reclaim();
            }
        }
    }

    private void reclaimOrLater() {
        if (atHome >= RUN) {
            setAtHome(atHome | RECLAIM_LATER);
        } else {
            reclaim();
        }
    }

    private void reclaim() {
        context.remains().registry().remove(this);
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

    /** The task that carries what was asked from elsewhere, and the deletion. */
    private final class Errand extends Task {
        @Override
        protected void run() {
            callback.run();
        }

        @Override
        boolean step() {
            int asked = forgetAsks();
            int old = begin();
            if ((old & DELETED) != 0) {
                reclaimOrLater();
                return false;
            }
            return serve(asks(old, asked));
        }

        @Override
        boolean isLive() {
            int now = flags();
            return (now & DELETED) == 0 && (now & ASKS) != 0;
        }

        @Override
        boolean abandon() {
            // As in step: from now on the others find that the task is in no queue.
            int old = begin();
            if ((old & DELETED) != 0) {
                reclaim();
                return false;
            }
            if ((old & REVOKED) != 0) {
                int unused = forgetAsks(); // What makes them void is gone from the flags now.
            }
            // Asked for since it looked dead: queued again, or, if the context is gone, left.
            return (old & ASKS) != 0 && !trySchedule(old & ASKS);
        }

        @Override
        public String describe() {
            return BottomHalf.this.describe();
        }
    }
}
