package dev.quiesce.vhostuser;

import dev.quiesce.virtio.device.Interrupt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to the guest: per queue a descriptor that is signalled when used buffers were published,
 * and one that is signalled when the ring is beyond use.
 *
 * <p>Signalling: any thread. Everything else: the session thread.
 */
final class CallLines implements Interrupt {
    /*
     * One lock per line, held for one write(2). Without it a descriptor could be closed while a
     * loop is about to write it, its number given to another file, and eight bytes written there.
     *
     * The write does not wait, unless the front end has undone what makes it so. It must not hold
     * an IOThread then, which others use too. So while lines are written, a guard looks at each of
     * them every few milliseconds. Whoever is found in the same write twice is cut off and tries
     * again (Pollable); whoever was cut off three times in a row gives the line up and accuses the
     * front end.
     *
     * The guard sleeps when nothing was written for a while. It says so before it looks a last
     * time; a writer says that it writes before it looks whether the guard sleeps. Both are
     * sequentially consistent, so one of the two sees the other, and a write that waits is always
     * looked at. Step model: WriteGuardModelTest. jcstress: WriteVersusGuard.
     */
    /** The index of a queue has eight bits where its descriptors are concerned (VHU-24). */
    static final int QUEUES_MAX = 256;

    private static final Logger LOG = LoggerFactory.getLogger(CallLines.class);
    private static final Accuser NOBODY = queue -> { };

    private final ThreadFactory threads;
    private final Line[] calls = lines(QUEUES_MAX);
    private final Line[] errors = lines(QUEUES_MAX);
    private volatile @Nullable Guard guard; // Written by the session, before lines have targets.
    private volatile Accuser accuser = NOBODY; // Written by the session.

    /** Set by whoever was made to wait: one line of a front end is enough. Any thread. */
    private volatile boolean mute;

    /** Hears that the front end makes the writers of a queue's descriptor wait. Any thread. */
    @FunctionalInterface
    interface Accuser {
        void waits(int queue);
    }

    CallLines(ThreadFactory threads) {
        this.threads = threads;
    }

    @Override
    public void queue(int index) {
        signal(calls[index], index);
    }

    /** The device needs a reset: no queue of it works (VHU-23). */
    @Override
    public void config() {
        for (int i = 0; i < errors.length; i++) {
            signal(errors[i], i);
        }
    }

    /** A session begins, and wants to hear what its front end does. */
    void begin(Accuser session) {
        accuser = session;
        mute = false;
    }

    /**
     * Replaces the descriptor of a queue and signals the new one at once: whoever sends it may have
     * missed what was signalled on the old one (VHU-20).
     */
    void replaceCall(int queue, @Nullable Pollable next) {
        replace(calls[queue], next);
        signal(calls[queue], queue);
    }

    void replaceError(int queue, @Nullable Pollable next) {
        replace(errors[queue], next);
    }

    /** Closes all descriptors; the session has ended. */
    void clear() {
        for (int i = 0; i < calls.length; i++) {
            replace(calls[i], null);
            replace(errors[i], null);
        }
        accuser = NOBODY;
        Guard guarding = guard;
        if (guarding != null) {
            guarding.end();
            guard = null;
        }
    }

    private void replace(Line line, @Nullable Pollable next) {
        if (next != null && guard == null) {
            Guard begun = new Guard(threads, calls, errors);
            begun.thread.start();
            guard = begun;
        }
        line.replace(next);
    }

    private void signal(Line line, int queue) {
        if (!mute && !line.signal(guard)) {
            mute = true;
            accuser.waits(queue);
        }
    }

    private static Line[] lines(int count) {
        Line[] lines = new Line[count];
        for (int i = 0; i < count; i++) {
            lines[i] = new Line();
        }
        return lines;
    }

    /** One descriptor, and whether somebody writes to it. */
    static final class Line {
        /** Odd while somebody writes. Changed under the monitor, read by the guard. */
        private final AtomicInteger writes = new AtomicInteger();
        private volatile @Nullable Pollable target; // Changed under the monitor, read by the guard.
        private @Nullable Pollable givenUp; // Makes its writers wait. Guarded by the monitor.
        private int seen; // What `writes` was at the last look. Guard only.

