package dev.quiesce.aio.watch;

import java.util.LinkedHashSet;
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

    /** In the order in which they were added: the same run ends in the same way. Under lock. */
    private final Set<Action> actions = new LinkedHashSet<>();

    /** Guarded by the lock. */
    private boolean over;

    /** Remembers an action. Returns false if the end has come, and the caller has to make it. */
    boolean add(Runnable action) {
        synchronized (lock) {
            if (!over) {
                actions.add(new Action(action));
            }
            return !over;
        }
    }

    boolean remove(Runnable action) {
        synchronized (lock) {
            return actions.remove(new Action(action));
        }
    }

    /** The end: makes them all. One that throws does not keep the others from being made. */
    void makeAll(Consumer<Throwable> errors) {
        List<Action> due;
        synchronized (lock) {
            over = true;
            due = List.copyOf(actions);
        }
        for (Action action : due) {
            if (remove(action.made)) {
                make(action.made, errors);
            }
        }
    }

    /** An action, known by its identity. */
    private record Action(Runnable made) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Action action && action.made == made;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(made);
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
