package dev.quiesce.driver;

/**
 * Work that a driver does on its own account: while it is open the node counts as busy, and a
 * drained section waits for it. Never kept open while waiting for a request that could park.
 */
public interface Background extends AutoCloseable {
    /**
     * Ends the work. Called exactly once.
     *
     * <p>Thread: any.
     */
    @Override
    void close();
}
