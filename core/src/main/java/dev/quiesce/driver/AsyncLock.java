package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.queue.Line;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A lock that is held across turns and never blocks a thread: who does not get it at once is
 * resumed in its own context when its turn comes, first come, first served.
 */
public final class AsyncLock {
    private final String name;
    private final Object lock = new Object();

    /** Guarded by lock, as is the next one. */
    private boolean held;

    private final Line<Waiter> waiters = new Line<>();

    /**
     * Creates a lock that nobody holds. Thread: any.
     *
     * @param name what to call it in diagnoses
     */
    public AsyncLock(String name) {
        this.name = Objects.requireNonNull(name, "name");
    }

    /**
     * Takes the lock, or has a task posted that finds it taken on its behalf. Takes no memory.
     * Thread: any.
     *
     * @param home where to resume
     * @param resume what to resume; in no queue, waiting for no lock, and not used if this one was
     *     free
     * @return true if the caller holds the lock now; false if the task will
     * @throws IllegalStateException if the lock is held and the task waits for one already, which
     *     it goes on to do
     */
    public boolean acquireOr(AioContext home, Waiter resume) {
        Objects.requireNonNull(home, "home");
        Objects.requireNonNull(resume, "resume");
        synchronized (lock) {
            if (!held) {
                held = true;
                return true;
            }
            // First: it throws if the task waits already, which then stays as it is.
            waiters.add(resume);
            resume.home = home;
            return false;
        }
    }

    /**
     * Gives the lock to the longest waiter, or frees it. What the holder did is visible to the
     * next one. A waiter whose context is gone is reported and passed over. Thread: any, on behalf
     * of the holder.
     *
     * @throws IllegalStateException if nobody holds the lock
     */
    public void release() {
        while (true) {
            @Nullable Waiter next;
            AioContext home;
            synchronized (lock) {
                if (!held) {
                    throw new IllegalStateException("the lock " + name + " is not held");
                }
                next = waiters.poll();
                if (next == null) {
                    held = false;
                    return;
                }
                home = Objects.requireNonNull(next.home);
                next.home = null;
            }
            try {
                home.post(next);
                return;
            } catch (IllegalStateException gone) {
                home.report(next.describe(), gone);
            }
        }
    }

    @Override
    public String toString() {
        return "AsyncLock[" + name + "]";
    }

    /** A task that can wait for one lock at a time, and does so without taking memory. */
    public abstract static class Waiter extends Task {
        /** Present while this waits. Guarded by the lock. */
        private @Nullable AioContext home;

        /** A waiter that does not wait. Thread: any. */
        protected Waiter() {
        }
    }
}
