package dev.quiesce.block;

/**
 * Makes a failure of memory show where the memory was touched. Memory of another process may go
 * away under a copy, and some JVMs report that later, in whatever the thread does then; an {@link
 * IoVector} that refers to such memory asks after each of its copies.
 */
@FunctionalInterface
public interface LateFaults {
    /**
     * Throws an {@link InternalError} if an earlier access of this thread failed and nobody was
     * told. Any thread; must be cheap.
     */
    void surface();
}
