package dev.quiesce.examples.daemon.option;

/** Somebody asked for what there is not; the message is for him, and one line. */
public final class WrongOptionException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /**
     * A complaint.
     *
     * @param message names the parameter, the value and what is allowed
     */
    public WrongOptionException(String message) {
        super(message);
    }
}
