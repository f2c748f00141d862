package dev.quiesce.examples.daemon.machine;

/** A device was named that is not there. */
public final class NoSuchDeviceException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    NoSuchDeviceException(String message) {
        super(message);
    }
}
