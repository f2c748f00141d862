package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One request to a block node: what is asked, where the bytes are, who holds it, how it ended.
 *
 * <p>Ownership: the submitter makes it once, embeds it and re-uses it; from submit to completion it
 * is lent downwards, and only the driver that holds it touches it. In the steady state nothing is
 * allocated: child requests and the driver's scratch object are kept for the next submission.
 *
 * <p>Life cycle: {@link #prepare}, then submit through a boundary (a backend's port) or, for a
 * child request, through a {@link Child}; the driver calls {@link #complete} exactly once; the
 * {@link Completion} runs in the home context with the request idle again. Submitted once more
 * without a {@link #prepare}, it asks for the same again.
 *
 * <p>Threads: everything belongs to the home context, except {@link #complete}, which any thread
 * may call, and reading the description of the request by whoever the driver handed it to.
 */
public final class BlockRequest extends Task {
    /** Flag of a write-zeroes: the range may be unmapped instead of written. */
    public static final int MAY_UNMAP = 1;

    /** Flag of a modifying request: it is durable when it completes. */
    public static final int FUA = 2;

    private static final int UNPREPARED = 6; // Idle, and it was never said what is asked.
    /** Nobody's but the submitter's: may be prepared. */
    private static final int IDLE = 0;
    /** Taken on by a boundary. */
    private static final int ADMITTED = 1;
    /** Waits at the boundary. */
    private static final int PARKED = 2;
    /** Held by a driver, which owes one completion. */
    private static final int STARTED = 3;
    /** Completed; the home context has yet to deliver it. */
    private static final int DONE = 4;
    /** Its driver threw; it is completed when its children are back. */
    private static final int FAILING = 5;
    private static final String[] STATE_NAMES =
            {"idle", "admitted", "parked", "started", "done", "failing", "never prepared"};

    private static final VarHandle STATE = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "state", VarHandle.class, BlockRequest.class, int.class);

    /*
     * Exactly once. Whoever moves STARTED to DONE owns the completion: it alone writes status and
     * cause and hands the request to the home context, so a second completer, on whatever thread,
     * finds another state and throws without having touched anything. That compare-and-exchange is
     * the only racing access: all other transitions are plain stores of the home thread, and a
     * thread that completes got the request from home by some hand-over that published them.
     * Elsewhere than in STARTED only home acts. Proof: jcstress, exactly-once completion.
     * Where completions run: see Trampoline.
     *
     * A driver or step that throws would strand the request, and with it every drained section
     * above. So enter() and step() turn a RuntimeException into a failed completion of the request
     * that was being served. InternalError counts as one: the JVM throws it when the guest's
     * memory is a mapping that somebody truncated. Every other Error leaves the loop.
     * If children are under way the request is FAILING until the last of them is back; see
     * ChildRequests.
     */

    private final @Nullable BlockRequest parent;
    private final Trampoline trampoline;
    private Completion completion;
    private int state = UNPREPARED;
    private int generation;

    private Operation operation = Operation.FLUSH;
    private long submittedOffsetBytes;
    private long offsetBytes;
    private long lengthBytes;
    private @Nullable IoVector payload;
    private int flags;

    private @Nullable AioContext home;
    private @Nullable RequestBoundary boundary;
    private @Nullable BlockDriver holder;
    private boolean cancelRequested;
    private final ChildRequests children = new ChildRequests(this);
    private @Nullable Object driverState;

    private BlockStatus status = BlockStatus.OK;
    private @Nullable Throwable cause;
    private @Nullable Thread completer;

    /** Link of the trampoline's list. */
    @Nullable BlockRequest nextArrived;

    /**
     * Makes an idle request. Thread: any.
     *
     * @param completion who is told of each completion
     */
    public BlockRequest(Completion completion) {
        this.parent = null;
        this.trampoline = new Trampoline();
        this.completion = completion;
    }

    BlockRequest(BlockRequest parent, Completion completion) {
        this.parent = parent;
        this.trampoline = parent.trampoline;
        this.completion = completion;
    }

    /**
     * Says what is asked. Offset and length are not judged here: what does not fit the node is
     * completed with {@code INVALID}. Thread: the owner of the idle request.
     *
     * @param op the operation
     * @param offset where the range begins, in bytes
     * @param length the length of the range, in bytes
     * @param bytes the payload, of at least {@code length} bytes; ignored by operations without one
     * @param requestFlags {@link #MAY_UNMAP} and {@link #FUA}; 0 for what does not modify
     * @return this request
     * @throws IllegalStateException if the request is not idle
     * @throws IllegalArgumentException if the payload is missing or too short, or the flags not 0
     */
    public BlockRequest prepare(
            Operation op, long offset, long length, @Nullable IoVector bytes, int requestFlags) {
        requireIdle("prepare");
        if ((op.hasPayload() && (bytes == null || bytes.bytes() < length))
                || (requestFlags != 0 && !op.isModifying())) {
            throw new IllegalArgumentException(op + " of " + length + " bytes with payload " + bytes
                    + " and flags " + requestFlags);
        }
        state = IDLE;
        operation = op;
        submittedOffsetBytes = offset;
        offsetBytes = offset;
        lengthBytes = length;
        payload = op.hasPayload() ? bytes : null;
        flags = requestFlags;
        cancelRequested = false;
        status = BlockStatus.OK;
        cause = null;
        return this;
    }

    /** {@return what is asked} */
    public Operation operation() {
        return operation;
    }

    /** {@return where the range begins, in bytes, as the node holding the request counts} */
    public long offsetBytes() {
        return offsetBytes;
    }

    /** {@return where the range begins, in bytes, as given to {@link #prepare}} */
    public long submittedOffsetBytes() {
        return submittedOffsetBytes;
    }

    /** {@return how long the range is, in bytes} */
    public long lengthBytes() {
        return lengthBytes;
    }

    /**
     * Where the bytes are, or go to.
     *
     * @return the payload
     * @throws IllegalStateException if the operation has none
     */
    public IoVector payload() {
        IoVector bytes = payload;
        if (bytes == null) {
            throw new IllegalStateException(operation + " has no payload");
        }
        return bytes;
    }

    /** {@return {@link #MAY_UNMAP} and {@link #FUA}, or 0, as given to {@link #prepare}} */
    public int flags() {
        return flags;
    }

    /** {@return whether the request must be durable when it completes} */
    public boolean isFua() {
        return (flags & FUA) != 0;
    }

    /**
     * {@return the number of this submission: a stamp, by which a driver that hands the request to
     * another thread can assert that it still serves the same one}
     */
    public int generation() {
        return generation;
    }

    /**
     * Whether a node of a certain length holds the whole range. Always true without a range.
     *
     * @param nodeBytes the length of the node
     * @return true if the range begins and ends inside it
     */
    public boolean isWithin(long nodeBytes) {
        return !operation.hasRange() || (offsetBytes >= 0 && lengthBytes >= 0
                && lengthBytes <= nodeBytes && offsetBytes <= nodeBytes - lengthBytes);
    }

    /** {@return the context the request was submitted in, or null while idle} */
    public @Nullable AioContext homeOrNull() {
        return home;
    }

    /**
     * The context the request was submitted in, and completes in.
     *
     * @return the home context
     * @throws IllegalStateException while idle
     */
    public AioContext home() {
        AioContext at = home;
        if (at == null) {
            throw new IllegalStateException("no home context: " + this);
        }
        return at;
    }

    /** {@return whether the request is its owner's to prepare: from completion to submit} */
    public boolean isIdle() {
        return state == IDLE || state == UNPREPARED;
    }

    /** {@return whether the request waits at its boundary} */
    public boolean isParked() {
        return state == PARKED;
    }

    /**
     * Whether the submitter, or the submitter of a request above this one, has cancelled it.
     * Drivers of several steps ask between steps.
     *
     * @return true from {@link #cancel} until the next {@link #prepare}
     */
    public boolean isCancelRequested() {
        return cancelRequested || (parent != null && parent.isCancelRequested());
    }

    /** {@return why it failed, if the host knows, else null; until the next {@link #prepare}} */
    public @Nullable Throwable cause() {
        return cause;
    }

    /**
     * Ends the request. The driver that holds it calls this exactly once and does not touch the
     * request afterwards. On the home thread, outside of any submit, the step of a child request
     * runs inside this call; so the caller holds no lock.
     *
     * <p>Thread: any.
     *
     * @param result how it ended
     * @param why what went wrong, for the error handler; null if nothing did or nobody knows
     * @throws IllegalStateException if the request is not held by a driver, above all because it
     *     was completed before; nothing is changed then
     */
    public void complete(BlockStatus result, @Nullable Throwable why) {
        int seen = casState(STARTED, DONE);
        if (seen != STARTED) {
            throw new IllegalStateException(surplusCompletion(seen, result), why);
        }
        handOver(result, why);
    }

    /** The one who has made it DONE sends it home. */
    private void handOver(BlockStatus result, @Nullable Throwable why) {
        assert rememberCompleter();
        status = result;
        cause = why;
        AioContext at = home();
        if (!at.isHome()) {
            at.post(this);
        } else if (parent == null) {
            at.defer(this);
        } else {
            trampoline.arrived(this);
        }
    }

    /**
     * The child request of slot 0; see {@link #child(int, Completion)}.
     *
     * @param step who is told of its completion
     * @return an idle child request
     */
    public BlockRequest child(Completion step) {
        return child(0, step);
    }

    /**
     * A request of the driver's own on behalf of this one. It is made at the first use of its slot
     * and kept. It has this request's home, is cancelled with it, and must be complete before this
     * one is completed.
     *
     * <p>Thread: home context.
     *
     * @param slot which of the children, from 0
     * @param step who is told of its completion
     * @return an idle child request, to be prepared and given to {@link Child#submit}
     * @throws IllegalStateException if that child is under way
     */
    public BlockRequest child(int slot, Completion step) {
        home().checkHome();
        BlockRequest child = children.slot(slot, step);
        child.requireIdle("child");
        child.completion = step;
        return child;
    }

    /**
     * Says that the result is no longer wanted. Advisory: the request still completes exactly once,
     * with {@code CANCELLED} if it was stopped in time, else with its own result. Parked requests
     * complete cancelled, through the loop; for others the driver that holds them is asked, and
     * their child requests are cancelled too. A cancelled write may have been applied in part.
     * Without effect on a request that is idle, done, or cancelled before.
     *
     * <p>Thread: home context; throws elsewhere.
     */
    public void cancel() {
        AioContext at = home;
        if (at == null) {
            return;
        }
        at.checkHome();
        if (cancelRequested || state == DONE) {
            return;
        }
        cancelRequested = true;
        if (boundary != null) {
            boundary.cancelRequested(this);
        }
        if (state != STARTED) {
            return;
        }
        boolean outermost = trampoline.begin();
        try {
            cancelInDriver();
        } finally {
            if (outermost) {
                trampoline.end();
            }
        }
    }

    /**
     * The scratch object of the driver at the end of this request's way. It outlives the
     * submission, and the next one may come from another node: whoever reads it checks that it is
     * his own.
     *
     * <p>Thread: home context, or whoever the driver handed the request to.
     *
     * @return the object, or null if none was set yet
     */
    public @Nullable Object driverState() {
        return driverState;
    }

    /**
     * Replaces the scratch object. Thread: home context.
     *
     * @param scratch the object to keep
     */
    public void driverState(Object scratch) {
        driverState = scratch;
    }

    /**
     * Sends this same request further down; whoever is there completes it. Thread: home context.
     *
     * @param child where to
     */
    public void forward(Child child) {
        child.submit(this);
    }

    /**
     * Sends this same request further down with its offset moved. Thread: home context.
     *
     * @param child where to
     * @param deltaBytes what to add to the offset
     */
    public void forwardShifted(Child child, long deltaBytes) {
        offsetBytes = Math.addExact(offsetBytes, deltaBytes);
        child.submit(this);
    }

    /** The loop hands over a finished request. */
    @Override
    protected void run() {
        require(DONE, "run"); // Not somebody else's post.
        if (parent != null) {
            trampoline.arrived(this);
            return;
        }
        assert children.areIdle() : "completed before its children: " + this;
        Objects.requireNonNull(boundary).deliver(this, status, cause);
    }

    @Override
    public String describe() {
        return toString();
    }

    @Override
    public String toString() {
        BlockDriver at = holder;
        return operation + " of " + lengthBytes + " bytes at offset " + submittedOffsetBytes
                + (at == null ? "" : " in driver " + at.type())
                + (parent == null ? " (" : " (child, ") + STATE_NAMES[state] + ")";
    }

    void admit(RequestBoundary by, AioContext at) {
        at.checkHome();
        require(IDLE, "admit");
        if (parent != null) {
            throw new IllegalStateException("a child request needs no boundary: " + this);
        }
        offsetBytes = submittedOffsetBytes;
        cancelRequested = false;
        home = at;
        boundary = by;
        state = ADMITTED;
    }

    void markParked(boolean parked) {
        home().checkHome();
        require(parked ? ADMITTED : PARKED, "markParked");
        state = parked ? PARKED : ADMITTED;
    }

    void startAt(@Nullable Child root) {
        if (root == null || cancelRequested) {
            finishAtBoundary(root == null ? BlockStatus.NO_MEDIUM : BlockStatus.CANCELLED);
            return;
        }
        home().checkHome();
        require(ADMITTED, "start");
        generation++;
        state = STARTED;
        try {
            root.submit(this);
        } catch (RuntimeException e) {
            if (!failBecause(e)) {
                throw e;
            }
        }
    }

    void finishAtBoundary(BlockStatus result) {
        AioContext at = home();
        at.checkHome();
        require(ADMITTED, "finish");
        state = DONE;
        status = result;
        assert rememberCompleter();
        at.defer(this);
    }

    void conclude() {
        require(DONE, "conclude");
        state = IDLE;
        home = null;
        boundary = null;
        holder = null;
    }

    void notifyCompletion(BlockStatus result) {
        require(IDLE, "notify");
        completion.onComplete(this, result);
    }

    void enter(BlockDriver driver, NodeAccess node) {
        if (state == STARTED) {
            home().checkHome();
        } else {
            startChild();
        }
        holder = driver;
        boolean outermost = trampoline.begin();
        try {
            driver.submit(this, node);
        } catch (RuntimeException | InternalError e) {
            if (!failBecause(e)) {
                throw e;
            }
        } finally {
            if (outermost) {
                trampoline.end();
            }
        }
    }

    /** A finished child becomes idle and its driver takes the next step. */
    void step() {
        BlockRequest above = Objects.requireNonNull(parent);
        assert children.areIdle() : "completed before its children: " + this;
        conclude();
        if (above.state == FAILING) {
            above.failWhenChildrenAreIdle();
            return;
        }
        try {
            completion.onComplete(this, status);
        } catch (RuntimeException | InternalError e) {
            if (!above.failBecause(e)) {
                throw e;
            }
        }
    }

    private void startChild() {
        if (parent == null || parent.home == null) {
            throw new IllegalStateException("not submitted through a boundary: " + this);
        }
        parent.home.checkHome();
        require(IDLE, "start");
        offsetBytes = submittedOffsetBytes;
        cancelRequested = false;
        home = parent.home;
        generation++;
        state = STARTED;
    }

    private void cancelInDriver() {
        BlockDriver at = holder;
        if (at != null) {
            at.cancel(this);
        }
        children.cancel();
    }

    /** Home context: the request above was cancelled, or is failing. */
    void cancelFromAbove() {
        if (state == STARTED && !cancelRequested) {
            cancelRequested = true;
            cancelInDriver();
        }
    }

    /** Fails the request on behalf of a driver that threw; false if there is nothing to fail. */
    private boolean failBecause(Throwable thrown) {
        int seen = casState(STARTED, FAILING);
        if (seen != STARTED && seen != FAILING) {
            return false;
        }
        children.abandon(thrown);
        failWhenChildrenAreIdle();
        return true;
    }

    private void failWhenChildrenAreIdle() {
        if (children.areIdle()) {
            state = DONE;
            handOver(BlockStatus.IO_ERROR, children.takeFailure());
        }
    }

    /** Returns the state it found; full fence: pairs with any other completer's. */
    private int casState(int expected, int next) {
        return (int) STATE.compareAndExchange(this, expected, next);
    }

    private boolean rememberCompleter() {
        completer = Thread.currentThread();
        return true;
    }

    private void requireIdle(String what) {
        if (!isIdle()) {
            require(IDLE, what);
        }
    }

    private void require(int expected, String what) {
        if (state != expected) {
            throw new IllegalStateException(what + ": must be " + STATE_NAMES[expected] + ", is "
                    + this);
        }
    }

    private String surplusCompletion(int seen, BlockStatus result) {
        Thread first = completer;
        return "surplus completion with " + result + " on " + Thread.currentThread() + " of " + this
                + ", state seen " + STATE_NAMES[seen] + ", submission " + generation
                + (first == null ? "" : "; last completed with " + status + " on " + first);
    }
}
