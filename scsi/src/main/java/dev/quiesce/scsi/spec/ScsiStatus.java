package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * The status that ends a command (SENSE-30).
 *
 * <p>Any thread; a value.
 */
public enum ScsiStatus {
    /** The command succeeded. */
    GOOD(0x00),
    /** The command failed or was refused; sense data says why. */
    CHECK_CONDITION(0x02),
    /** The command succeeded and found its condition met (PRE-FETCH). */
    CONDITION_MET(0x04),
    /** The unit cannot take the command now. */
    BUSY(0x08),
    /** The command conflicts with another initiator's reservation. */
    RESERVATION_CONFLICT(0x18),
    /** The unit has no room for another command. */
    TASK_SET_FULL(0x28),
    /** An auto contingent allegiance is in effect. */
    ACA_ACTIVE(0x30),
    /** The command was aborted by another initiator. */
    TASK_ABORTED(0x40);

    private final int code;

    ScsiStatus(int code) {
        this.code = code;
    }

    /**
     * The byte on the wire.
     *
     * @return 0 to 255
     */
    public int code() {
        return code;
    }

    /**
     * Finds a status by its byte.
     *
     * @param code the byte on the wire
     * @return the status, or null if there is none with this code
     */
    public static @Nullable ScsiStatus of(int code) {
        for (ScsiStatus status : values()) {
            if (status.code == code) {
                return status;
            }
        }
        return null;
    }
}
