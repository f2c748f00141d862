package dev.quiesce.aio.queue;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An inbox that is an array of slots, used round and round. When it is full, what comes goes to a
 * list under a lock until the taker has emptied both, and then the array is made larger, up to a
 * bound: in steady state nothing is allocated and no lock is taken.
 *
 * @param <T> what is left in it
 */
public final class RingInbox<T> extends RingFields.TrailingPad<T> {
    /*
     * `tail` is the number of slots that were ever claimed, and two bits so high that there is
     * never room above them. Offer: claim a slot by a compare and set, which SEALED and FROZEN
     * prevent, then store the item there with release. Poll: load the slot with acquire; if there
     * is an item, clear the slot and publish `head`, the number of slots that were ever taken. A
     * slot is claimed again only by those who have seen, by acquire, a head that is beyond it - the
     * taker's or, by way of `limit`, another poster's - so the clearing comes before the next
     * store.
     *
     * Nobody writes to the items; the taker does not look at `tail` while there are some, and the
     * posters look at `head` once in a round. Sixteen items share the cache line of their slots,
     * and that is all that goes to and fro (HandOverBenchmark).
     *
     * Full: whoever finds no room takes the lock and sets FROZEN, so that no slot is claimed any
     * more; its item and all that come later go to `overflow`. One slot is never claimed, so the
     * next one is free: MARK is put there. The taker comes to it when it has taken what is older,
     * and then takes the overflow. When nothing is left in that, under the lock, it makes the array
     * larger and takes FROZEN down.
     *
     * Posters find their slot before they claim it, since a store that has to look for its place
     * after the claim would hold up the next one (HandOverBenchmark). They read `slots` after
     * `tail`, so they have the array that belongs to it, or a newer one. That the array has been
     * replaced meanwhile must make the claim fail: a larger one begins with another number, since
     * one is left out. Where the array stays the same, and frozen was taken down, a claim that was
     * begun before may succeed: its slot is free, and the taker comes to it.
     *
     * The compare and set of a claim is the poster's half of the Dekker pair with a taker that is
     * about to sleep, which looks at `tail`. A poster that is interrupted between its claim and its
     * store holds up what comes behind it: the taker finds that the inbox is not empty, so it does
     * not sleep, but has nothing to take.
     *
     * "Sealed" and "empty" are one decision, since both are in `tail`.
     *
     * Proved by LinearizabilityTest and the stress test InboxHandOver.
     */
    private static final long SEALED = 1L << 61;
    private static final long FROZEN = 1L << 62;
    private static final long BITS = SEALED | FROZEN;

    /** What becomes of an item for which there was no room. */
    private enum WithoutRoom {
        REFUSED, OVERFLOWS, TRIES_AGAIN
    }

    /** Stands in the slot behind the last item before the overflow. */
    private static final Object MARK = new Object();

    /** What slots are cleared with, so many at a time. */
    private static final Object[] CLEAR = new Object[PIECE];

