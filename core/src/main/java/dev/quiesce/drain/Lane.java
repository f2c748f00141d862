package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.DeferredCall;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.queue.Line;
import org.jspecify.annotations.Nullable;

/**
 * Where one context enters a {@link Gate}: its count, and its parked requests. Made by
 * {@link Gate#lane}.
 *
 * <p>The home context calls it like this:
 *
 * <pre>
 *     submit(task):    if (!lane.enter() &amp;&amp; lane.parkUnlessOpen(task)) {
 *                          return;                                  // parked; replayed later
 *                      }
 *                      start(task);
 *     on completion:   lane.completionBegins();
 *                      ... the callback ...
 *                      lane.completionEnds();
 *                      lane.leaveAtSliceEnd();
 *     replay(task):    start(task);                                 // already counted
 *     cancel(task):    if (lane.unpark(task)) {
 *                          complete(task, CANCELLED);               // counted again
 *                      }
 * </pre>
 *
 * <p>One count per request: what enters once leaves once or parks once (DRAIN-65).
 *
 * <p><b>Threads.</b> Home context only, and checked, except {@link #home()}, {@link #gate()} and
 * {@link #parkedCount()}.
 */
public final class Lane {
    /*
     * The parked queue is changed by the home context only, and only under the gate's lock. So the
     * home context may read its length without the lock (isOpen), and control may read the queue
     * under it.
     *
     * A request is counted before it looks (I1). If it parks it gives the count back under the
     * lock, after it is queued or before makes no difference, because nobody can look at the queue
     * meanwhile: a section that sees the gate settled in between needs the lock to end (DRAIN-28).
     *
     * While the lane has parked entries new requests append to them, so the order of a lane never
     * changes (DRAIN-25). A replay is booked for them, or a section is open: see the invariant in
     * Gate. The entries are linked to each other, so parking takes no memory and cannot fail.
     *
     * The replay task is posted at most once at a time (replayBooked). It hands over as many
     * entries as it found when it started, each counted and unlinked under the lock immediately
     * before, so an exception in one of them strands none of the others, and unpark() finds each
     * entry that was not handed over. Entries that were appended behind them stay for another run
     * of the same task if the gate is open; if it is quiesced, for the next transition to zero. The
     * count of the replay itself goes last.
     *
     * A context cannot be closed while something is parked here for it (AioContext.parkingBegins).
     * A loop that an Error, or its IoThread's close, has ended takes its requests with it: they can
     * be completed nowhere else. The transition to zero then finds no home, forgets them and says
     * so, once; they held nothing up, and hold nothing up now.
     *
     * Leaving is batched: the requests of one slice leave by one atomic add, after the slice was
     * published.
     */
    private final Gate gate;
    private final Object lock;
    private final AioContext home;
    private final ParkedReplay replay;
    private final InFlightCounter counter = new InFlightCounter();
    private final DeferredCall leaveCall = new LeaveCall();
    private final Task replayTask = new ReplayTask();

    /** Written by the home context under the lock, read by the home context, or under the lock. */
    private final Line<Task> parked = new Line<>();

    /** Whether a replay is posted or running, and counted. Guarded by the lock. */
    private boolean replayBooked;

    /** Requests of this slice that will leave together. Home context only. */
    private long leaving;

    /** Completion callbacks on the stack. Home context only. */
    private int completions;

    Lane(Gate gate, Object lock, AioContext home, ParkedReplay replay) {
        this.gate = gate;
        this.lock = lock;
        this.home = home;
        this.replay = replay;
    }

    /**
     * Counts a request, then looks whether it may start. Home context.
     *
     * @return whether it is admitted; if not, the caller keeps the count and calls
     *     {@link #parkUnlessOpen}
     */
    public boolean enter() {
        home.checkHome();
        count();
        return isOpen();
    }

    /**
     * Parks a request that {@link #enter()} did not admit, unless the gate was opened meanwhile.
     * Home context. The caller owns one count; if the request is parked the count is gone.
     *
     * @param task handed to {@link ParkedReplay} when the last section ends; not in any queue, not
     *     parked
     * @return whether the request is parked; if not, it is admitted and keeps its count
     */
    public boolean parkUnlessOpen(Task task) {
        home.checkHome();
        boolean parks = park(task);
        if (parks) {
            home.parkingBegins();
            gate.kickIfQuiesced();
        }
        return parks;
    }

    /**
     * Takes a request out of the parking lot, whatever the gate's state, and counts it again, for a
     * caller that completes it without starting it. Home context; a search.
     *
     * @param task a task given to {@link #parkUnlessOpen}
     * @return whether it was parked here; if not, nothing changed
     */
    public boolean unpark(Task task) {
        home.checkHome();
        boolean wasParked = takeOut(task);
        if (wasParked) {
            home.parkingEnds();
        }
        return wasParked;
    }

    /**
     * Takes the oldest request out of the parking lot as {@link #unpark} does. Home context.
     *
     * @return a task given to {@link #parkUnlessOpen}, or null if none is parked
     */
    public @Nullable Task unparkOldest() {
        home.checkHome();
        Task oldest = takeForReplay();
        if (oldest != null) {
            home.parkingEnds();
        }
        return oldest;
    }

    /**
     * Counts one request out at the end of this slice: after all deferred calls, hence after
     * everything that its completion wrote was published (I1). Home context. All requests of a
     * slice leave by one atomic add; if the gate is quiesced the waiter is woken then.
     */
    public void leaveAtSliceEnd() {
        home.checkHome();
        if (leaving++ == 0) {
            home.deferSettle(leaveCall);
        }
    }

