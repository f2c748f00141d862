package dev.quiesce.aio;

/**
 * The right to run an {@link AioContext}: as long as a thread holds it, that thread is the
 * context's home. Leases of one context nest; they are closed in reverse order.
 */
public interface Lease extends AutoCloseable {
    /**
     * Gives the lease back. Closing the outermost one makes everything this thread did in the
     * context visible to the next owner. Thread: home context.
     *
     * @throws IllegalStateException if the caller does not own the context, if a later lease is
     *     still open, or if the outermost lease is closed inside a poll
     */
    @Override
    void close();
}
