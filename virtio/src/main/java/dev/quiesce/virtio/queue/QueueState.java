package dev.quiesce.virtio.queue;

/**
 * Where a queue stands: what has to be saved, besides the requests themselves, to go on elsewhere.
 *
 * @param lastAvail next available index to fetch, 0 to 65535
 * @param usedIndex used index as published, 0 to 65535
 */
public record QueueState(int lastAvail, int usedIndex) {

    /** Where a queue stands that the driver has just set up. */
    public static final QueueState START = new QueueState(0, 0);

    /**
     * Checks a state, which may come from outside (PURGE-32).
     *
     * @param lastAvail next available index to fetch, 0 to 65535
     * @param usedIndex used index as published, 0 to 65535
     * @throws IllegalArgumentException if an index has more than 16 bits
     */
    public QueueState {
        if ((lastAvail & SplitLayout.INDEX_MASK) != lastAvail
                || (usedIndex & SplitLayout.INDEX_MASK) != usedIndex) {
            throw new IllegalArgumentException(
                    "indices have 16 bits: lastAvail " + lastAvail + ", usedIndex " + usedIndex);
        }
    }

    /** Chains fetched and not given back, if every one fetched will be. */
    int outstanding() {
        return SplitLayout.distance(usedIndex, lastAvail);
    }
}
