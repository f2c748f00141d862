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
     * `tail` is the number of slots that were ever claimed, and two bits. Offer: claim a slot by a
     * compare and set, which SEALED and FROZEN prevent, then store the item there with release.
     * Poll: load the slot with acquire; if there is an item, clear the slot and publish `head`, the
     * number of slots that were ever taken. A slot is claimed again only by those who have seen, by
     * acquire, a head that is beyond it - the taker's or, by way of `limit`, another poster's - so
     * the clearing comes before the next store.
     *
     * Nobody writes to the items; the taker does not look at `tail` while there are some, and the
     * posters look at `head` once in a round. Sixteen items share the cache line of their slots,
     * and that is all that goes to and fro (HandOverBenchmark).
     *
     * Full: whoever finds no room takes the lock and sets FROZEN, so that no slot is claimed any
     * more; its item and all that come later go to `overflow`. One slot is never claimed, so the
     * next one is free: MARK is put there. The taker comes to it when it has taken what is older,
     * and then takes the overflow. When nothing is left in that, under the lock, it makes the array
     * larger and takes FROZEN down. Posters read `slots` after their claim: from then until the
     * item is taken the inbox is not empty, so the array that they find is the one in use.
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
    private static final long SEALED = 1;
    private static final long FROZEN = 2;
    private static final int BITS = 2;
    private static final long NONE = -1;
    private static final long REFUSED = -2;

    /** Stands in the slot behind the last item before the overflow. */
    private static final Object MARK = new Object();

    /** What slots are cleared with, so many at a time. */
    private static final Object[] CLEAR = new Object[64];

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
        long at = claim(1);
        if (at == NONE) {
            return offerSlowly(item);
        }
        store(at, item);
        return true;
    }

    @Override
    public boolean offerAll(T[] items, int count) {
        for (int i = 0; i < count; i++) {
            Objects.requireNonNull(items[i], "item");
        }
        long at = claim(count);
        if (at == NONE) {
            return offerAllSlowly(items, count);
        }
        storeAll(at, items, count);
        return true;
    }

    /** The number of the first slot of so many that are the caller's now, or NONE. */
    private long claim(int count) {
        while (true) {
            // Opaque: the compare and set checks it.
            long now = (long) TAIL.getOpaque(this);
            if ((now & (SEALED | FROZEN)) != 0 || !hasRoom(now >>> BITS, count)) {
                return NONE;
            }
            // Sequentially consistent: the look at whether the taker is about to sleep comes after.
            if (TAIL.compareAndSet(this, now, now + ((long) count << BITS))) {
                return now >>> BITS;
            }
        }
    }

    private boolean hasRoom(long at, int count) {
        // Acquire: the slots below were cleared before.
        if (at + count <= (long) LIMIT.getAcquire(this)) {
            return true;
        }
        // Acquire: as above. Both only grow, so an old value of either gives a lower limit.
        long limit = (long) HEAD.getAcquire(this) + slots.length - 1;
        if (at + count > limit) {
            return false;
        }
        // Release: hands on what was acquired. One that is lower than another poster's is safe.
        LIMIT.setRelease(this, limit);
        return true;
    }

    private void store(long at, T item) {
        Object[] ring = slots;
        // Release: the item, and what its poster wrote before.
        SLOT.setRelease(ring, (int) at & ring.length - 1, item);
    }

    private void storeAll(long at, T[] items, int count) {
        Object[] ring = slots;
        for (int i = 0; i < count; i++) {
            // Release: as in store.
            SLOT.setRelease(ring, (int) at + i & ring.length - 1, items[i]);
        }
    }

    private boolean offerSlowly(T item) {
        synchronized (lock) {
            long at = claimOrFreeze(1);
            if (at >= 0) {
                store(at, item);
                return true;
            }
            if (at == REFUSED) {
                return false;
            }
            mark();
            overflow.makeRoom(1);
            overflow.add(item);
            return true;
        }
    }

    private boolean offerAllSlowly(T[] items, int count) {
        synchronized (lock) {
            long at = claimOrFreeze(count);
            if (at >= 0) {
                storeAll(at, items, count);
                return true;
            }
            if (at == REFUSED) {
                return false;
            }
            mark();
            overflow.makeRoom(count);
            for (int i = 0; i < count; i++) {
                overflow.add(items[i]);
            }
            return true;
        }
    }

    /**
     * Sends the taker to the overflow, when it has come so far. Under the lock, and before anything
     * that could fail: a taker that finds nothing there takes FROZEN down.
     */
    private void mark() {
        Object[] ring = slots;
        // Release: as in store.
        SLOT.setRelease(ring, (int) (tailVolatile() >>> BITS) & ring.length - 1, MARK);
    }

    /** Slots, if there is room meanwhile; NONE with the inbox frozen, or sealed. Under the lock. */
    private long claimOrFreeze(int count) {
        while (true) {
            long at = claim(count);
            if (at != NONE) {
                return at;
            }
            long now = tailVolatile();
            // One look decides: an inbox that was sealed empty may be opened again meanwhile.
            if ((now & SEALED) != 0) {
                return REFUSED;
            }
            // Sequentially consistent: this claims a place in the overflow, see claim.
            if ((now & FROZEN) != 0 || TAIL.compareAndSet(this, now, now | FROZEN)) {
                return NONE;
            }
        }
    }

    @Override
    public int poll(Object[] into, int from, int max) {
        Object[] ring = this.ring;
        long at = head;
        int slot = (int) at & ring.length - 1;
        int most = Math.min(Math.min(max, CLEAR.length), ring.length - slot);
        int count = 0;
        while (count < most && isItem(SLOT.getAcquire(ring, slot + count))) {
            count++;
        }
        if (count == 0) {
            return ring[slot] == MARK && max > 0 ? pollOverflow(into, from) : 0;
        }
        System.arraycopy(ring, slot, into, from, count);
        System.arraycopy(CLEAR, 0, ring, slot, count);
        // Release: the slots are clear.
        HEAD.setRelease(this, at + count);
        return count;
    }

    /** Whether that is the content of a slot with an item. */
    private static boolean isItem(@Nullable Object content) {
        return content != null && content != MARK;
    }

    private int pollOverflow(Object[] into, int from) {
        if (fetched.isEmpty()) {
            refill();
        }
        if (fetched.isEmpty()) {
            return 0;
        }
        into[from] = fetched.remove();
        if (fetched.isEmpty()) {
            refill();
        }
        return 1;
    }

    /** Fetches what has overflowed; with nothing left anywhere, lets posters use slots again. */
    private void refill() {
        synchronized (lock) {
            Overflow<T> empty = fetched;
            fetched = overflow;
            overflow = empty;
            if (fetched.isEmpty()) {
                ring[(int) head & ring.length - 1] = null;
                if (ring.length < maxSlots) {
                    grow();
                }
                // Release: the slots, for those who claim some of them.
                TAIL.getAndBitwiseAnd(this, ~FROZEN);
            }
        }
    }

    private void grow() {
        try {
            ring = new Object[2 * ring.length];
            slots = ring;
        } catch (OutOfMemoryError e) {
            // As large as it was, then: more often full, and nothing is lost.
            assert ring == slots;
        }
    }

    @Override
    public boolean hasNext() {
        Object[] ring = this.ring;
        // Acquire: this is asked over and over until it is true.
        return SLOT.getAcquire(ring, (int) head & ring.length - 1) != null;
    }

    @Override
    public long claimed() {
        // Sequentially consistent: see the note above.
        long now = tailVolatile();
        long inSlots = (now >>> BITS) - head;
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
        long empty = head << BITS;
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
