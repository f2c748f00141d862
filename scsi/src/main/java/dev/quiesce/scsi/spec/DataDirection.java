package dev.quiesce.scsi.spec;

/**
 * Which way the data phase of a command goes, seen from the device (CMD-4).
 *
 * <p>Any thread; a value.
 */
public enum DataDirection {
    /** The command has no data phase. That does not mean that there is nothing to do (CMD-38a). */
    NONE,
    /** Data-in: the device sends, the initiator's memory is written. */
    FROM_DEVICE,
    /** Data-out: the initiator sends, its memory is read. */
    TO_DEVICE
}
