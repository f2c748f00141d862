package dev.quiesce.virtio.memory;

/**
 * Guest memory failed under an access that was in order: it was asked for without a check, or an
 * embedder's memory could not keep what its map promised.
 *
 * <p>A virtqueue turns it into a fault value of the queue. Whoever touches guest memory outside a
 * virtqueue's operations (payload, headers) catches it, together with {@link InternalError}, at
 * the edge of the device's handler and breaks that device; it never reaches the embedder's CPU
 * loop.
 */
public final class GuestMemoryFault extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /**
     * A fault found by a check.
     *
     * @param message what was accessed, with its address
     */
    public GuestMemoryFault(String message) {
        super(message);
    }

    /**
     * A fault that something below reported.
     *
     * @param message what was accessed
     * @param cause what the access threw
     */
    public GuestMemoryFault(String message, Throwable cause) {
        super(message, cause);
    }
}
