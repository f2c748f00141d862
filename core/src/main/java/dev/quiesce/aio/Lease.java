package dev.quiesce.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The right to run an {@link AioContext}: as long as a thread holds it, that thread is the
 * context's home. Leases of one context nest; they are closed in reverse order. Made by
 * {@link AioContext#acquire}, and used again once closed, so that taking one allocates nothing.
 */
public final class Lease implements AutoCloseable {
    private final Ownership ownership;
    private final int number;

    private Lease(Ownership ownership, int number) {
        this.ownership = ownership;
        this.number = number;
    }

    /**
     * Gives the lease back. Closing the outermost one leaves polling mode, and makes everything
     * this thread did in the context visible to the next owner, in whose first turn runs what is
     * queued by then. Thread: home context.
     *
     * @throws IllegalStateException if the caller does not own the context, if a later lease is
     *     still open, or if the outermost lease is closed inside a poll
     */
    @Override
    public void close() {
        ownership.giveBack(number);
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

        /** One for each depth of nesting that was ever reached. Home context only. */
        private Lease[] leases = new Lease[0];

        /** How many of them are held. Home context only. */
        private int held;

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
                throw new IllegalStateException("context " + context.name() + " is owned by thread "
                        + other.getName() + ", so thread " + me.getName()
                        + " cannot acquire it (AIO-62)");
            }
            home = me;
            boolean taken = false;
            try {
                queues.takeWholeInbox();
                Lease first = next();
                taken = true;
                return first;
            } finally {
                if (!taken) {
                    release();
                }
            }
        }

        /** A lease more for the owner. Home context. */
        Lease next() {
            if (held == leases.length) {
                Lease[] more = Arrays.copyOf(leases, held + 1);
                more[held] = new Lease(this, held + 1);
                leases = more;
            }
            return leases[held++];
        }

        private void giveBack(int number) {
            context.checkHome();
            if (number != held) {
                throw new IllegalStateException("lease " + number + " of context " + context.name()
                        + " is closed by thread " + caller() + ", but the innermost open one is "
                        + held + " (AIO-62)");
            }
            if (held == 1 && context.isPolling()) {
                throw new IllegalStateException("the lease of context " + context.name()
                        + " is closed by a callback on thread " + caller()
                        + ", in the middle of a turn (AIO-62)");
            }
            if (held == 1) {
                context.sleep().leavePolling();
            }
            held--;
            if (held == 0) {
                release();
            }
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