        /** False if the front end makes writers wait: the line is given up then. */
        boolean signal(@Nullable Guard guard) {
            synchronized (this) {
                Pollable to = target;
                if (to == null || guard == null) {
                    return true;
                }
                beginWrite();
                guard.writeBegins();
                to.signal();
                endWrite();
                if (!to.isStuck()) {
                    return true;
                }
                target = null;
                givenUp = to; // closed by the session: that may take its time
                return false;
            }
        }

        void replace(@Nullable Pollable next) {
            Pollable former;
            synchronized (this) {
                former = target != null ? target : givenUp;
                target = next;
                givenUp = null;
            }
            if (former != null) {
                former.close(); // Outside: closing may take its time, and signals must not.
            }
        }

        // Steps. The step model and jcstress call them one by one.

        /** By a read-modify-write, and before the look at the guard, see the note above. */
        void beginWrite() {
            writes.incrementAndGet();
        }

        void endWrite() {
            writes.setRelease(writes.getPlain() + 1); // the guard may be late, never wrong
        }

        /** Whether anything was written since the last look. */
        boolean hasMoved() {
            return writes.get() != seen || wasBusy();
        }

        /** Whether somebody was writing at the last look. */
        boolean wasBusy() {
            return (seen & 1) != 0;
        }

        /** Whether somebody writes, and has since before the last look. */
        boolean isSameWrite() {
            return isSameWrite(writes.get());
        }

        private boolean isSameWrite(int now) {
            return now == seen && (now & 1) != 0;
        }

        /** Looks, and cuts off a write that is the same as last time. */
        boolean look() {
            int now = writes.get();
            boolean moved = now != seen;
            Pollable written = target;
            if (isSameWrite(now) && written != null) {
                written.cut();
            }
            seen = now;
            return moved || wasBusy();
        }

        /** How often a write has begun or ended, and what of it was seen. For the step model. */
        @Override
        public String toString() {
            return seen + " of " + writes;
        }
    }

    /** Looks after the writers. */
    static final class Guard {
        /** Two of these are the longest that a front end can make a writer wait, three times. */
        private static final long LOOK_MILLIS = 10;
        private static final int IDLE_LOOKS_MAX = 50;

        private final Line[][] lines;
        private final CountDownLatch ending = new CountDownLatch(1);
        private final Thread thread;
        private volatile boolean asleep;

        Guard(ThreadFactory threads, Line[]... lines) {
            this.lines = lines;
            this.thread = threads.newThread(this::run);
        }

        /** The caller has said in its line that it writes. Any thread. */
        void writeBegins() {
            if (isAsleep()) {
                LockSupport.unpark(thread);
            }
        }

        // Steps. The step model and jcstress call them one by one.

        boolean isAsleep() {
            return asleep;
        }

        /** Before the last look, see the note above. */
        void fallAsleep() {
            asleep = true;
        }

        void wakeUp() {
            asleep = false;
        }

        /** Returns when the thread has ended. */
        void end() {
            ending.countDown();
            LockSupport.unpark(thread);
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private void run() {
            int idle = 0;
            while (ending.getCount() > 0) {
                idle = lookAtAll() ? 0 : idle + 1;
                if (idle < IDLE_LOOKS_MAX) {
                    pause();
                } else {
                    sleep();
                    idle = 0;
                }
            }
        }

        /** Never shorter than it says: two looks are far enough apart for any write that goes. */
        private void pause() {
            try {
                boolean unused = ending.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                LOG.debug("interrupted, and goes on", e);
            }
        }

        private void sleep() {
            fallAsleep();
            while (!hasAnyMoved() && ending.getCount() > 0) {
                LockSupport.park(this);
                boolean unused = Thread.interrupted(); // or the next park would not wait
            }
            wakeUp();
        }

        private boolean lookAtAll() {
            boolean moved = false;
            for (Line[] some : lines) {
                for (Line line : some) {
                    moved |= line.look();
                }
            }
            return moved;
        }

        boolean hasAnyMoved() {
            for (Line[] some : lines) {
                for (Line line : some) {
                    if (line.hasMoved()) {
                        return true;
                    }
                }
            }
            return false;
        }
    }
}
