package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * What the transport or the host, rather than the unit, has to say about a failed command
 * (SENSE-31), and how that looks as SCSI status and sense to an adapter that has no words of its
 * own for it (SENSE-32, SCSI-24).
 *
 * <p>Any thread; a value.
 */
public enum HostStatus {
    /** Nothing to report. */
    OK(0x00),
    /** There is no such unit. */
    NO_LUN(0x01),
    /** The host is busy. */
    BUSY(0x02),
    /** The command took too long. */
    TIMEOUT(0x03),
    /** The answer made no sense. */
    BAD_RESPONSE(0x04),
    /** The command was aborted. */
    ABORTED(0x05),
    /** The command failed in the host. */
    ERROR(0x07),
    /** The command fell to a reset. */
    RESET(0x08),
    /** The connection was lost. */
    TRANSPORT_DISRUPTED(0x0E),
    /** The target failed. */
    TARGET_FAILURE(0x10),
    /** A reservation is in the way. */
    RESERVATION_ERROR(0x11),
    /** The host ran out of space. */
    ALLOCATION_FAILURE(0x12),
    /** The medium is bad. */
    MEDIUM_ERROR(0x13);

    private final int code;

    HostStatus(int code) {
        this.code = code;
    }

    /**
     * Finds a host status by its number.
     *
     * @param code the number
     * @return the status; {@link #ERROR} if there is none with this number
     */
    public static HostStatus of(int code) {
        for (HostStatus status : values()) {
            if (status.code == code) {
                return status;
            }
        }
        return ERROR;
    }

    /**
     * The number under which this status is saved and transported.
     *
     * @return the number
     */
    public int code() {
        return code;
    }

    /**
     * The SCSI status that says the same.
     *
     * @return {@link ScsiStatus#GOOD} for {@link #OK} only
     */
    public ScsiStatus status() {
        return switch (this) {
            case OK -> ScsiStatus.GOOD;
            case BUSY -> ScsiStatus.BUSY;
            case RESERVATION_ERROR -> ScsiStatus.RESERVATION_CONFLICT;
            default -> ScsiStatus.CHECK_CONDITION;
        };
    }

    /**
     * The sense data that goes with {@link #status}.
     *
     * @return the sense, or null unless the status is {@link ScsiStatus#CHECK_CONDITION}
     */
    public @Nullable Sense sense() {
        return switch (this) {
            case OK, BUSY, RESERVATION_ERROR -> null;
            case NO_LUN -> Sense.LUN_NOT_RESPONDING;
            case TIMEOUT -> Sense.COMMAND_TIMEOUT;
            case BAD_RESPONSE -> Sense.LUN_COMMUNICATION_FAILURE;
            case ABORTED -> Sense.COMMANDS_CLEARED;
            case RESET -> Sense.UA_RESET;
            case TRANSPORT_DISRUPTED -> Sense.NEXUS_LOSS;
            case ERROR, TARGET_FAILURE -> Sense.TARGET_FAILURE;
            case ALLOCATION_FAILURE -> Sense.SPACE_ALLOCATION_FAILED;
            case MEDIUM_ERROR -> Sense.READ_ERROR;
        };
    }
}