    /**
     * Tells that a completion callback of a request counted here begins. Home context. A section
     * that is begun on the gate from within it would wait for its own caller; it is refused instead
     * (DRAIN-14).
     */
    public void completionBegins() {
        home.checkHome();
        completions++;
    }

    /** Tells that a completion callback returned or threw. Home context. */
    public void completionEnds() {
        home.checkHome();
        assert completions > 0 : this;
        completions--;
    }

    /**
     * Names the context that enters here. Any thread.
     *
     * @return the home context
     */
    public AioContext home() {
        return home;
    }

    /**
     * Names the gate that is entered here. Any thread.
     *
     * @return the gate
     */
    public Gate gate() {
        return gate;
    }

    /**
     * Tells how many tasks are parked. Any thread; takes the gate's lock.
     *
     * @return the number of parked tasks
     */
    public int parkedCount() {
        synchronized (lock) {
            return parked.size();
        }
    }

    @Override
    public String toString() {
        return "lane of " + home.name() + " into " + gate.name();
    }

    // Steps. The step models call them one by one.

    void count() {
        counter.enterSeqCst();
    }

    boolean isOpen() {
        // SC, after the count: the requester's half of the Dekker pair (I2).
        return gate.quiesceSeqCst() == 0 && parked.isEmpty();
    }

    boolean park(Task task) {
        synchronized (lock) {
            // Again, under the lock that resume() takes: otherwise nobody might come to wake it
            // (DRAIN-30).
            if (isOpen()) {
                return false;
            }
            assert counter.inFlight() > 0 : this;
            parked.add(task);
            giveBack(1);
            return true;
        }
    }

    /** Unlinks a certain parked task and counts it, in one critical section. */
    boolean takeOut(Task task) {
        synchronized (lock) {
            boolean wasParked = parked.remove(task);
            if (wasParked) {
                count();
            }
            return wasParked;
        }
    }

    void giveBack(long n) {
        counter.leaveSeqCst(n);
    }

    /**
     * Under the lock, at the transition to zero: takes the replay's count if there is anything to
     * replay.
     */
    boolean bookReplay() {
        assert Thread.holdsLock(lock);
        if (parked.isEmpty() || replayBooked) {
            return false;
        }
        replayBooked = true;
        count();
        return true;
    }

    boolean isReplayBooked() {
        synchronized (lock) {
            return replayBooked;
        }
    }

    /**
     * Posts the booked replay. Returns why that is impossible; the booking is then undone, and what
     * was parked is forgotten: it went with its loop.
     */
    @Nullable IllegalStateException postReplay() {
        try {
            home.post(replayTask);
            return null;
        } catch (IllegalStateException e) {
            int lost = forgetParked();
            giveBack(1);
            gate.kickIfQuiesced();
            return new IllegalStateException(
                    lost + " parked requests were lost with the home of the " + this, e);
        }
    }

    /** The home runs nothing any more, so nobody else is at the queue. Returns how many went. */
    private int forgetParked() {
        synchronized (lock) {
            replayBooked = false;
            int lost = parked.size();
            while (!parked.isEmpty()) {
                parked.poll();
            }
            return lost;
        }
    }

    /** Unlinks the oldest parked task and counts it, in one critical section. */
    @Nullable Task takeForReplay() {
        synchronized (lock) {
            Task task = parked.poll();
            if (task != null) {
                count();
            }
            return task;
        }
    }

    /** Ends a run of the replay. Returns whether entries wait that only another run would wake. */
    boolean replayAgain() {
        synchronized (lock) {
            replayBooked = !parked.isEmpty() && gate.quiesceSeqCst() == 0;
            return replayBooked;
        }
    }

    InFlightCounter counter() {
        return counter;
    }

    void checkReplay(ParkedReplay given) {
        if (given != replay) {
            throw new IllegalStateException(this + " replays by " + replay + ", not by " + given);
        }
    }

    void describe(WaitReport out) {
        long inFlight = counter.inFlight();
        if (inFlight > 0) {
            String what = isReplayBooked() ? " (replay booked)" : "";
            // The callbacks of another context are its own business, and so is its plain counter.
            boolean own = home == gate.main() && completions > 0;
            out.outstanding("requests of " + gate.name() + what, home, inFlight, own);
        }
        int waiting = parkedCount();
        if (waiting > 0) {
            out.parked(gate.name(), home, waiting);
        }
    }

    private void leaveTogether() {
        long n = leaving;
        leaving = 0;
        giveBack(n);
        gate.kickIfQuiesced();
    }

    private void replayParked() {
        int found = parked.size();
        try {
            for (int i = 0; i < found; i++) {
                Task task = unparkOldest();
                if (task == null) {
                    break;
                }
                replay.replay(task);
            }
        } finally {
            endReplay();
        }
    }

    private void endReplay() {
        if (replayAgain()) {
            home.defer(replayTask);
        } else {
            giveBack(1);
            gate.kickIfQuiesced();
        }
    }

    /** Runs at the end of a slice in which requests left. */
    private final class LeaveCall extends DeferredCall {
        @Override
        protected void run() {
            leaveTogether();
        }
    }

    /** Runs in the home context after the last section ended. */
    private final class ReplayTask extends Task {
        @Override
        protected void run() {
            replayParked();
        }

        @Override
        public String describe() {
            return "replay of parked requests, " + Lane.this;
        }
    }
}
