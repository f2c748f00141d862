package dev.quiesce.virtio.scsi;

/** Response codes of virtio-scsi (VSCSI-23); the numbers travel on the wire. */
final class ResponseCode {
    /** The command was executed, or the task management function is complete. */
    static final int OK = 0;
    /** The buffers do not fit the command. */
    static final int OVERRUN = 1;
    /** The command was cancelled by a task management function. */
    static final int ABORTED = 2;
    /** Nothing answers at this address. */
    static final int BAD_TARGET = 3;
    /** The command was cancelled by a reset. */
    static final int RESET = 4;
    /** The request was not understood. */
    static final int FAILURE = 9;
    /** Query functions: the task exists. */
    static final int FUNCTION_SUCCEEDED = 10;
    /** The function is not supported. */
    static final int FUNCTION_REJECTED = 11;
    /** The target exists, the logical unit does not. */
    static final int INCORRECT_LUN = 12;

    private ResponseCode() {
    }
}
