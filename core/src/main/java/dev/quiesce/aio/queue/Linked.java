package dev.quiesce.aio.queue;

import org.jspecify.annotations.Nullable;

/** What can stand in a {@link Line}, one at a time: it has the place for that within itself. */
public abstract class Linked {
    /** Who comes next in the line, the last one itself; null in none. Guarded as the line is. */
    @Nullable Linked next;

    /** Something that stands in no line. Thread: any. */
    protected Linked() {
    }
}
