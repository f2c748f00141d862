package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One count on a gate that does not belong to a request: a posted task, a walk, a pin. Made by
 * {@link Gate#hold}.
 *
 * <p>From the moment it is made until it is closed, no section that begins on the gate ends its
 * wait. That is exact only for a section that had not finished waiting when the hold was made: who
 * must know checks {@link Gate#isQuiesced()} <em>after</em> taking the hold (BB-45), or belongs to
 * the section and lets it {@linkplain DrainedSection#awaitAgain() wait again}.
 *
 * <p>A hold belongs to one posted task: it is taken before the post and closed when the task has
 * run. It never parks. Nobody keeps one while waiting for something that can park on the same gate
 * (I9).
 */
public final class Hold implements AutoCloseable {
    private static final VarHandle CLOSED;

    static {
        try {
            CLOSED = MethodHandles.lookup().findVarHandle(Hold.class, "closed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The hold made after this one. Guarded by the list it is in. */
    @Nullable Hold newer;

    /** The hold made before this one. Guarded by the list it is in. */
    @Nullable Hold older;

    private final Gate gate;
    private final String why;

    /** Who closes it; written by whoever has the hold, read by reports. */
    private volatile AioContext runsIn;

    /** Set once, by whichever thread closes. */
    private volatile boolean closed;

    Hold(Gate gate, String why, AioContext runsIn) {
        this.gate = gate;
        this.why = why;
        this.runsIn = runsIn;
    }

    /**
     * Gives the count back and wakes whoever waits for it. Any thread; everything done before is
     * visible to the section that waited.
     *
     * @throws IllegalStateException if it was closed before: a second close would let a section
     *     begin while somebody else's count still stands
     */
    @Override
    public void close() {
        // CAS: of two closers racing, one must fail loudly instead of taking another's count.
        if (!CLOSED.compareAndSet(this, false, true)) {
            throw new IllegalStateException(this + " was closed before, and is again by thread "
                    + Thread.currentThread().getName() + " (AIO-75)");
        }
        gate.release(this);
    }

    /**
     * Says that another context will close this hold than the one it was made for, for reports and
     * for waits that cannot end. Whoever has the hold; any thread.
     *
     * @param context the context that will close it, or whose progress does
     */
    public void closesIn(AioContext context) {
        runsIn = Objects.requireNonNull(context, "context");
        // After the write: a wait that is told of the context's end finds it in its report.
        gate.dependsOn(context);
    }

    /**
     * Tells whether this hold still counts. Any thread.
     *
     * @return whether {@link #close()} has not been called yet
     */
    public boolean isOpen() {
        return !closed;
    }

    /**
     * Names the gate that it counts on. Any thread.
     *
     * @return the gate
     */
    public Gate gate() {
        return gate;
    }

    String why() {
        return why;
    }

    AioContext runsIn() {
        return runsIn;
    }

    @Override
    public String toString() {
        return "hold \"" + why + "\" on " + gate.name() + " in " + runsIn.name();
    }
}
