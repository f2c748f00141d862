package dev.quiesce.aio.queue;

/**
 * Where other threads leave things for one taker: unbounded, in the order in which they were left,
 * until it is sealed, which closes the door for good. One thread at a time is the taker.
 *
 * <p>An item is <em>claimed</em> when its place in the order is fixed, and <em>there</em> a moment
 * later. Who has returned from an offer has left an item that is there.
 *
 * @param <T> what is left
 */
public abstract class Inbox<T> {
    /** A call of {@link #poll} may leave it at so many items. */
    public static final int PIECE = 64;

    private static final int LOOKS_BEFORE_YIELD = 64;

    /** An inbox with nothing in it. Thread: any. */
    protected Inbox() {
    }

    /**
     * Leaves an item. It is claimed by a sequentially consistent write, or, where there is no room,
     * under a lock after such a look. Thread: any.
     *
     * @param item the item
     * @return false if the inbox is sealed
     */
    public abstract boolean offer(T item);

    /**
     * Leaves many items, one behind the other with nobody else's between them; they are claimed
     * together. Thread: any.
     *
     * @param items the items, perhaps with others behind
     * @param count how many of them, at least one
     * @return false if the inbox is sealed, and none was left; as if it throws
     */
    public abstract boolean offerAll(T[] items, int count);

    /**
     * Takes the oldest items, with what was written before they were offered. Thread: the taker.
     *
     * @param into where to put them
     * @param from where the first one goes
     * @param max how many at most
     * @return how many; fewer than {@code max}, and than {@link #PIECE}, only if the next one was
     *     not there: it is not stored yet, or none was claimed
     */
    public abstract int poll(Object[] into, int from, int max);

    /**
     * {@return whether {@link #poll} should be asked} If not, it would find nothing. If so, it may
     * find nothing all the same, once: a poster had no memory for its item. Thread: the taker.
     * Looks where only a full or an empty inbox is written by both sides, so it may be asked often.
     */
    public abstract boolean hasNext();

    /**
     * {@return how many items are claimed and not taken} Sequentially consistent: a poster that
     * looks after its offer, and does not find that the taker was about to sleep, is counted.
     * Thread: the taker.
     */
    public abstract long claimed();

    /** {@return whether no item is claimed} As {@link #claimed}. Thread: the taker. */
    public abstract boolean isEmpty();

    /**
     * Seals the inbox if no item is claimed. Thread: the taker.
     *
     * @return false if there is one, or it was sealed before
     */
    public abstract boolean sealIfEmpty();

    /** Opens an inbox that {@link #sealIfEmpty} has just sealed. Thread: the taker. */
    public abstract void unseal();

    /** Refuses all further items; what is claimed can still be taken. Thread: the taker. */
    public abstract void seal();

    /**
     * Takes items that are claimed, and waits until one is there. Thread: the taker.
     *
     * @param into where to put them
     * @param from where the first one goes
     * @param max how many at most, and at least 1
     * @return how many, at least 1
     */
    public final int take(Object[] into, int from, int max) {
        int count = poll(into, from, max);
        for (int looks = 1; count == 0; looks++) {
            awaitOffer(looks);
            count = poll(into, from, max);
        }
        return count;
    }

    private static void awaitOffer(int looks) {
        if (looks % LOOKS_BEFORE_YIELD == 0) {
            giveWay();
        } else {
            Thread.onSpinWait();
        }
    }

    /**
     * Offers the core to whoever is ready to run: a poster that has claimed a place and lost its
     * core before the one store that it had left to make, or one that could not begin yet. Thread:
     * the taker.
     */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but the time
    public static void giveWay() {
        Thread.yield();
    }
}
