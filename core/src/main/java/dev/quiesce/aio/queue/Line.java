package dev.quiesce.aio.queue;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What waits for something, first in, first out. It takes no memory, so nothing is refused or lost
 * for want of it: each item has in itself the reference to the next. Not safe for threads: its user
 * has a lock, or a home context.
 *
 * @param <T> what waits
 */
public final class Line<T extends Linked> {
    private @Nullable T oldest;
    private @Nullable T newest;
    private int size;

    /** An empty line. Thread: any. */
    public Line() {
    }

    /**
     * Puts an item at the end.
     *
     * @param item the item; in no line
     * @throws IllegalStateException if it is in one
     */
    public void add(T item) {
        if (item.next != null) {
            throw new IllegalStateException(item + " is in a line already");
        }
        item.next = item;
        T last = newest;
        if (last == null) {
            oldest = item;
        } else {
            last.next = item;
        }
        newest = item;
        size++;
    }

    /** {@return the item that has waited longest, or null} */
    public @Nullable T peek() {
        return oldest;
    }

    /** {@return the item that has waited longest, which is then in no line, or null} */
    public @Nullable T poll() {
        T first = oldest;
        if (first != null) {
            unlink(null, first);
        }
        return first;
    }

    /**
     * Takes an item out, wherever it stands; a search.
     *
     * @param item an item that may be in this line
     * @return whether it was
     */
    public boolean remove(T item) {
        if (item.next == null) {
            return false;
        }
        T before = null;
        for (T each = oldest; each != null; each = after(each)) {
            if (each == item) {
                unlink(before, each);
                return true;
            }
            before = each;
        }
        return false;
    }

    /**
     * Does something with each item, the one first that has waited longest.
     *
     * @param action what to do; changes no line
     */
    public void forEach(Consumer<? super T> action) {
        for (T each = oldest; each != null; each = after(each)) {
            action.accept(each);
        }
    }

    /** {@return whether nothing waits} */
    public boolean isEmpty() {
        return oldest == null;
    }

    /** {@return how many wait} */
    public int size() {
        return size;
    }

    private void unlink(@Nullable T before, T item) {
        T after = after(item);
        if (before == null) {
            oldest = after;
        } else {
            before.next = after == null ? before : after;
        }
        if (after == null) {
            newest = before;
        }
        item.next = null;
        size--;
    }

    @SuppressWarnings("unchecked") // only those are linked who were added
    private static <T extends Linked> @Nullable T after(T item) {
        Linked next = item.next;
        return next == item ? null : (T) next;
    }
}
