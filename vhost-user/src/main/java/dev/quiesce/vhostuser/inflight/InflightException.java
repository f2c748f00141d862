package dev.quiesce.vhostuser.inflight;

/** A buffer that no back end has left so. The message names what is wrong with it. */
public final class InflightException extends Exception {
    private static final long serialVersionUID = 1L;

    InflightException(String message) {
        super(message);
    }

    InflightException(String message, Throwable cause) {
        super(message, cause);
    }
}
