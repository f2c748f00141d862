package dev.quiesce.testkit.guest;

/**
 * How a driver runs one queue.
 *
 * @param size number of entries, a power of two from 1 to 32768
 * @param indirect whether chains of several buffers go through an indirect table
 * @param eventIdx whether notifications go by event index; both as negotiated
 */
public record DriverQueueConfig(int size, boolean indirect, boolean eventIdx) {

    /**
     * Checks the size.
     *
     * @param size number of entries, a power of two from 1 to 32768
     * @param indirect whether chains of several buffers go through an indirect table
     * @param eventIdx whether notifications go by event index; both as negotiated
     * @throws IllegalArgumentException if no ring has such a size
     */
    public DriverQueueConfig {
        if (size < 1 || size > 32768 || Integer.bitCount(size) != 1) {
            throw new IllegalArgumentException("a ring of " + size + " entries");
        }
    }
}
