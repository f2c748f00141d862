package dev.quiesce.graph;

/**
 * A change of the block layer was refused, and nothing has moved (CTX-9).
 *
 * <p>The message names the operation, the party that refused, and why. It is thrown by control
 * operations and completes their asynchronous forms; it never reaches a guest.
 */
public final class BlockLayerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * A refusal.
     *
     * @param message what was refused, by whom, and why
     */
    public BlockLayerException(String message) {
        super(message);
    }
}
