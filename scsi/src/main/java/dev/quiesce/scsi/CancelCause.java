package dev.quiesce.scsi;

/**
 * Why a request was cancelled. It travels with the cancel call, so that a command aborted on one
 * unit is never answered as if it had been reset because another unit happens to be resetting
 * (PURGE-12).
 */
public enum CancelCause {
    /** A task management function aborted the command. */
    ABORT,

    /** The logical unit was reset. */
    RESET,

    /** The logical unit was taken off its bus; the command did not run, or was cancelled. */
    REMOVED
}
