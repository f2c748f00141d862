package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import java.util.ArrayDeque;
import java.util.Objects;

/**
 * A lock that is held across turns and never blocks a thread: who does not get it at once is
 * resumed in its own context when its turn comes, first come, first served.
 */
public final class AsyncLock {
    private final String name;
    private final Object lock = new Object();

    /** Guarded by lock, as are the following. */
    private boolean held;

    /** Who waits, and in which context; one entry in each for every waiter. */
    private final ArrayDeque<Task> tasks = new ArrayDeque<>();
    private final ArrayDeque<AioContext> homes = new ArrayDeque<>();

    /**
     * Creates a lock that nobody holds. Thread: any.
     *
     * @param name what to call it in diagnoses
     */
    public AsyncLock(String name) {
        this.name = Objects.requireNonNull(name, "name");
    }

    /**
     * Takes the lock, or has a task posted that finds it taken on its behalf. Thread: any.
     *
     * @param home where to resume
     * @param resume what to resume; in no queue, and not used if the lock was free
     * @return true if the caller holds the lock now; false if the task will
     */
    public boolean acquireOr(AioContext home, Task resume) {
        Objects.requireNonNull(home, "home");
        Objects.requireNonNull(resume, "resume");
        synchronized (lock) {
            if (!held) {
                held = true;
                return true;
            }
            tasks.add(resume);
            homes.add(home);
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
            Task next;
            AioContext home;
            synchronized (lock) {
                if (!held) {
                    throw new IllegalStateException("the lock " + name + " is not held");
                }
                if (tasks.isEmpty()) {
                    held = false;
                    return;
                }
                next = tasks.remove();
                home = homes.remove();
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
}
