package dev.quiesce.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The handshake by which a loop falls asleep without missing an event (AIO-33 to AIO-38). Each
 * method is one atomic step, so that a step model and the stress tests run the very same ones.
 *
 * <p>Poster: make the event visible, {@link #raise}; if that says so, unpark. Loop: {@link #arm},
 * park only if {@link #mayPark}, {@link #disarm}, {@link #acknowledge}, look at every queue.
 */
final class NotifyProtocol {
    /*
     * Two flags, one Dekker pair. The poster writes `notified`, then reads `notifyMe`; the loop
     * writes `notifyMe`, then reads `notified`. Both writes and both reads are sequentially
     * consistent, so at least one side sees the other: either the loop does not park, or the
     * poster unparks it. With weaker accesses both could read the old value and the loop would
     * sleep on a queued task.
     *
     * `notified` is set always, not only while the loop is armed (AIO-33): an event that arrives
     * between the loop's last look and `arm` is found by `mayPark`.
     *
     * `acknowledge` is a read-modify-write, not a store: it reads the latest `notified` and thus
     * happens after every raise whose flag it wipes out; the events of those are visible to the
     * look that follows (AIO-35). A raise that comes later finds the flag false and sets it for
     * the next turn. When the flag reads false there is nothing to wipe out and nothing to order.
     *
     * Proved by the stress test NotifyVersusPark.
     */
    private static final VarHandle NOTIFIED;
    private static final VarHandle NOTIFY_ME;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            NOTIFIED = lookup.findVarHandle(NotifyProtocol.class, "notified", int.class);
            NOTIFY_ME = lookup.findVarHandle(NotifyProtocol.class, "notifyMe", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** 1 if something happened since the last acknowledge. Set by any thread, cleared at home. */
    @SuppressWarnings("UnusedVariable") // read and written through NOTIFIED
    private int notified;

    /** How many polls are about to sleep or asleep. Written at home, read by any thread. */
    private int notifyMe;

    /**
     * Says that an event, already visible, has happened. Thread: any.
     *
     * @return true if the loop may be asleep, and the caller must unpark it
     */
    boolean raise() {
        NOTIFIED.setVolatile(this, 1);
        return (int) NOTIFY_ME.getVolatile(this) != 0;
    }

    /** Says that the loop is about to sleep. Home context. */
    void arm() {
        NOTIFY_ME.setVolatile(this, notifyMe + 1);
    }

    /**
     * Whether nothing has happened since the last acknowledge. Home context, after {@link #arm}.
     */
    boolean mayPark() {
        return (int) NOTIFIED.getVolatile(this) == 0;
    }

    /** Says that the loop is awake. Home context. */
    void disarm() {
        // Release: no access of the coming turn needs it, but none of the sleep may sink below.
        NOTIFY_ME.setRelease(this, notifyMe - 1);
    }

    /** Forgets what has been notified, before anything is looked at. Home context only (AIO-37). */
    void acknowledge() {
        // Opaque: a stale 0 only leaves the flag set for the next turn, which is allowed (AIO-36).
        if ((int) NOTIFIED.getOpaque(this) != 0) {
            NOTIFIED.getAndSet(this, 0);
        }
    }
}
