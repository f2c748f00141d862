package dev.quiesce.testkit.guest;

import dev.quiesce.virtio.device.Interrupt;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The guest's interrupt controller: remembers that a device has signalled and wakes the vCPU that
 * waits.
 *
 * <p>Raising: any thread. Waiting and taking: the vCPU's thread, or, in a machine without threads,
 * whoever runs the guest.
 */
public final class GuestInterrupts implements Interrupt {
    /*
     * Raise: store `pending` (SC), then read `waiter`. Wait: store `waiter` (SC), then read
     * `pending`, then park. A Dekker pair: one of the two sees the other, so no wake-up is lost.
     * LockSupport's permit covers an unpark between the read and the park.
     */
    private static final VarHandle PENDING;

    static {
        try {
            PENDING = MethodHandles.lookup()
                    .findVarHandle(GuestInterrupts.class, "pending", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // Through PENDING.
    private boolean pending;

    private volatile @Nullable Thread waiter; // Written by the vCPU, read by any.
    private volatile int configChanges; // Written under this; read by any.
    private volatile long raised; // Written under this; read by any.

    /** Makes a controller with nothing pending. */
    public GuestInterrupts() {
    }

    @Override
    public void queue(int index) {
        raise(false);
    }

    @Override
    public void config() {
        raise(true);
    }

    /**
     * Takes what is pending. vCPU.
     *
     * @return whether anything was signalled since the last call
     */
    public boolean take() {
        return (boolean) PENDING.getAndSet(this, false);
    }

    /**
     * Waits until something is signalled or time is over; may return early. vCPU.
     *
     * @param maxNanos bound of the wait
     */
    public void await(long maxNanos) {
        waiter = Thread.currentThread();
        try {
            if (!(boolean) PENDING.getVolatile(this)) {
                LockSupport.parkNanos(this, maxNanos);
            }
        } finally {
            waiter = null;
        }
    }

    /**
     * Configuration interrupts so far. Any thread.
     *
     * @return the number
     */
    public int configChanges() {
        return configChanges;
    }

    /**
     * Interrupts of either kind so far. Any thread.
     *
     * @return the number
     */
    public long raised() {
        return raised;
    }

    private void raise(boolean config) {
        synchronized (this) {
            raised++;
            if (config) {
                configChanges++;
            }
        }
        PENDING.setVolatile(this, true); // SC: before the waiter is looked for
        Thread vcpu = waiter;
        if (vcpu != null) {
            LockSupport.unpark(vcpu);
        }
    }
}
