package dev.quiesce.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The right to run an {@link AioContext}: as long as a thread holds it, that thread is the
 * context's home. Leases of one context nest; they are closed in reverse order, each of them once.
 * Made by {@link AioContext#acquire}, every time a new one: a lease that was closed stays so.
 */
public final class Lease implements AutoCloseable {
    private final Ownership ownership;

    /** The lease that this one is nested in; null if it is the outermost. */
    private final @Nullable Lease outer;

    /** How many leases are held while this is the innermost. */
    private final int number;

    /** Home context only. */
    private boolean closed;

    private Lease(Ownership ownership, @Nullable Lease outer) {
        this.ownership = ownership;
        this.outer = outer;
        this.number = outer == null ? 1 : outer.number + 1;
    }

    /**
     * Gives the lease back. Closing the outermost one leaves polling mode, and makes everything
     * this thread did in the context visible to the next owner, in whose first turn runs what is
     * queued by then. Thread: home context.
     *
     * @throws IllegalStateException if the caller does not own the context, if this lease was
     *     closed already, if a later one is still open, or if the outermost lease is closed inside
     *     a poll, a hook or a wait
     */
    @Override
    public void close() {
        ownership.giveBack(this);
    }

    /** Gives this back, the outermost, with those that callbacks left open, which it reports. */
    void closeWithNested() {
        ownership.giveBackAll(this);
    }

    private String describe() {
        return "lease " + number + " of context " + ownership.context.name();
    }

    /** Who owns a context, and whether it is awake. */
    static final class Ownership {
        /*
         * `owner` is who holds the lease; `home` is the same while the loop is awake and null
         * while it sleeps. Only the owner writes `home`, so a thread that compares it with itself
         * needs no ordering: it reads its own latest write, or some other thread's, which never
         * equals it. Asleep, nobody is home: a parker that runs other contexts on the sleeper's
         * stack finds them foreign to this one, as they would be on threads of their own.
         *
         * Everything that is confined to the home context passes from owner to owner with `owner`:
         * released when the outermost lease is closed, acquired when the next one is taken.
         */
        private static final VarHandle OWNER;

        static {
            try {
                OWNER = MethodHandles.lookup()
                        .findVarHandle(Ownership.class, "owner", Thread.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final AioContext context;

        @SuppressWarnings("UnusedVariable") // read and written through OWNER
        private @Nullable Thread owner;

        private @Nullable Thread home;

        /** The lease that is to be closed first; null if none is held. Home context only. */
        private @Nullable Lease innermost;

        Ownership(AioContext context) {
            this.context = context;
        }

        /** Thread: any; one plain load. */
        boolean isHome() {
            return home == Thread.currentThread();
        }

        /** Thread: any. */
        @Nullable Thread owner() {
            return (Thread) OWNER.getVolatile(this);
        }

        /** Makes the caller the owner, of what was posted before too; if it throws, nobody is. */
        Lease take(Task.Queues queues) {
            Thread me = Thread.currentThread();
            // Acquire: pairs with the release in giveBack.
            Thread other = (Thread) OWNER.compareAndExchangeAcquire(this, null, me);
            if (other != null) {
                context.checkOpen();
                throw new IllegalStateException("context " + context.name() + " is owned by thread "
                        + other.getName() + ", so thread " + me.getName()
                        + " cannot acquire it (AIO-62)");
            }
            home = me;
            boolean taken = false;
            try {
                // As its owner: the last one may have closed it a moment ago.
                context.checkOpen();
                queues.takeWholeInbox();
                Lease first = nest();
                taken = true;
                return first;
            } finally {
                if (!taken) {
                    release();
                }
            }
        }

        /** A lease more for the owner. Home context. */
        Lease nest() {
            Lease inner = new Lease(this, innermost);
            innermost = inner;
            return inner;
        }

        private void giveBack(Lease lease) {
            context.checkHome();
            if (lease != innermost) {
                throw new IllegalStateException(lease.describe() + " cannot be closed by thread "
                        + caller() + ": " + (lease.closed ? "it was closed already"
                                : "the innermost open one is " + held()) + " (AIO-62)");
            }
            if (lease.outer == null) {
                context.turn().checkMayLeave("given back", "AIO-62");
                leave(lease);
            } else {
                lease.closed = true;
                innermost = lease.outer;
            }
        }

        private void leave(Lease outermost) {
            context.sleep().leavePolling();
            outermost.closed = true;
            innermost = null;
            release();
        }

        private void giveBackAll(Lease outermost) {
            try {
                if (held() > 1) {
                    context.report("end of the loop", new IllegalStateException("context "
                            + context.name() + " is left by thread " + caller() + " with "
                            + (held() - 1) + " nested leases open (AIO-62)"));
                }
            } finally {
                leave(outermost);
            }
        }

        private int held() {
            return innermost == null ? 0 : innermost.number;
        }

        private void release() {
            home = null;
            // Release: what this owner did is visible to the next one.
            OWNER.setRelease(this, (Thread) null);
        }

        /** Nobody is home until {@link #wakeUp}. Home context. */
        void fallAsleep() {
            home = null;
        }

        /** The owner is home again. Called by the owner. */
        void wakeUp() {
            home = Thread.currentThread();
        }

        /** The name of the calling thread. */
        static String caller() {
            return Thread.currentThread().getName();
        }

        /** What to throw at a caller that is not home. */
        IllegalStateException notHome(String rule) {
            Thread holder = owner();
            String who = holder == null ? "by nobody" : "by thread " + holder.getName();
            String asleep = holder == Thread.currentThread() ? ", which put it to sleep" : "";
            return new IllegalStateException("context " + context.name() + " is owned " + who
                    + asleep + "; thread " + caller() + " is not its home (" + rule + ")");
        }
    }
}
