package dev.quiesce.vhostuser;

/**
 * What a front end did wrong. Stays inside a session: it ends the connection, or becomes the
 * non-zero answer to one message.
 */
final class Violation extends Exception {
    private static final long serialVersionUID = 1L;

    /** Whether the stream cannot be trusted any more, so that no answer helps. */
    private final boolean fatal;

    private Violation(String message, boolean fatal) {
        super(message);
        this.fatal = fatal;
    }

    /** The framing itself is wrong. */
    static Violation ofStream(String message) {
        return new Violation(message, true);
    }

    /** One request cannot be granted. */
    static Violation ofRequest(String message) {
        return new Violation(message, false);
    }

    boolean isFatal() {
        return fatal;
    }
}
