package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.WaitReport;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Where requests of any number of contexts enter something that can be drained. One per block
 * backend.
 *
 * <p>A gate counts what is in flight: requests in one {@link Lane} per submitting context,
 * everything else by {@link Hold holds}. The control side raises the quiesce counter with
 * {@link #quiesce()}; from then on arriving requests park on their lane, and once
 * {@link #isSettled()} says so nothing admitted earlier runs. {@link #resume()} takes the counter
 * back; the transition to zero replays what parked.
 *
 * <p><b>Guarantees.</b>
 * <ol>
 *   <li>I2: {@link #isSettled()} is true only if, at some instant during the call, nothing was
 *       counted. If the gate was quiesced before the call, no request runs from then on until
 *       {@link #resume()}; what may still be counted is a hold, a request on its way into the
 *       parking lot, or a parked one that its owner cancels.
 *   <li>Everything that a request or a hold did before it was counted out is visible to the thread
 *       that sees the gate settled.
 *   <li>I5: no request stays parked while the gate is open: whoever parks one looks again under the
 *       lock that the transition to zero takes.
 *   <li>Per lane, requests start in the order in which they entered, also across sections.
 *   <li>A section that begins while parked requests wait for their replay waits for them
 *       (DRAIN-23).
 * </ol>
 *
 * <p><b>Threads.</b> {@link #quiesce()} and {@link #resume()} are control. Everything else is for
 * any thread. Lanes are confined to their home context.
 *
 * <p>Mostly one does not call a gate's {@link #quiesce()} but begins a {@link DrainedSection}.
 */
public final class Gate {
    /*
     * Why isSettled() is right (I2, DRAIN-49).
     *
     *   requester:  entered += 1;  quiesce == 0 ? run : park;  left += 1
     *   drainer:    quiesce += 1;  L = sum of all left;  E = sum of all entered;  L == E ?
     *
     * All of these are sequentially consistent, so there is one order of them all. Let T be an
     * instant between the two sums. Every count only grows, hence L <= left(T) and entered(T) <= E,
     * and by definition left(T) <= entered(T). If L == E all four are equal: at T nothing is
     * counted. A request that was admitted read quiesce == 0, so it read before the drainer's
     * increment, so it counted itself before T; as nothing is counted at T it has left. A later one
     * reads quiesce > 0 and parks. Since L == left(T), every lane's last "left" was the one that
     * the drainer read, and reading it makes everything before it visible.
     *
     * The order of the two sums is essential. Summing entered - left lane by lane in one pass
     * reports "settled" while a request hops from lane B, not yet visited, to lane A, already
     * visited.
     *
     * Lanes that appear meanwhile. The array is volatile and only grows. A lane is published before
     * its first request is counted on it. A request that read quiesce == 0 on a new lane was
     * counted before T and its lane was published before that; the array is read again after T, for
     * the second sum, so that sum includes it. (The first sum may miss the lane; it is then too
     * small, never too large, which is the safe side.)
     *
     * Parking (I5, DRAIN-28, DRAIN-30). Lane.parkUnlessOpen appends under the lock and only if
     * quiesce > 0 there, or if the lane has parked entries already. resume() decrements under the
     * same lock and, at zero, books a replay for each lane with parked entries. So under the lock
     * it always holds:
     *
     *     quiesce == 0 and a lane has parked entries  =>  a replay of that lane is booked
     *
     * A booked replay is one count on the lane, taken under the lock before resume() returns and
     * given back when the replay task found nothing more to do. It keeps every later section from
     * settling until the replayed requests are counted themselves, which is why they need not look
     * again (DRAIN-23, DRAIN-24).
     *
     * Proved by: GateSettledStepModelTest, ParkReplayStepModelTest, PinStepModelTest (all
     * interleavings of the steps of this very class); InFlightVersusQuiesce and
     * ExactlyOnceCompletionAgainstCancel (jcstress).
     */
    private static final VarHandle QUIESCE;

    static {
        try {
            QUIESCE = MethodHandles.lookup().findVarHandle(Gate.class, "quiesce", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final AioContext main;
    private final OpenHolds holds = new OpenHolds();
    private final Object lock = new Object();

    /** Open sections. Written by control under the lock, SC; read by any thread, SC. */
    private volatile int quiesce;

    /**
     * Only ever replaced by a longer one. Written by any thread under the lock; read by any thread.
     */
    private volatile Lane[] lanes = {};

    /**
     * Makes an open gate with no lanes. Any thread.
     *
     * @param name names the gate in reports, usually its backend's name
     * @param main the context whose owner is control for this gate
     */
    public Gate(String name, AioContext main) {
        this.name = Objects.requireNonNull(name, "name");
        this.main = Objects.requireNonNull(main, "main");
    }

    /**
     * Names the gate. Any thread.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Names the context whose owner is control for this gate. Any thread.
     *
     * @return the main context
     */
    public AioContext main() {
        return main;
    }

    /**
     * Finds or makes the lane through which a context enters. Any thread; takes the gate's lock, so
     * it is for set-up and not for the data path. Lanes live as long as the gate.
     *
     * @param home the context that will enter
     * @param replay called in {@code home} for each parked task when the last section ends
     * @return the one lane of that context
     * @throws IllegalStateException if the context has a lane with another {@code replay}
     */
    public Lane lane(AioContext home, ParkedReplay replay) {
        Objects.requireNonNull(home, "home");
        Objects.requireNonNull(replay, "replay");
        Lane lane = findOrMakeLane(home, replay);
        ControlWait.dependsOn(main, home);
        return lane;
    }

    private Lane findOrMakeLane(AioContext home, ParkedReplay replay) {
        synchronized (lock) {
            for (Lane lane : lanes) {
                if (lane.home() == home) {
                    lane.checkReplay(replay);
                    return lane;
                }
            }
            Lane lane = new Lane(this, lock, home, replay);
            Lane[] grown = Arrays.copyOf(lanes, lanes.length + 1);
            grown[grown.length - 1] = lane;
            // Volatile, before the lane's first count: the drainer's second pass must find it (note
            // above).
            lanes = grown;
            return lane;
        }
    }

    /**
     * Counts something that is not a request. Any thread; never parks, also while the gate is
     * quiesced.
     *
     * @param why what is held, for reports
     * @param runsIn the context that will close the hold, or whose progress closes it, for reports
     *     and for detecting waits that cannot end
     * @return the hold, to be closed exactly once
     */
    public Hold hold(String why, AioContext runsIn) {
        Objects.requireNonNull(why, "why");
        Objects.requireNonNull(runsIn, "runsIn");
        Hold hold = new Hold(this, why, runsIn);
        holds.add(hold);
        dependsOn(runsIn);
        return hold;
    }

    /** Waits for this gate may now come to depend on a context. Any thread. */
    void dependsOn(AioContext context) {
        ControlWait.dependsOn(main, context);
    }

    /**
     * Tells whether a section is open. Any thread; sequentially consistent. Says something about
     * the next instant only to a caller that is counted on this gate: then "false" lasts until it
     * is counted out, in the sense that no section finishes its wait before that.
     *
     * @return whether requests that arrive now park
     */
    public boolean isQuiesced() {
        return quiesceSeqCst() != 0;
    }

    /**
     * Tells how many sections are open. Any thread.
     *
     * @return calls of {@link #quiesce()} without their {@link #resume()}
     */
    public int quiesceDepth() {
        return quiesceSeqCst();
    }

    /**
     * Opens a section: requests that arrive from now on park. Control; never waits.
     *
     * @return whether this was the transition from 0 to 1
     * @throws IllegalStateException if the caller does not own the main context
     */
    public boolean quiesce() {
        main.checkHome();
        return beginSection();
    }

    /**
     * Ends one section. Control; never waits. If it was the last one, the parked requests of each
     * lane are replayed by a task posted to the lane's home (DRAIN-21, DRAIN-26).
     *
     * <p>A home whose loop has ended cannot replay: its requests are forgotten, which is reported
     * to the error handler, once per lane. Nobody else may complete them, since completions belong
     * to their home. So stop or unplug what submits from a context before ending it. A home with
     * parked requests cannot be closed.
     *
     * @return whether this was the transition from 1 to 0
     * @throws IllegalStateException if no section is open, or the caller does not own the main
     *     context
     */
    public boolean resume() {
        main.checkHome();
        List<Lane> booked = new ArrayList<>();
        boolean opened = endSection(booked);
        for (Lane lane : booked) {
            RuntimeException lost = lane.postReplay();
            if (lost != null) {
                main.report(toString(), lost);
            }
        }
        return opened;
    }

    /**
     * Tells whether nothing was counted at some instant during this call. Any thread. Only a caller
     * that quiesced the gate before can conclude anything about later instants.
     *
     * @return whether the gate is settled
     */
    public boolean isSettled() {
        return inFlight() == 0;
    }

    /**
     * Tells how many requests and holds are counted. Any thread. Never too few: an upper bound of
     * what was counted at some instant during this call; zero is exact.
     *
     * @return the count
     */
    public long inFlight() {
        SettledScan scan = new SettledScan(this);
        while (!scan.step()) {
            // Each step is one atomic read; there are two per lane.
        }
        return scan.inFlight();
    }

    /**
     * Tells how many tasks are parked on all lanes. Any thread; for reports.
     *
     * @return the number of parked tasks
     */
    public int parkedCount() {
        int parked = 0;
        for (Lane lane : lanes) {
            parked += lane.parkedCount();
        }
        return parked;
    }

    /**
     * Reports who is counted, by whom and where, and who is parked. Control.
     *
     * @param out where to report
     */
    public void describe(WaitReport out) {
        main.checkHome();
        for (Lane lane : lanes) {
            lane.describe(out);
        }
        for (Hold hold : holds.list()) {
            out.outstanding(hold.toString(), hold.runsIn(), 1, false);
        }
    }

    @Override
    public String toString() {
        return "gate " + name;
    }

    // Steps. The step models call them one by one.

    /** Opens a section under the lock. */
    boolean beginSection() {
        synchronized (lock) {
            // SC, and before any lane is read: the drainer's half of the Dekker pair.
            return (int) QUIESCE.getAndAdd(this, 1) == 0;
        }
    }

    /** Ends one section under the lock, and books a replay for each lane that needs one. */
    boolean endSection(List<Lane> booked) {
        synchronized (lock) {
            if (quiesce == 0) {
                throw new IllegalStateException(this + " has no open section");
            }
            // SC: a request that reads the new value sees all that the section did before (edges,
            // context).
            boolean opened = (int) QUIESCE.getAndAdd(this, -1) == 1;
            if (opened) {
                for (Lane lane : lanes) {
                    if (lane.bookReplay()) {
                        booked.add(lane);
                    }
                }
            }
            return opened;
        }
    }

    int quiesceSeqCst() {
        return quiesce;
    }

    Lane[] lanesSeqCst() {
        return lanes;
    }

    InFlightCounter holdCounter() {
        return holds.counter();
    }

    /**
     * After a count went: wakes the waiter, if there may be one (DRAIN-50). Never under the lock.
     */
    void kickIfQuiesced() {
        // SC, after the count: either this sees the section, or the section's first look sees the
        // count gone.
        if (quiesceSeqCst() != 0) {
            main.wake();
        }
    }

    /** Counts a hold out. */
    void release(Hold hold) {
        holds.remove(hold);
        kickIfQuiesced();
    }
}