    private static final VarHandle TAIL = handle(RingFields.Posters.class, "tail");
    private static final VarHandle LIMIT = handle(RingFields.Posters.class, "limit");
    private static final VarHandle HEAD = handle(RingFields.Taker.class, "head");
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Object[].class);

    private final int maxSlots;

    /** The slots; the taker's own reference, for it alone replaces them. */
    private Object[] ring;

    /** What did not fit. Guarded by lock. */
    private Overflow<T> overflow = new Overflow<>();

    /** What the taker has fetched of that. The taker only. */
    private Overflow<T> fetched = new Overflow<>();

    private final Object lock = new Object();

    /**
     * An empty inbox. Thread: any.
     *
     * @param slots how many slots there are at first, one more than items find one; 2, 4, 8, ...
     * @param maxSlots and how many in the end; the same or more
     */
    public RingInbox(int slots, int maxSlots) {
        super(new Object[slots]);
        ring = this.slots;
        if (slots < 2 || Integer.bitCount(slots) != 1 || Integer.bitCount(maxSlots) != 1
                || maxSlots < slots) {
            throw new IllegalArgumentException("an inbox of " + slots + " to " + maxSlots
                    + " slots: need powers of two, 2 at least, the smaller one first");
        }
        this.maxSlots = maxSlots;
    }

    @Override
    public boolean offer(T item) {
        Objects.requireNonNull(item, "item");
        return offerToSlot(item) || offerSlowly(item);
    }

    @Override
    public boolean offerAll(T[] items, int count) {
        for (int i = 0; i < count; i++) {
            Objects.requireNonNull(items[i], "item");
        }
        return offerToSlots(items, count) || offerAllSlowly(items, count);
    }

    private boolean offerToSlot(T item) {
        while (true) {
            // Acquire: the array that is read next is not older.
            long at = (long) TAIL.getAcquire(this);
            if (!hasRoom(at, 1)) {
                return false;
            }
            if (claimAndStore(at, slots, item)) {
                return true;
            }
        }
    }

    /** Leaves an item in the slot of that number, which is the next one to be claimed, or was. */
    boolean claimAndStore(long at, Object[] ring, T item) {
        int slot = (int) at & ring.length - 1;
        // Sequentially consistent: the look at whether the taker is about to sleep comes after.
        if (!TAIL.compareAndSet(this, at, at + 1)) {
            return false;
        }
        // Release: the item, and what its poster wrote before.
        SLOT.setRelease(ring, slot, item);
        return true;
    }

    private boolean offerToSlots(T[] items, int count) {
        while (true) {
            // Acquire: as in offerToSlot.
            long at = (long) TAIL.getAcquire(this);
            if (!hasRoom(at, count)) {
                return false;
            }
            Object[] ring = slots;
            // Sequentially consistent: as in claimAndStore.
            if (TAIL.compareAndSet(this, at, at + count)) {
                storeAll(ring, at, items, count);
                return true;
            }
        }
    }

    private void storeAll(Object[] ring, long at, T[] items, int count) {
        for (int i = 0; i < count; i++) {
            // Release: as in claimAndStore.
            SLOT.setRelease(ring, (int) at + i & ring.length - 1, items[i]);
        }
    }

    /** Whether so many slots can be claimed from there; not if the inbox is sealed or frozen. */
    private boolean hasRoom(long at, int count) {
        // Acquire: the slots below were cleared before.
        return at + count <= (long) LIMIT.getAcquire(this) || hasRoomByNow(at, count);
    }

    private boolean hasRoomByNow(long at, int count) {
        // Acquire: as above. All only grow, so an old value of any gives a lower limit.
        long limit = (long) HEAD.getAcquire(this) + slots.length - 1;
        if (at + count > limit) {
            return false;
        }
        // Release: hands on what was acquired. One that is lower than another poster's is safe.
        LIMIT.setRelease(this, limit);
        return true;
    }

    private boolean offerSlowly(T item) {
        synchronized (lock) {
            WithoutRoom outcome = WithoutRoom.TRIES_AGAIN;
            while (outcome == WithoutRoom.TRIES_AGAIN) {
                if (offerToSlot(item)) {
                    return true;
                }
                outcome = freeze();
            }
            if (outcome == WithoutRoom.OVERFLOWS) {
                overflow.makeRoom(1);
                overflow.add(item);
            }
            return outcome == WithoutRoom.OVERFLOWS;
        }
    }

    private boolean offerAllSlowly(T[] items, int count) {
        synchronized (lock) {
            WithoutRoom outcome = WithoutRoom.TRIES_AGAIN;
            while (outcome == WithoutRoom.TRIES_AGAIN) {
                if (offerToSlots(items, count)) {
                    return true;
                }
                outcome = freeze();
            }
            if (outcome == WithoutRoom.OVERFLOWS) {
                overflow.makeRoom(count);
                for (int i = 0; i < count; i++) {
                    overflow.add(items[i]);
                }
            }
            return outcome == WithoutRoom.OVERFLOWS;
        }
    }

    /**
     * Freezes the inbox, unless it is sealed, and sends the taker to the overflow when it has come
     * so far. Under the lock, and before anything that could fail: a taker that finds nothing there
     * takes FROZEN down.
     */
    private WithoutRoom freeze() {
        long now = tailVolatile();
        // One look decides: an inbox that was sealed empty may be opened again meanwhile.
        if ((now & SEALED) != 0) {
            return WithoutRoom.REFUSED;
        }
        // Sequentially consistent: this claims a place in the overflow, see claimAndStore.
        if ((now & FROZEN) == 0 && !TAIL.compareAndSet(this, now, now | FROZEN)) {
            return WithoutRoom.TRIES_AGAIN;
        }
        Object[] ring = slots;
        // Release: as in claimAndStore.
        SLOT.setRelease(ring, (int) now & ring.length - 1, MARK);
        return WithoutRoom.OVERFLOWS;
    }

    @Override
    public int poll(Object[] into, int from, int max) {
        int most = Math.min(max, PIECE);
        int count = pollSlots(into, from, most);
        // Plain: what comes with MARK is behind the lock, or has been fetched.
        if (count < most && ring[slot(head)] == MARK) {
            count += pollOverflow(into, from + count, most - count);
        }
        return count;
    }

    private int pollSlots(Object[] into, int from, int most) {
        Object[] ring = this.ring;
        int slot = slot(head);
        int count = there(ring, slot, Math.min(most, ring.length - slot));
        if (count == 0) {
            return 0;
        }
        move(ring, slot, into, from, count);
        if (slot + count == ring.length) {
            int more = there(ring, 0, most - count);
            move(ring, 0, into, from + count, more);
            count += more;
        }
        // Release: the slots are clear.
        HEAD.setRelease(this, head + count);
        return count;
    }

    /** Where the slot of that number is. The taker only. */
    private int slot(long number) {
        return (int) number & ring.length - 1;
    }

    /** How many items are in the slots from there on, so many at most. */
    private static int there(Object[] ring, int slot, int most) {
        int count = 0;
        while (count < most && isItem(SLOT.getAcquire(ring, slot + count))) {
            count++;
        }
        return count;
    }

    private static void move(Object[] ring, int slot, Object[] into, int from, int count) {
        System.arraycopy(ring, slot, into, from, count);
        System.arraycopy(CLEAR, 0, ring, slot, count);
    }

    /** Whether that is the content of a slot with an item. */
    private static boolean isItem(@Nullable Object content) {
        return content != null && content != MARK;
    }

    private int pollOverflow(Object[] into, int from, int max) {
        int count = 0;
        if (fetched.isEmpty()) {
            refill();
        }
        while (count < max && !fetched.isEmpty()) {
            into[from + count] = fetched.remove();
            count++;
            if (fetched.isEmpty()) {
                refill();
            }
        }
        return count;
    }

    /** Fetches what has overflowed; with nothing left anywhere, lets posters use slots again. */
    private void refill() {
        synchronized (lock) {
            Overflow<T> empty = fetched;
            fetched = overflow;
            overflow = empty;
            if (fetched.isEmpty()) {
                ring[slot(head)] = null;
                int leftOut = ring.length < maxSlots && grow() ? 1 : 0;
                // Release: as in poll; before anything is claimed behind it.
                HEAD.setRelease(this, head + leftOut);
                // Release: the slots, for those who claim some of them. No more than that changes
                // meanwhile: posters leave a frozen inbox alone, and only the taker seals it.
                TAIL.getAndAdd(this, leftOut - FROZEN);
            }
        }
    }

    private boolean grow() {
        try {
            ring = new Object[2 * ring.length];
            slots = ring;
            return true;
        } catch (OutOfMemoryError e) {
            // As large as it was, then: more often full, and nothing is lost.
            assert ring == slots;
            return false;
        }
    }

    @Override
    public boolean hasNext() {
        Object[] ring = this.ring;
        // Acquire: this is asked over and over until it is true.
        return SLOT.getAcquire(ring, slot(head)) != null;
    }

    @Override
    public long claimed() {
        // Sequentially consistent: see the note above.
        long now = tailVolatile();
        long inSlots = (now & ~BITS) - head;
        if ((now & FROZEN) == 0) {
            return inSlots;
        }
        synchronized (lock) {
            // No slot has been claimed meanwhile.
            return inSlots + fetched.size() + overflow.size();
        }
    }

    @Override
    public boolean isEmpty() {
        return claimed() == 0;
    }

    @Override
    public boolean sealIfEmpty() {
        if (hasNext() && isEmpty()) {
            // Only MARK: whoever froze the inbox had no memory for the overflow.
            refill();
        }
        long empty = head;
        return TAIL.compareAndSet(this, empty, empty | SEALED);
    }

    @Override
    public void unseal() {
        long before = (long) TAIL.getAndBitwiseAnd(this, ~SEALED);
        assert (before & SEALED) != 0 : "the inbox was not sealed";
    }

    @Override
    public void seal() {
        TAIL.getAndBitwiseOr(this, SEALED);
    }

    private long tailVolatile() {
        return (long) TAIL.getVolatile(this);
    }

    private static VarHandle handle(Class<?> owner, String field) {
        try {
            return MethodHandles.lookup().findVarHandle(owner, field, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
