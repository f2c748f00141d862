package dev.quiesce.driver.memory;

/**
 * How a {@link MemoryDriver} keeps its bytes.
 *
 * @param lengthBytes how long it is; only chunks that were written take memory
 * @param chunkBytes the unit in which memory is taken, a power of two from 512 bytes to 1 GiB
 * @param direct whether chunks lie outside the Java heap
 */
public record MemoryConfig(long lengthBytes, int chunkBytes, boolean direct) {
    private static final int CHUNK_BYTES_MIN = 512;
    private static final int CHUNK_BYTES_MAX = 1 << 30;
    private static final int CHUNK_BYTES = 256 * 1024;
    private static final int CHUNKS_MAX = 1 << 26;

    /**
     * Checks every value.
     *
     * @param lengthBytes as the component
     * @param chunkBytes as the component
     * @param direct as the component
     * @throws IllegalArgumentException naming the value that is out of its range
     */
    public MemoryConfig {
        if (chunkBytes < CHUNK_BYTES_MIN || chunkBytes > CHUNK_BYTES_MAX
                || Integer.bitCount(chunkBytes) != 1) {
            throw new IllegalArgumentException(
                    "chunkBytes must be a power of two from 512 to 2^30: " + chunkBytes);
        }
        if (!canHold(lengthBytes, chunkBytes)) {
            throw new IllegalArgumentException("lengthBytes is negative, or too long for chunks of "
                    + chunkBytes + " bytes: " + lengthBytes);
        }
    }

    /** Whether so many bytes can be kept in the configured chunks. */
    boolean canHold(long bytes) {
        return canHold(bytes, chunkBytes);
    }

    private static boolean canHold(long bytes, int chunkBytes) {
        return bytes >= 0 && (bytes - 1) / chunkBytes < CHUNKS_MAX;
    }

    /**
     * Memory on the Java heap, in chunks of 256 KiB.
     *
     * @param lengthBytes how long it is
     * @return the configuration
     */
    public static MemoryConfig heap(long lengthBytes) {
        return new MemoryConfig(lengthBytes, CHUNK_BYTES, false);
    }

    /**
     * Memory outside the Java heap, in chunks of 256 KiB.
     *
     * @param lengthBytes how long it is
     * @return the configuration
     */
    public static MemoryConfig direct(long lengthBytes) {
        return new MemoryConfig(lengthBytes, CHUNK_BYTES, true);
    }
}
