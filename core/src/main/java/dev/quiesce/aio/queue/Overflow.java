package dev.quiesce.aio.queue;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What did not fit, first in, first out. Memory is asked for in {@link #makeRoom} and nowhere else,
 * before anything changes: a deque of the JDK takes an item in before it grows, and has lost all of
 * them if there is no memory for that. Not safe for threads; its user has a lock.
 *
 * @param <T> what is kept
 */
final class Overflow<T> {
    private static final int SLOTS_MIN = 16;

    /** A power of two of them, or none yet; used round and round. */
    private @Nullable Object[] slots = new Object[0];
    private long added;
    private long removed;

    /** Has room for so many more, or throws and has changed nothing. */
    void makeRoom(int count) {
        int length = Math.max(SLOTS_MIN, slots.length);
        while (size() + count > length) {
            length = Math.multiplyExact(length, 2);
        }
        if (length > slots.length) {
            @Nullable Object[] larger = new Object[length];
            for (long i = removed; i < added; i++) {
                larger[(int) i & length - 1] = slots[(int) i & slots.length - 1];
            }
            slots = larger;
        }
    }

    /** Adds an item for which there is room. */
    void add(T item) {
        slots[(int) added & slots.length - 1] = item;
        added++;
    }

    /** Removes the oldest; there is one. */
    @SuppressWarnings("unchecked") // only items are added
    T remove() {
        int slot = (int) removed & slots.length - 1;
        T oldest = (T) Objects.requireNonNull(slots[slot]);
        slots[slot] = null;
        removed++;
        return oldest;
    }

    boolean isEmpty() {
        return added == removed;
    }

    long size() {
        return added - removed;
    }
}
