package dev.quiesce.aio;

import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.aio.watch.WatchedLoop;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One event loop: the tasks, timers, notifiers and waiters that one thread at a time serves.
 *
 * <p>It has no thread. Whoever holds its {@link Lease} is its <em>home</em> and may {@link #poll}
 * it; a lease may pass from thread to thread. All other threads reach it through {@link #post},
 * {@link BottomHalf}, {@link EventNotifier}, {@link LoopTimer} and {@link #wake}.
 *
 * <p>One turn ({@link #poll}): sleep until something happens, if allowed and nothing is due; then
 * run the slice, which is everything that was queued when the turn began; then the outer-only
 * tasks; then the timers; and look at the waiters. After each of the three, and every 64 tasks
 * ({@link #setBatchMax}), comes the epilogue: deferred calls, then settles. What a callback queues
 * belongs to the next slice, so a turn always ends (AIO-17).
 *
 * <p>A callback may poll again. The nested turn first runs the epilogue of the callbacks that have
 * returned, then the rest of the outer slice, then what is new; nothing runs twice and nothing
 * starves (AIO-18). Outer-only tasks do not run in it (AIO-45).
 *
 * <p>An exception from a callback goes to the {@link ErrorHandler} and the turn goes on; an
 * {@link Error} leaves {@link #poll}, and what was left runs in the next turn.
 */
public final class AioContext implements Executor, AutoCloseable {
    /*
     * Everything but the inboxes is confined to the home context and passes from owner to owner
     * with the lease; see Lease.Ownership.
     *
     * A home post goes straight to the ready list, a foreign one to the inbox. Acquiring a lease
     * empties the inbox into the ready list, so what a thread posted before it became home stays
     * ahead of what it posts as home: posts of one thread run in their order.
     *
     * Falling asleep is safe because the loop looks at the ready list itself before it arms, and
     * every foreign event is in the inbox or announced by then; see NotifyProtocol and
     * Turn, which has the order of a turn. What a poster reads is not near what the loop writes.
     */
    private static final int TASKS_PER_BATCH = 64;

    private final String name;
    private final LoopSeams seams;
    private final Lease.Ownership ownership = new Lease.Ownership(this);
    final LoopSeams.NotifyProtocol notify;
    final Inbox<Task> inbox;
    private final Task.Queues queues;
    private final Task.Fifo ready;
    private final DeferredCall.Epilogue epilogue = new DeferredCall.Epilogue();

    /** The parker, if it steps this loop. */
    private final Parker.@Nullable Stepping stepping;
    private final Turn turn;
    private final Remains remains;

    /** How many tasks run before an epilogue. Written by any, read at home once in a slice. */
    private volatile int tasksPerBatch = TASKS_PER_BATCH;

    /** Why nothing is taken any more. Written once, at home; read by any, as is the next one. */
    private volatile @Nullable String gone;

    /** Whether nothing is in use here any more either, neither a hook nor a channel. */
    private volatile boolean over;

    /**
     * Creates a context that nobody owns. Thread: any.
     *
     * @param name what to call it in diagnoses
     * @param seams how it reaches the world
     */
    public AioContext(String name, LoopSeams seams) {
        this(name, seams, Task.Queues.newInbox());
    }

    /** With another way for tasks from elsewhere; benchmarks compare some. */
    AioContext(String name, LoopSeams seams, Inbox<Task> inbox) {
        this.inbox = inbox;
        this.queues = new Task.Queues(inbox);
        this.ready = queues.ready();
        this.name = Objects.requireNonNull(name, "name");
        this.seams = Objects.requireNonNull(seams, "seams");
        this.stepping = seams.parker() instanceof Parker.Stepping parker ? parker : null;
        this.turn = new Turn(this, ownership, queues, epilogue, new LoopTimer.Lists(this));
        this.notify = turn.sleep().protocol();
        this.remains = new Remains(this, epilogue);
        if (stepping != null) {
            stepping.adopt(this, new LoopSeams.SteppedLoop(this));
        }
    }

    /** {@return the name given at construction} Thread: any. */
    public String name() {
        return name;
    }

    /** {@return the seams given at construction} Thread: any. */
    public LoopSeams seams() {
        return seams;
    }

    /** {@return the clock of this context's waits, and of timers without another} Thread: any. */
    public Clock clock() {
        return seams.clock();
    }

    /** {@return where this context's blocking work is done} Thread: any. */
    public Workers workers() {
        return seams.workers();
    }

    /**
     * Makes the calling thread the home of this context until the lease is closed. What the last
     * owner did here is visible. A thread that is home already gets a nested lease. Thread: any.
     *
     * @return the lease
     * @throws IllegalStateException if another thread owns the context, or it is closed, or its
     *     loop has ended
     */
    public Lease acquire() {
        if (isHome()) {
            checkOpen();
            return ownership.nest();
        }
        return ownership.take(queues);
    }

    /**
     * {@return whether the calling thread is the home of this context} False while the context is
     * asleep. Thread: any; one plain load.
     */
    public boolean isHome() {
        return ownership.isHome();
    }

    /** {@return this loop as others watch it: statistics, observers, what runs} Thread: any. */
    public WatchedLoop watched() {
        return turn.meter();
    }

    /** {@return whether some thread holds the lease} Thread: any; a snapshot. */
    public boolean hasOwner() {
        return owner() != null;
    }

    /** {@return the thread that holds the lease, or null} Thread: any; a snapshot. */
    public @Nullable Thread owner() {
        return ownership.owner();
    }

    /**
     * Throws unless the calling thread is the home of this context. Thread: any; one plain load.
     *
     * @throws IllegalStateException naming the context, its owner, the caller and the rule
     */
    public void checkHome() {
        if (!isHome()) {
            throw notHome("AIO-62");
        }
    }

    /**
     * Runs one turn of the loop, see the description of this class. May be called from within a
     * callback. Returns after one turn, whether or not anything happened: callers loop on their
     * own condition. Thread: home context.
     *
     * @param maxWaitNanos how long the turn may sleep if there is nothing to do: 0 never sleeps,
     *     {@link Long#MAX_VALUE} sleeps without bound
     * @return true if any callback ran
     * @throws IllegalStateException if the caller is not home, or the context is closed
     * @throws IllegalArgumentException if the time is negative
     */
    public boolean poll(long maxWaitNanos) {
        if (!isHome()) {
            throw notHome("AIO-39");
        }
        checkOpen();
        if (maxWaitNanos < 0) {
            throw new IllegalArgumentException("context " + name + ", polled by "
                    + Lease.Ownership.caller() + ", cannot wait " + maxWaitNanos + " ns (AIO-40)");
        }
        return turn.take(maxWaitNanos);
    }

    /** {@return whether the caller is inside a turn of this context} Thread: home context. */
    public boolean isPolling() {
        return pollDepth() > 0;
    }

    /** {@return how many turns of this context are on the stack} Thread: home context. */
    public int pollDepth() {
        checkHome();
        return turn.depth();
    }

    /**
     * Queues a task for the next slice, after everything that is queued already. Thread: home
     * context; no fence, no atomic operation.
     *
     * @param task a task that is in no queue
     * @throws IllegalStateException if the caller is not home, or the context is closed
     */
    public void defer(Task task) {
        checkHome();
        post(task);
    }

    /**
     * Queues a task and wakes the loop. Tasks that one thread posts run in the order in which it
     * posted them. What the poster wrote before is visible to the task. Thread: any.
     *
     * @param task a task that is in no queue; no bottom half and no item, which queue themselves
     * @throws IllegalArgumentException if it queues itself, here and in whatever else takes tasks
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void post(Task task) {
        if (!tryPost(Remains.postable(this, task))) {
            throw gone();
        }
    }

    /**
     * Posts many tasks at once, in the order in which they stand in the array: one step makes them
     * visible and wakes the loop, and nobody else's come between them. Thread: any.
     *
     * @param tasks tasks that are in no queue, none of them twice; the array stays the caller's
     * @param count how many of them, from the first; 0 does nothing
     * @throws IllegalStateException if the context is closed or its loop has ended; the tasks are
     *     then in no queue, as after a failure of any other kind, such as for want of memory
     * @throws IndexOutOfBoundsException if the array has fewer
     */
    public void postAll(Task[] tasks, int count) {
        Remains.checkPostable(this, tasks, count);
        if (isHome()) {
            checkOpen();
            ready.appendAll(tasks, count);
        } else if (count > 0 && !notify.wakes(this, Task.pushAll(inbox, tasks, count))) {
            throw gone();
        }
    }

    /**
     * Queues a task that may run only in an outermost turn: not in a nested one, and not while a
     * {@link ControlWait} waits on this context. For asynchronous control operations, which must
     * not begin in the middle of another (AIO-45). In order of posting among themselves.
     * Thread: any.
     *
     * @param task a task that is in no queue
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    public void postOuter(Task task) {
        if (isHome()) {
            checkOpen();
            turn.disturb();
            queues.appendOuter(Remains.postable(this, task));
        } else if (queues.pushOuter(Remains.postable(this, task))) {
            notifyLoop();
        } else {
            throw gone();
        }
    }

    /**
     * Posts a piece of code; allocates. Thread: any.
     *
     * @param command what to run in the home context
     * @throws IllegalStateException if the context is closed or its loop has ended
     */
    @Override
    public void execute(Runnable command) {
        post(new Task.OneShot(command));
    }

    /**
     * Has a call made once at the end of the current slice, before the settles; outside a poll, at
     * the end of the next turn, which then does not sleep. Does nothing if it is registered
     * already. Thread: home context.
     *
     * @param call what to call
     * @throws IllegalStateException if the caller is not home, or the context is closed
     */
    public void deferCall(DeferredCall call) {
        checkHome();
        checkOpen();
        epilogue.addCall(call);
    }

    /**
     * Has a call made once at the end of the current slice, after all deferred calls: for counting
     * out, and for answers that must not overtake what the slice publishes. Register it only for
     * callbacks that have returned or are about to without polling: a nested turn makes these
     * calls first. Does nothing if it is registered already. Thread: home context.
     *
     * @param settle what to call
     * @throws IllegalStateException if the caller is not home, or the context is closed
     */
    public void deferSettle(DeferredCall settle) {
        checkHome();
        checkOpen();
        epilogue.addSettle(settle);
    }

    /**
     * Sets how long this loop polls before it sleeps, from its next turn on, and what was learnt so
     * far is forgotten (AIO-53). A new context does not poll. Polling takes a core while it lasts;
     * it is for loops whose thread has one. Thread: any.
     *
     * @param parameters how to poll
     */
    public void setPolling(PollParameters parameters) {
        turn.sleep().poll(parameters, false);
    }

    /** {@return how long this loop polls before it sleeps} Thread: any; a snapshot. */
    public PollParameters polling() {
        return turn.sleep().poller().parameters();
    }

    /**
     * Makes the loop look at a source in every turn, and sleep in it instead of parking. For what
     * tells nobody when it is ready; see the handlers of channels in {@code aio.channel}.
     * Thread: home context.
     *
     * @param source what to look at
     * @throws IllegalStateException if there is one already, if the context is closed, or if its
     *     parker steps it and the source is not {@linkplain ReadinessSource#isRepeatable
     *     repeatable}: what the world outside does would then change the run
     */
    public void attachSource(ReadinessSource source) {
        checkHome();
        checkOpen();
        turn.disturb();
        turn.sleep().sleepIn(Objects.requireNonNull(source, "source"));
    }

    /**
     * Ends what {@link #attachSource} began: the loop parks again. Does nothing if the source is
     * not attached. Thread: home context.
     *
     * @param source what not to look at any more
     */
    public void detachSource(ReadinessSource source) {
        checkHome();
        if (turn.sleep().source() == source) {
            turn.sleep().sleepIn(null);
        }
    }

    /** {@return the source that is attached, or null} Thread: any; a snapshot. */
    public @Nullable ReadinessSource source() {
        return turn.sleep().source();
    }

    /**
     * Makes the loop take a turn and look at its waiters. Any number of calls between two turns
     * are one. Does nothing if the context is closed. Thread: any.
     */
    public void wake() {
        notifyLoop();
    }

    /**
     * Has a task posted with {@link #postOuter} once a condition holds. The condition is evaluated
     * at the end of every turn, nested ones too; whoever makes it true must {@link #wake} this
     * context afterwards (AIO-59). If it throws, that is reported, and the task is never posted.
     * Thread: home context.
     *
     * @param done the condition; cheap, and free of side effects
     * @param then a task that is in no queue; it belongs to the loop from now on
     * @throws IllegalArgumentException as {@link #post}
     */
    public void whenDone(BooleanSupplier done, Task then) {
        checkHome();
        checkOpen();
        turn.waiters().add(done, Remains.postable(this, then));
        // The condition may hold already: the next turn must not sleep before it looks.
        notifyLoop();
    }

    /**
     * Sets how many tasks of a slice run before its epilogue is run, which does what they have
     * deferred; it is also run at the end of each slice. Holds from the next slice on. Thread: any.
     *
     * @param tasks how many; 0 leaves it to the loop, which takes 64
     * @throws IllegalArgumentException if the number is negative
     */
    public void setBatchMax(int tasks) {
        if (tasks < 0) {
            throw new IllegalArgumentException("context " + name + ", told by "
                    + Lease.Ownership.caller() + ", cannot run batches of " + tasks + " (IOT-1)");
        }
        tasksPerBatch = tasks == 0 ? TASKS_PER_BATCH : tasks;
    }

    /**
     * Says that a task which belongs here waits in a parking lot, and will be posted here when that
     * opens. Until {@link #parkingEnds} the context cannot be closed: nobody else may run the task.
     * Thread: home context.
     */
    public void parkingBegins() {
        checkHome();
        remains.parkingBegins();
    }

    /** Says that a parked task has come back, or is not wanted any more. Thread: home context. */
    public void parkingEnds() {
        checkHome();
        remains.parkingEnds();
    }

    /**
     * Tells the error handler what went wrong. The only way to it: an exception of the handler is
     * logged, an {@link Error} thrown on, with what it was told suppressed. Thread: any.
     *
     * @param site what was running, such as a task's description
     * @param cause what it threw
     */
    public void report(String site, Throwable cause) {
        try {
            seams.errors().onError(this, site, cause);
        } catch (Exception | Error e) {
            LoopSeams.handlerThrew(this, site, cause, e);
        }
    }

    /**
     * {@return whether there is nothing here: nothing queued, deferred, armed, waited for, at work
     * or parked} A deleted bottom half counts until the next turn. Thread: home context.
     */
    public boolean isIdle() {
        checkHome();
        return !queues.hasReady() && !queues.hasPosted() && !queues.hasOuter()
                && epilogue.isEmpty() && turn.timers().isEmpty() && turn.waiters().isEmpty()
                && !remains.isAwaitingAnything();
    }

    /**
     * {@return whether this context has something to do by itself: a task is queued, a timer is
     * going to be due or an item is at work} Outer-only tasks count only where they could run, and
     * timers only if their clock is not stopped. Thread: home context.
     */
    public boolean hasRunnable() {
        checkHome();
        return turn.wouldRunQueued() || queues.hasPosted() || remains.hasItemsAtWork()
                || turn.timers().nanosUntilNext() != Long.MAX_VALUE;
    }

    /**
     * {@return when an armed timer, or an idle bottom half, is next to run by itself, on this
     * context's clock, or {@link Long#MAX_VALUE}} Timers of clocks that are stopped, or that only
     * their owner moves, do not count. Thread: any; a snapshot.
     */
    public long nextDeadlineNanos() {
        return Math.min(turn.timers().nextDeadlineNanos(), queues.paceEndNanos());
    }

    /**
     * Closes the context: posts and polls throw from now on. Bottom halves that were never deleted
     * and notifiers that are still attached are reported. Does nothing if the context is closed or
     * its loop has ended. Thread: home context.
     *
     * @throws IllegalStateException if called inside a poll, a hook or a wait, or if tasks, timers,
     *     waiters, items at work or parked tasks remain, which it names, those included that come
     *     of leaving polling mode; the context then goes on as before. While it finds that out,
     *     another thread that arms a timer or posts a task may be told that the context is being
     *     closed
     */
    @Override
    public void close() {
        if (gone != null) {
            return;
        }
        checkHome();
        turn.checkMayLeave("closed", "AIO-75");
        String because = "context " + name + " is closed (AIO-75)";
        // Before the look at what is left: the hooks that are told the end may queue something.
        turn.sleep().leavePolling();
        remains.sealIfNothing();
        gone = because;
        try {
            remains.letGo();
        } finally {
            over = true;
            remains.reportAttached(because);
        }
    }

    @Override
    public String toString() {
        return "AioContext[" + name + "]";
    }

    /** Posts, unless nothing runs here any more. Thread: any. */
    boolean tryPost(Task task) {
        return isHome() ? tryDefer(task) : notify.wakes(this, Task.push(inbox, task));
    }

    /** Defers, unless nothing runs here any more. Home context. */
    boolean tryDefer(Task task) {
        if (gone != null) {
            return false;
        }
        ready.append(task);
        return true;
    }

    /** Makes the loop look again; its event must be visible by now. Thread: any. */
    void notifyLoop() {
        turn.sleep().notifyLoop();
    }

    /** How this loop takes its turns. */
    Turn turn() {
        return turn;
    }

    /** How this loop waits. */
    Turn.Sleep sleep() {
        return turn.sleep();
    }

    /** Ends the context with whatever is left in it, which is reported. Home context. */
    void end(String because) {
        checkHome();
        try {
            remains.letGo();
            remains.feed();
        } finally {
            beGone(because);
            remains.abandon(because);
        }
    }

    /** Step of {@link #end}: nothing runs here any more. */
    void beGone(String because) {
        gone = because;
        over = true;
    }

    /** {@return whether this is closed, or its loop has ended} Thread: any; it stays so. */
    public boolean isGone() {
        return over;
    }

    /** Why nothing runs here any more, or will soon. Thread: any. */
    String whyGone() {
        String because = gone;
        return because != null ? because : "context " + name + " is being closed (AIO-75)";
    }

    /** What to throw at those who want something run here. Thread: any. */
    IllegalStateException gone() {
        return new IllegalStateException(
                whyGone() + "; thread " + Lease.Ownership.caller() + " is refused");
    }

    private IllegalStateException notHome(String rule) {
        return gone != null && owner() == null ? gone() : ownership.notHome(rule);
    }

    /**
     * Throws if nothing runs here any more. Thread: any.
     *
     * @throws IllegalStateException if the context is closed or its loop has ended, saying which
     */
    public void checkOpen() {
        if (gone != null) {
            throw gone();
        }
    }

    /** How many tasks run before an epilogue. Home context. */
    int tasksPerBatch() {
        return tasksPerBatch;
    }

    Parker.@Nullable Stepping stepping() {
        return stepping;
    }

    /** Runs what the callbacks that have returned have deferred. Home context. */
    boolean runEpilogue() {
        return epilogue.run(this);
    }

    Task.Queues queues() {
        return queues;
    }

    /** What is left when this ends. Home context. */
    Remains remains() {
        return remains;
    }
}
