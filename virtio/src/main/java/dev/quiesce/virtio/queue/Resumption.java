package dev.quiesce.virtio.queue;

import org.jspecify.annotations.Nullable;

/** Where and how a queue goes on over a ring that was served before. Immutable; any thread. */
public final class Resumption {
    private static final int[] NOTHING_UNFINISHED = {};

    private final int lastAvail;
    private final int[] unfinished;
    private final @Nullable HeadJournal journal;

    private Resumption(int lastAvail, int[] unfinished, @Nullable HeadJournal journal) {
        this.lastAvail = lastAvail;
        this.unfinished = unfinished;
        this.journal = journal;
    }

    /**
     * Goes on at an available index, with nothing of before. Any thread.
     *
     * @param lastAvail next available index to fetch, 0 to 65535: 0 for a new ring
     * @return the resumption
     */
    public static Resumption at(int lastAvail) {
        return new Resumption(lastAvail, NOTHING_UNFINISHED, null);
    }

    /**
     * Goes on where a journal says that another device was interrupted, and keeps the journal. Any
     * thread.
     *
     * @param lastAvail next available index to fetch, 0 to 65535: the ring's used index and the
     *     number of unfinished chains
     * @param unfinished heads that were fetched before and not given back, each once, in the order
     *     in which they are to be served again
     * @param journal is told of them and of all later ones
     * @return the resumption
     */
    public static Resumption of(int lastAvail, int[] unfinished, HeadJournal journal) {
        return new Resumption(lastAvail, unfinished.clone(), journal);
    }

    int lastAvail() {
        return lastAvail;
    }

    /** Not to be changed. */
    int[] unfinished() {
        return unfinished;
    }

    @Nullable HeadJournal journal() {
        return journal;
    }
}
