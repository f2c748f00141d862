package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.drain.Hold;
import dev.quiesce.drain.Lane;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.RequestBoundary;
import dev.quiesce.graph.Edge;
import org.jspecify.annotations.Nullable;

/**
 * Where one context enters a backend. Made by {@link BlockBackend#port}, once per context, and kept
 * by the caller.
 *
 * <p>A request goes down at once if no section is open and nothing of this port is parked;
 * otherwise it parks, and is replayed in its turn when the last section ends. Requests of one port
 * start in the order of submission. Each is completed exactly once, in this context, from the loop
 * and never inside {@link #submit}.
 *
 * <p>Thread rule: home context, except what says otherwise. The steady state allocates nothing.
 */
public final class Port extends RequestBoundary {
    /*
     * submit: admit; count on the lane, then look at the quiesce counter (I1, I2); not open: park
     * under the gate's lock, which looks again (I5) and gives the count back. From here on the
     * request has exactly one count, until deliver() hands it to leaveAtSliceEnd(), after its
     * completion has returned; the loop takes it when the slice is published (I1).
     *
     * replay: the lane has counted the request again for us (DRAIN-23), so it starts without
     * looking (DRAIN-24).
     *
     * start: the root edge is read once per request (BB-13). Checks come after parking, against the
     * medium that is there now (BB-26).
     *
     * A request cancelled while parked is taken off the lane, which counts it again, and is
     * completed through the ready list like any other; so it is awaited by a section that is open.
     *
     * The closing of the backend may come inside somebody's section, and must not leave anything
     * parked in it: whoever closed it may take the guest's memory away (DRAIN-61). So a task, under
     * a hold that the closing waits for, takes off what is parked, as above; it finds no root.
     * Nothing escapes: the closer says `closed` and then looks for what is parked, who parks says
     * so and then looks for `closed`; between the two on either side lies the gate's lock. Proof:
     * ClosingStepModelTest, ParkVersusClose (jcstress).
     */
    private final BlockBackend backend;
    private final AioContext home;
    private final Lane lane;
    private final PortCounters counters = new PortCounters();

    /** Written once, by whoever closes the backend; read by home after it has parked. */
    private volatile boolean closed;

    Port(BlockBackend backend, AioContext home, boolean closed) {
        this.backend = backend;
        this.home = home;
        this.closed = closed;
        this.lane = backend.gate().lane(home, this::replay);
    }

    /**
     * The context this port belongs to. Any thread.
     *
     * @return the home context
     */
    public AioContext home() {
        return home;
    }

    /**
     * Sends a request, or parks it while the backend is quiesced. Home context. The caller must not
     * hold a count on this backend (I9): the request may wait for a section that would wait for it.
     *
     * @param request idle and prepared; the port's until its completion runs
     * @throws IllegalStateException if called elsewhere, or the request is in use
     */
    public void submit(BlockRequest request) {
        admit(request, home);
        counters.add(PortCounters.REQUESTS, 1);
        if (lane.enter() || !lane.parkUnlessOpen(request)) {
            start(request);
        } else {
            noteParked(request);
            if (closed) {
                finishParked();
            }
        }
    }

    /**
     * Sends a request that never parks: the caller holds the gate, so a section that is open now
     * cannot have been waiting without it. Home context. The request is counted on its own; the
     * hold may be closed when this returns.
     *
     * @param request idle and prepared; the port's until its completion runs
     * @param hold an open hold on this backend's gate
     * @throws IllegalStateException if called elsewhere, the request is in use, or the hold is
     *     closed
     * @throws IllegalArgumentException if the hold is on another gate: a section of this backend
     *     would not have waited for it
     */
    public void submitHeld(BlockRequest request, Hold hold) {
        if (!hold.isOpen()) {
            throw new IllegalStateException("submitHeld with a closed " + hold);
        }
        if (hold.gate() != lane.gate()) {
            throw new IllegalArgumentException("submitHeld through " + this + " with a " + hold);
        }
        admit(request, home);
        counters.add(PortCounters.REQUESTS, 1);
        boolean open = lane.enter();
        assert open || hold.isOpen() : "the hold ended under the submission";
        start(request);
    }

