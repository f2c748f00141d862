package dev.quiesce.aio;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who holds up a wait: entries of "so many, of whom, in which context". Filled by a
 * {@link ControlWait.Target}, judged by {@link ControlWait}, read by people. Thread: confined to
 * whoever created it.
 */
public final class WaitReport {
    private final List<Entry> entries = new ArrayList<>();

    /** Creates an empty report. Thread: any. */
    public WaitReport() {
    }

    /**
     * Adds something that must come to an end before the wait can.
     *
     * @param who whose it is, such as a backend and what it does
     * @param where the context that has to do it
     * @param count how many there are
     * @param ownCompletion whether it can end only after the waiting callback itself has returned
     */
    public void outstanding(String who, AioContext where, long count, boolean ownCompletion) {
        entries.add(new Entry(who, where, count, ownCompletion, false));
    }

    /**
     * Adds requests that are parked: they hold nothing up, but explain what does.
     *
     * @param who whose they are
     * @param where their home context
     * @param count how many there are
     */
    public void parked(String who, AioContext where, int count) {
        entries.add(new Entry(who, where, count, false, true));
    }

    /**
     * Whether everything outstanding can come to an end while the given context is polled: it is
     * that context's own, or that of a context that a living thread other than the caller, or the
     * parker, serves. Owners change, so a "no" is a snapshot, except for one's own completion.
     *
     * @param main the context that is being polled; the caller is its home
     * @return false if some entry cannot progress
     */
    public boolean canProgress(AioContext main) {
        for (Entry entry : entries) {
            if (entry.obstacle(main) != null) {
                return false;
            }
        }
        return true;
    }

    /**
     * The entries, and for each context who owns it.
     *
     * @return one line
     */
    @Override
    public String toString() {
        if (entries.isEmpty()) {
            return "nothing is outstanding";
        }
        StringBuilder text = new StringBuilder();
        for (Entry entry : entries) {
            text.append(text.length() == 0 ? "" : "; ");
            entry.append(text);
        }
        return text.toString();
    }

    /** Whether something outstanding belongs to a context that has ended: it stays outstanding. */
    boolean namesWhatHasEnded() {
        for (Entry entry : entries) {
            if (!entry.parked && entry.where.remains().isOver()) {
                return true;
            }
        }
        return false;
    }

    boolean hasOwnCompletion() {
        for (Entry entry : entries) {
            if (entry.ownCompletion) {
                return true;
            }
        }
        return false;
    }

    private record Entry(
            String who, AioContext where, long count, boolean ownCompletion, boolean parked) {
        Entry {
            // Here, where whoever is to blame is on the stack.
            Objects.requireNonNull(who, "who");
            Objects.requireNonNull(where, "where");
        }

        @Nullable String obstacle(AioContext main) {
            if (parked) {
                return null;
            }
            if (ownCompletion) {
                return "it ends only after the waiting callback has returned";
            }
            if (where == main) {
                return null;
            }
            if (where.isGone()) {
                return where.whyGone();
            }
            if (where.seams().parker().serves(where)) {
                return null;
            }
            Thread owner = where.owner();
            if (owner == null) {
                return "which nobody polls";
            }
            if (owner == Thread.currentThread()) {
                return "which the waiting thread would have to poll";
            }
            return owner.isAlive() ? null : "whose thread has ended";
        }

        void append(StringBuilder text) {
            Thread owner = where.owner();
            text.append(count).append(parked ? " parked at " : " outstanding at ").append(who)
                    .append(" in context ").append(where.name()).append(", owned by ")
                    .append(owner == null ? "nobody" : "thread " + owner.getName());
            if (where.isGone()) {
                text.append(" (").append(where.whyGone()).append(')');
            }
            if (ownCompletion) {
                text.append(" (one's own completion)");
            }
        }
    }
}
