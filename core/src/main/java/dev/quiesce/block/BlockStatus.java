package dev.quiesce.block;

/**
 * How a block request ended. A status is a value, never an exception; what caused it, if the host
 * knows, is {@code BlockRequest.cause()}. Immutable; any thread.
 */
public enum BlockStatus {
    /** Done, wholly. */
    OK(Severity.NONE),

    /** The host failed to read, write or flush. A failed write may have been applied in part. */
    IO_ERROR(Severity.HOST),

    /** No room was left for the data. A failed write may have been applied in part. */
    NO_SPACE(Severity.HOST),

    /** Nothing is inserted. */
    NO_MEDIUM(Severity.GUEST),

    /** A modifying request met a read-only node. */
    READ_ONLY(Severity.GUEST),

    /** The range is outside the node, or misaligned. */
    INVALID(Severity.GUEST),

    /** The node cannot do this operation; nothing was changed. */
    NOT_SUPPORTED(Severity.GUEST),

    /** Cancelled by its submitter. A cancelled write may have been applied in part. */
    CANCELLED(Severity.GUEST),

    /** It would have had to wait, and was asked not to. */
    BUSY(Severity.GUEST);

    private final Severity severity;

    BlockStatus(Severity severity) {
        this.severity = severity;
    }

    /**
     * Whether the request did all it was asked to.
     *
     * @return true for {@link #OK} only
     */
    public boolean isOk() {
        return this == OK;
    }

    /**
     * Whom this outcome concerns.
     *
     * @return the severity as the host sees it
     */
    public Severity severity() {
        return severity;
    }
}
