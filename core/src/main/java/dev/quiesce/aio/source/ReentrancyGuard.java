package dev.quiesce.aio.source;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;

/**
 * Whether a callback of a device is running, shared by all callbacks that the device has in one
 * context (AIO-15). A callback that polls lets others of its device begin inside it; those are
 * counted, run all the same, and can ask.
 *
 * <pre>
 *     ReentrancyGuard guard = new ReentrancyGuard("disk0");
 *     BottomHalf complete = new BottomHalf(io, "disk0 complete", guard.around(this::complete));
 *     kick.attach(io, guard.around(this::pump));
 * </pre>
 *
 * <p>A device that is served in several contexts has one guard for each.
 */
public final class ReentrancyGuard {
    private static final VarHandle REENTRIES;

    static {
        try {
            REENTRIES = MethodHandles.lookup()
                    .findVarHandle(ReentrancyGuard.class, "reentries", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;

    /** Home context only. */
    private boolean inside;

    /** Written at home, read by any. */
    private long reentries;

    /**
     * A guard of a device that is not running. Thread: any.
     *
     * @param name what to call the device in diagnoses
     */
    public ReentrancyGuard(String name) {
        this.name = Objects.requireNonNull(name, "name");
    }

    /**
     * A callback that does the same and is guarded. Thread: any.
     *
     * @param callback a callback of this device
     * @return what to give to a bottom half, a notifier or another source of callbacks
     */
    public Runnable around(Runnable callback) {
        Objects.requireNonNull(callback, "callback");
        return () -> run(callback);
    }

    /** {@return whether a callback of this device is on the stack} Thread: home context. */
    public boolean isInside() {
        return inside;
    }

    /** {@return how often a callback began inside another} Thread: any; a snapshot. */
    public long reentries() {
        return (long) REENTRIES.getOpaque(this);
    }

    @Override
    public String toString() {
        return "ReentrancyGuard[" + name + ", entered inside itself " + reentries() + " times]";
    }

    private void run(Runnable callback) {
        boolean before = inside;
        if (before) {
            // Opaque: one writer, and readers that want a whole number.
            REENTRIES.setOpaque(this, reentries + 1);
        }
        inside = true;
        try {
            callback.run();
        } finally {
            inside = before;
        }
    }
}
