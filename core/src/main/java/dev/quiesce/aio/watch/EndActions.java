package dev.quiesce.aio.watch;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What is to be done once when a loop has ended. Any thread, but for the end itself. */
final class EndActions {
    /*
     * The set and `over` are changed under one lock, a leaf: an action is made by whoever takes it
     * out of the set, or, if it comes after the end, by the thread that brings it. So each is made
     * once or taken back.
     */
    private final Object lock = new Object();

    /** In no order. Guarded by the lock. */
    private final Set<Runnable> actions = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Guarded by the lock. */
    private boolean over;

    /** Remembers an action. Returns false if the end has come, and the caller has to make it. */
    boolean add(Runnable action) {
        synchronized (lock) {
            if (!over) {
                actions.add(action);
            }
            return !over;
        }
    }

    boolean remove(Runnable action) {
        synchronized (lock) {
            return actions.remove(action);
        }
    }

    /** The end: makes them all. One that throws does not keep the others from being made. */
    void makeAll(Consumer<Throwable> errors) {
        List<Runnable> due;
        synchronized (lock) {
            over = true;
            due = List.copyOf(actions);
        }
        for (Runnable action : due) {
            if (remove(action)) {
                make(action, errors);
            }
        }
    }

    /** Whatever is thrown is reported: the loop has ended, and others still have to hear of it. */
    static void make(Runnable action, Consumer<Throwable> errors) {
        try {
            action.run();
        } catch (Throwable e) {
            errors.accept(e);
        }
    }
}
