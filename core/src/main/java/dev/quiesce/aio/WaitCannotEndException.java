package dev.quiesce.aio;

/**
 * Thrown by a wait that could never end, with what holds it up and where. The wait changed
 * nothing; whoever began something for its sake takes that back.
 */
public final class WaitCannotEndException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message who waits for what, and why it cannot happen
     */
    public WaitCannotEndException(String message) {
        super(message);
    }
}