    /**
     * How many requests of this port are parked. Any thread; a hint.
     *
     * @return the number
     */
    public int parkedCount() {
        return (int) counters.readOpaque(PortCounters.WAITING);
    }

    /**
     * For how long some request of this port has been parked without a break (DRAIN-62). Any
     * thread; a hint.
     *
     * @return nanoseconds of the home's clock, 0 if none is parked
     */
    public long oldestParkedNanos() {
        if (parkedCount() == 0) {
            return 0;
        }
        return Math.max(
                0, home.clock().nanoTime() - counters.readOpaque(PortCounters.WAITING_SINCE));
    }

    @Override
    protected void deliver(BlockRequest request, BlockStatus status, @Nullable Throwable cause) {
        lane.completionBegins();
        try {
            account(request, status, cause);
            if (request.operation() == Operation.TRUNCATE) {
                TruncateNews.post(backend);
            }
            conclude(request);
            notifyCompletion(request, status);
        } finally {
            lane.completionEnds();
            lane.leaveAtSliceEnd();
        }
    }

    @Override
    protected void cancelRequested(BlockRequest request) {
        if (request.isParked() && lane.unpark(request)) {
            noteUnparked(request);
            counters.add(PortCounters.CANCELLED_WHILE_PARKED, 1);
            finish(request, BlockStatus.CANCELLED);
        }
    }

    PortCounters counters() {
        return counters;
    }

    /** Any thread, without a root: when nothing is counted any more, nothing is parked here. */
    void close() {
        closed = true;
        if (lane.parkedCount() == 0) {
            return;
        }
        Hold hold = backend.gate().hold("end of what is parked", home);
        try {
            home.execute(() -> {
                try (hold) {
                    finishParked();
                }
            });
        } catch (IllegalStateException gone) {
            hold.close();
            home.report("close of the " + this, gone);
        }
    }

    /** Home context; the backend is closed. */
    private void finishParked() {
        for (Task parked = lane.unparkOldest(); parked != null; parked = lane.unparkOldest()) {
            BlockRequest request = (BlockRequest) parked;
            noteUnparked(request);
            start(request);
        }
    }

    /** Home context, from the replay of the lane; the request is counted. */
    private void replay(Task parked) {
        BlockRequest request = (BlockRequest) parked;
        noteUnparked(request);
        counters.add(PortCounters.REPLAYED, 1);
        start(request);
    }

    private void start(BlockRequest request) {
        Edge root = backend.rootAcquire();
        BlockStatus verdict = root == null ? BlockStatus.NO_MEDIUM : backend.check(request, root);
        if (verdict.isOk()) {
            startAt(request, root);
        } else {
            finish(request, verdict);
        }
    }

    private void noteParked(BlockRequest request) {
        markParked(request, true);
        counters.add(PortCounters.PARKED, 1);
        if (counters.readOpaque(PortCounters.WAITING) == 0) {
            counters.set(PortCounters.WAITING_SINCE, home.clock().nanoTime());
        }
        counters.add(PortCounters.WAITING, 1);
    }

    private void noteUnparked(BlockRequest request) {
        markParked(request, false);
        counters.add(PortCounters.WAITING, -1);
    }

    private void account(BlockRequest request, BlockStatus status, @Nullable Throwable cause) {
        if (status == BlockStatus.OK) {
            switch (request.operation()) {
                case READ -> counters.add(PortCounters.READ_BYTES, request.lengthBytes());
                case WRITE -> counters.add(PortCounters.WRITTEN_BYTES, request.lengthBytes());
                default -> { }
            }
            return;
        }
        boolean cancelled = status == BlockStatus.CANCELLED;
        counters.add(cancelled ? PortCounters.CANCELLED : PortCounters.FAILED, 1);
        if (cause != null) {
            String site = backend.name() + ": " + request + ": " + status;
            home.report(site, cause);
        }
    }

    @Override
    public String toString() {
        return "port of '" + home.name() + "' into '" + backend.name() + "'";
    }
}
