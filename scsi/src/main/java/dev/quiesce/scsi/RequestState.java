package dev.quiesce.scsi;

/**
 * Where a request is in its life (SCSI-32). Changed in the request's home context only.
 *
 * <pre>
 * IDLE -> PREPARED -> LISTED &lt;-> INFLIGHT -> CANCELLING
 *            |  \        |          |           |
 *            |   HELD ---+--> IDLE <+-----------+
 *            +--------------> IDLE
 * </pre>
 */
enum RequestState {
    /** The adapter's: never used, or its answer was delivered. */
    IDLE,

    /** The adapter's: describes a command that no unit has seen; may be prepared anew. */
    PREPARED,

    /** On its unit's list, not started: the unit is being purged (VSCSI-38). */
    HELD,

    /** On its unit's list, started, with no work under way below the unit. */
    LISTED,

    /** On its unit's list, with work under way below the unit. */
    INFLIGHT,

    /** Cancelled while in flight: on the cancelling list until the work has come back (SCSI-54). */
    CANCELLING
}
