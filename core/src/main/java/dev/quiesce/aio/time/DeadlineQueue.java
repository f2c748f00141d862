package dev.quiesce.aio.time;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Deadlines in order: a binary heap of entries, equal ones in the order in which they were added,
 * and the list of those found due that have not been taken. Adding, removing and taking allocate
 * nothing once the heap has grown. For the timers of one clock; not safe for threads, its user has
 * a lock.
 *
 * @param <T> what has the deadlines
 */
public final class DeadlineQueue<T> {
    private static final int NOWHERE = -1;
    private static final int DUE = -2;

    private @Nullable Entry<T>[] heap = newHeap(8);
    private int size;
    private long sequences;
    private @Nullable Entry<T> firstDue;
    private @Nullable Entry<T> lastDue;
    private int count;

    /** Makes an empty queue. */
    public DeadlineQueue() {
    }

    /**
     * Adds an entry with a deadline, or gives it a new one; it is then behind those of the same
     * deadline, and not due.
     *
     * @param entry an entry of this queue, or of none
     * @param deadlineNanos the deadline
     */
    public void add(Entry<T> entry, long deadlineNanos) {
        makeRoomFor(entry);
        remove(entry);
        entry.deadlineNanos = deadlineNanos;
        entry.sequence = sequences++;
        count++;
        insert(entry);
    }

    /**
     * Removes an entry, due or not. Does nothing if it is in no queue.
     *
     * @param entry an entry of this queue, or of none
     */
    public void remove(Entry<T> entry) {
        if (entry.position == NOWHERE) {
            return;
        }
        if (entry.position == DUE) {
            unlinkDue(entry);
        } else {
            removeAt(entry.position);
        }
        entry.position = NOWHERE;
        count--;
    }

    /** {@return how many entries there are, due ones included} */
    public int size() {
        return count;
    }

    /** {@return the nearest deadline, due ones included, or {@link Long#MAX_VALUE}} */
    public long nearestNanos() {
        long inHeap = size == 0 ? Long.MAX_VALUE : at(0).deadlineNanos;
        Entry<T> due = firstDue;
        return due == null ? inHeap : Math.min(inHeap, due.deadlineNanos);
    }

    /**
     * Finds due what has a deadline that has passed, and puts back what was found due by a clock
     * that has been set back since.
     *
     * @param nowNanos the time
     */
    public void findDue(long nowNanos) {
        putBack(nowNanos);
        while (size > 0 && at(0).deadlineNanos <= nowNanos) {
            Entry<T> entry = at(0);
            removeAt(0);
            linkDue(entry);
        }
    }

    /**
     * Puts back what was found due by a clock that has been set back since; finds nothing due.
     *
     * @param nowNanos the time
     */
    public void putBack(long nowNanos) {
        for (Entry<T> entry = firstDue; entry != null; ) {
            Entry<T> next = entry.nextDue;
            if (entry.deadlineNanos > nowNanos) {
                unlinkDue(entry);
                insert(entry);
            }
            entry = next;
        }
    }

    /**
     * Removes the first of those found due.
     *
     * @return whose it was, or null
     */
    public @Nullable T takeDue() {
        Entry<T> entry = firstDue;
        if (entry == null) {
            return null;
        }
        remove(entry);
        return entry.owner;
    }

    /**
     * Looks at all entries, in no order.
     *
     * @param visitor told whose they are
     */
    public void forEach(Consumer<T> visitor) {
        for (int i = 0; i < size; i++) {
            visitor.accept(at(i).owner);
        }
        for (Entry<T> entry = firstDue; entry != null; entry = entry.nextDue) {
            visitor.accept(entry.owner);
        }
    }

    private void linkDue(Entry<T> entry) {
        Entry<T> last = lastDue;
        entry.position = DUE;
        entry.previousDue = last;
        if (last == null) {
            firstDue = entry;
        } else {
            last.nextDue = entry;
        }
        lastDue = entry;
    }

    private void unlinkDue(Entry<T> entry) {
        Entry<T> previous = entry.previousDue;
        Entry<T> next = entry.nextDue;
        if (previous == null) {
            firstDue = next;
        } else {
            previous.nextDue = next;
        }
        if (next == null) {
            lastDue = previous;
        } else {
            next.previousDue = previous;
        }
        entry.previousDue = null;
        entry.nextDue = null;
    }

    /** Before anything changes, and for the due ones too, which may be put back. */
    private void makeRoomFor(Entry<T> entry) {
        if (entry.position == NOWHERE && count == heap.length) {
            heap = Arrays.copyOf(heap, count * 2);
        }
    }

    private void insert(Entry<T> entry) {
        siftUp(size++, entry);
    }

    private void removeAt(int index) {
        Entry<T> last = at(--size);
        heap[size] = null;
        if (index == size) {
            return;
        }
        siftDown(index, last);
        if (last.position == index) {
            siftUp(index, last);
        }
    }

    private void siftUp(int from, Entry<T> entry) {
        int index = from;
        while (index > 0 && entry.isBefore(at((index - 1) / 2))) {
            place(index, at((index - 1) / 2));
            index = (index - 1) / 2;
        }
        place(index, entry);
    }

    private void siftDown(int from, Entry<T> entry) {
        int index = from;
        for (int child = 2 * index + 1; child < size; child = 2 * index + 1) {
            if (child + 1 < size && at(child + 1).isBefore(at(child))) {
                child++;
            }
            if (entry.isBefore(at(child))) {
                break;
            }
            place(index, at(child));
            index = child;
        }
        place(index, entry);
    }

    private void place(int index, Entry<T> entry) {
        heap[index] = entry;
        entry.position = index;
    }

    private Entry<T> at(int index) {
        return Objects.requireNonNull(heap[index]);
    }

    @SuppressWarnings("unchecked") // only entries of T are ever put in
    private static <T> @Nullable Entry<T>[] newHeap(int length) {
        return (Entry<T>[]) new Entry<?>[length];
    }

    /**
     * A place in the queue, used again and again.
     *
     * @param <T> what has the deadline
     */
    public static final class Entry<T> {
        private final T owner;
        private long deadlineNanos;

        /** When this was added, in order. */
        private long sequence;

        /** Position in the heap, or NOWHERE, or DUE. */
        private int position = NOWHERE;

        private @Nullable Entry<T> nextDue;
        private @Nullable Entry<T> previousDue;

        /**
         * An entry that is in no queue.
         *
         * @param owner whose it is; only kept, so it may be under construction
         */
        public Entry(T owner) {
            this.owner = owner;
        }

        /** {@return whether this is in a queue} */
        public boolean isQueued() {
            return position != NOWHERE;
        }

        /**
         * Whether this is in a queue and is due, or has no later deadline.
         *
         * @param otherNanos the deadline to compare with
         * @return true if adding it with the other one would only defer it
         */
        public boolean isQueuedBy(long otherNanos) {
            return position == DUE || (position != NOWHERE && deadlineNanos <= otherNanos);
        }

        /** {@return whether this has the nearest deadline of those not found due} */
        public boolean isFirst() {
            return position == 0;
        }

        private boolean isBefore(Entry<T> other) {
            return deadlineNanos != other.deadlineNanos
                    ? deadlineNanos < other.deadlineNanos : sequence < other.sequence;
        }
    }
}
