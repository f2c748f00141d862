package dev.quiesce.block;

/**
 * Whom the outcome of a request concerns: the host's projection of a {@link BlockStatus}.
 * Immutable; any thread.
 */
public enum Severity {
    /** Nobody: it went well. */
    NONE,

    /** The submitter: it asked for what cannot be had. The operator need not know. */
    GUEST,

    /** The operator: the host failed to do what it should. */
    HOST
}
