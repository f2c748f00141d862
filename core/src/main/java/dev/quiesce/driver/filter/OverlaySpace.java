package dev.quiesce.driver.filter;

import java.util.concurrent.atomic.AtomicLong;

/** The memory an overlay may take and has taken. Any thread. */
final class OverlaySpace {
    private final long maxBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    OverlaySpace(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Takes all of it or nothing. */
    boolean take(long bytes) {
        long used;
        do {
            used = usedBytes.get();
            if (bytes > maxBytes - used) {
                return false;
            }
            // Compare-and-set: two takers together must not pass the bound.
        } while (!usedBytes.compareAndSet(used, used + bytes));
        return true;
    }

    void giveBack(long bytes) {
        long left = usedBytes.addAndGet(-bytes);
        assert left >= 0 : "gave back more than was taken: " + left;
    }

    long used() {
        return usedBytes.get();
    }
}
