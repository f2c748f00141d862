package dev.quiesce.drain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The holds of a gate: counted, and linked from old to new so that a report can name them. Any
 * thread.
 */
final class OpenHolds {
    /*
     * The count is what sections wait for; the list is for people. They are changed one after the
     * other, so a report may miss a hold that is being taken or name one that is being closed.
     *
     * An object of its own, with its own lock: whoever pins a context in a loop shall disturb
     * neither the requests, which read the gate's fields, nor those who park.
     */
    private final InFlightCounter counter = new InFlightCounter();

    /** Guarded by this. */
    private @Nullable Hold oldest;

    /** Guarded by this. */
    private @Nullable Hold newest;

    /** Counts and enters a hold. */
    void add(Hold hold) {
        // SC, and before the caller can look at the gate or post: the pin of BB-45, and I6.
        counter.enterSeqCst();
        link(hold);
    }

    /** Strikes out a hold and counts it out. */
    void remove(Hold hold) {
        unlink(hold);
        counter.leaveSeqCst(1);
    }

    InFlightCounter counter() {
        return counter;
    }

    /** The open ones, oldest first. */
    synchronized List<Hold> list() {
        List<Hold> open = new ArrayList<>();
        for (Hold hold = oldest; hold != null; hold = hold.newer) {
            open.add(hold);
        }
        return open;
    }

    private synchronized void link(Hold hold) {
        hold.older = newest;
        if (newest == null) {
            oldest = hold;
        } else {
            newest.newer = hold;
        }
        newest = hold;
    }

    private synchronized void unlink(Hold hold) {
        Hold newer = hold.newer;
        Hold older = hold.older;
        if (newer == null) {
            newest = older;
        } else {
            newer.older = older;
        }
        if (older == null) {
            oldest = newer;
        } else {
            older.newer = newer;
        }
    }
}
