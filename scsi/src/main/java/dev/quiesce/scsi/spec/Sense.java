package dev.quiesce.scsi.spec;

import java.util.Objects;

/**
 * Why a command was not GOOD: sense key, additional sense code and its qualifier (section 5 of the
 * specification), with both encodings of sense data (SCSI-49), their decoding (SCSI-50) and the
 * rules that depend on nothing but the code.
 *
 * <p>The constants are the codes this device reports. Any thread; immutable. Encoding allocates
 * nothing.
 *
 * @param key the sense key, 0 to 15
 * @param asc the additional sense code, 0 to 255
 * @param ascq the additional sense code qualifier, 0 to 255
 */
public record Sense(int key, int asc, int ascq) {
    /** The length of fixed format sense data. */
    public static final int FIXED_LENGTH_BYTES = 18;
    /** The length of descriptor format sense data without descriptors. */
    public static final int DESCRIPTOR_LENGTH_BYTES = 8;
    /** The length of descriptor format sense data with an information descriptor. */
    public static final int DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES = 20;
    /** The most sense data that is ever stored for a request (SCSI-52). */
    public static final int STORED_LENGTH_BYTES_MAX = 252;
    /** The precedence of what is no unit attention: an empty slot (SCSI-33). */
    public static final int PRECEDENCE_NONE = Integer.MAX_VALUE;

    /** The sense key of a unit attention. */
    public static final int KEY_UNIT_ATTENTION = 0x6;

    /** Nothing to report (SENSE-1). */
    public static final Sense NO_SENSE = new Sense(0x0, 0x00, 0x00);
    /** Not ready, cause not reportable (SENSE-3). */
    public static final Sense NOT_READY_UNKNOWN_CAUSE = new Sense(0x2, 0x04, 0x00);
    /** Not ready, the unit was stopped and must be started. */
    public static final Sense NOT_READY_STOPPED = new Sense(0x2, 0x04, 0x02);
    /** Not ready, manual intervention required: the unit has no blocks (SENSE-2). */
    public static final Sense NOT_READY_NO_CAPACITY = new Sense(0x2, 0x04, 0x03);
    /** Not ready, a sanitize operation is in progress (SENSE-18). */
    public static final Sense SANITIZE_IN_PROGRESS = new Sense(0x2, 0x04, 0x1B);
    /** Not ready, medium not present (SENSE-4). */
    public static final Sense NO_MEDIUM = new Sense(0x2, 0x3A, 0x00);
    /** Not ready, medium not present, tray closed (SENSE-4). */
    public static final Sense NO_MEDIUM_TRAY_CLOSED = new Sense(0x2, 0x3A, 0x01);
    /** Not ready, medium not present, tray open (SENSE-4). */
    public static final Sense NO_MEDIUM_TRAY_OPEN = new Sense(0x2, 0x3A, 0x02);
    /** Not ready, medium removal prevented while there is none (SENSE-5). */
    public static final Sense NO_MEDIUM_REMOVAL_PREVENTED = new Sense(0x2, 0x53, 0x02);
    /** Unrecovered read error (SENSE-13). */
    public static final Sense READ_ERROR = new Sense(0x3, 0x11, 0x00);
    /** Write error (SENSE-20). */
    public static final Sense WRITE_ERROR = new Sense(0x3, 0x0C, 0x00);
    /** Sanitize command failed (SENSE-18). */
    public static final Sense SANITIZE_FAILED = new Sense(0x3, 0x31, 0x03);
    /** Internal target failure (SENSE-6). */
    public static final Sense TARGET_FAILURE = new Sense(0x4, 0x44, 0x00);
    /** Parameter list length error (SENSE-8). */
    public static final Sense LIST_LENGTH_ERROR = new Sense(0x5, 0x1A, 0x00);
    /** Invalid command operation code (SENSE-7). */
    public static final Sense INVALID_OPCODE = new Sense(0x5, 0x20, 0x00);
    /** Logical block address out of range (SENSE-7). */
    public static final Sense LBA_OUT_OF_RANGE = new Sense(0x5, 0x21, 0x00);
    /** Invalid field in CDB (SENSE-7). */
    public static final Sense INVALID_FIELD_IN_CDB = new Sense(0x5, 0x24, 0x00);
    /** Logical unit not supported (SENSE-8). */
    public static final Sense LUN_NOT_SUPPORTED = new Sense(0x5, 0x25, 0x00);
    /** Invalid field in parameter list (SENSE-8). */
    public static final Sense INVALID_FIELD_IN_LIST = new Sense(0x5, 0x26, 0x00);
    /** Invalid release of a persistent reservation (CMD-98). */
    public static final Sense INVALID_RELEASE = new Sense(0x5, 0x26, 0x04);
    /** Too many copy source or destination descriptors (SENSE-19). */
    public static final Sense COPY_TOO_MANY_TARGETS = new Sense(0x5, 0x26, 0x06);
    /** Unsupported copy source or destination descriptor (SENSE-19). */
    public static final Sense COPY_TARGET_UNSUPPORTED = new Sense(0x5, 0x26, 0x07);
    /** Too many segment descriptors (SENSE-19). */
    public static final Sense COPY_TOO_MANY_SEGMENTS = new Sense(0x5, 0x26, 0x08);
    /** Unsupported segment descriptor (SENSE-19). */
    public static final Sense COPY_SEGMENT_UNSUPPORTED = new Sense(0x5, 0x26, 0x09);
    /** Incompatible medium installed (SENSE-9). */
    public static final Sense INCOMPATIBLE_MEDIUM = new Sense(0x5, 0x30, 0x00);
    /** Saving parameters not supported (SENSE-9). */
    public static final Sense SAVING_NOT_SUPPORTED = new Sense(0x5, 0x39, 0x00);
    /** Invalid target port transfer tag (SENSE-9). */
    public static final Sense INVALID_TRANSFER_TAG = new Sense(0x5, 0x4B, 0x01);
    /** Medium removal prevented (SENSE-5). */
    public static final Sense REMOVAL_PREVENTED = new Sense(0x5, 0x53, 0x02);
    /** Unit attention: the medium may have changed (SENSE-16). */
    public static final Sense UA_MEDIUM_CHANGED = new Sense(0x6, 0x28, 0x00);
    /** Unit attention: power on, reset or bus device reset (SENSE-15). */
    public static final Sense UA_RESET = new Sense(0x6, 0x29, 0x00);
    /** Unit attention: power on. */
    public static final Sense UA_POWER_ON = new Sense(0x6, 0x29, 0x01);
    /** Unit attention: bus reset (SENSE-15). */
    public static final Sense UA_BUS_RESET = new Sense(0x6, 0x29, 0x02);
    /** Unit attention: target reset. */
    public static final Sense UA_TARGET_RESET = new Sense(0x6, 0x29, 0x03);
    /** Unit attention: device internal reset (SENSE-15). */
    public static final Sense UA_INTERNAL_RESET = new Sense(0x6, 0x29, 0x04);
    /** Unit attention: mode parameters changed (SENSE-17). */
    public static final Sense UA_MODE_CHANGED = new Sense(0x6, 0x2A, 0x01);
    /** Unit attention: reservations preempted (SENSE-17). */
    public static final Sense UA_RESERVATIONS_PREEMPTED = new Sense(0x6, 0x2A, 0x03);
    /** Unit attention: reservations released (SENSE-17). */
    public static final Sense UA_RESERVATIONS_RELEASED = new Sense(0x6, 0x2A, 0x04);
    /** Unit attention: registrations preempted (SENSE-17). */
    public static final Sense UA_REGISTRATIONS_PREEMPTED = new Sense(0x6, 0x2A, 0x05);
    /** Unit attention: the capacity has changed (SENSE-16). */
    public static final Sense UA_CAPACITY_CHANGED = new Sense(0x6, 0x2A, 0x09);
    /** Unit attention: the medium is gone (SENSE-16). */
    public static final Sense UA_NO_MEDIUM = new Sense(0x6, 0x3A, 0x00);
    /** Unit attention: the list of units has changed (SENSE-16). */
    public static final Sense UA_LUNS_CHANGED = new Sense(0x6, 0x3F, 0x0E);
    /** Write protected (SENSE-14). */
    public static final Sense WRITE_PROTECTED = new Sense(0x7, 0x27, 0x00);
    /** Write protected by hardware (SENSE-14). */
    public static final Sense HARDWARE_WRITE_PROTECTED = new Sense(0x7, 0x27, 0x01);
    /** Write protected by software: the SWP bit (SENSE-14). */
    public static final Sense SOFTWARE_WRITE_PROTECTED = new Sense(0x7, 0x27, 0x02);
    /** Space allocation failed, the host is out of space (SENSE-14). */
    public static final Sense SPACE_ALLOCATION_FAILED = new Sense(0x7, 0x27, 0x07);
    /** Copy aborted (SENSE-19). */
    public static final Sense COPY_ABORTED = new Sense(0xA, 0x00, 0x00);
    /** Copy aborted, a copy target is unreachable (SENSE-19). */
    public static final Sense COPY_TARGET_UNREACHABLE = new Sense(0xA, 0x08, 0x04);
    /** Copy aborted, a copy target is missing (SENSE-19). */
    public static final Sense COPY_TARGET_MISSING = new Sense(0xA, 0x0D, 0x02);
    /** I/O process terminated (SENSE-10). */
    public static final Sense IO_TERMINATED = new Sense(0xB, 0x00, 0x06);
    /** The unit does not respond to selection (SENSE-12). */
    public static final Sense LUN_NOT_RESPONDING = new Sense(0xB, 0x05, 0x00);
    /** Communication with the unit failed (SENSE-11). */
    public static final Sense LUN_COMMUNICATION_FAILURE = new Sense(0xB, 0x08, 0x00);
    /** I_T nexus loss (SENSE-11). */
    public static final Sense NEXUS_LOSS = new Sense(0xB, 0x29, 0x07);
    /** Command timeout (SENSE-12). */
    public static final Sense COMMAND_TIMEOUT = new Sense(0xB, 0x2E, 0x02);
    /** Commands cleared by device server (SENSE-12). */
    public static final Sense COMMANDS_CLEARED = new Sense(0xB, 0x2F, 0x02);
    /** Logical unit failure (SENSE-11). */
    public static final Sense LUN_FAILURE = new Sense(0xB, 0x3E, 0x01);
    /** Overlapped commands attempted (SENSE-11). */
    public static final Sense OVERLAPPED_COMMANDS = new Sense(0xB, 0x4E, 0x00);
    /** Miscompare during verify; INFORMATION is the offset of the first difference (SENSE-18). */
    public static final Sense MISCOMPARE = new Sense(0xE, 0x1D, 0x00);
    /** Miscompare with an unmapped block (SENSE-18). */
    public static final Sense MISCOMPARE_UNMAPPED = new Sense(0xE, 0x1D, 0x01);

    private static final int FORMAT_FIXED = 0x70;
    private static final int FORMAT_DESCRIPTOR = 0x72;
    private static final int FIXED_VALID = 0x80;
    private static final int INFORMATION_DESCRIPTOR_BYTES = 12;
    private static final int FIXED_DECODABLE_BYTES = 14;
    private static final int DESCRIPTOR_DECODABLE_BYTES = 4;
    private static final long NO_INFORMATION = -1;
    private static final int ASC_RESET = 0x29;
    private static final int ASC_COMMANDS_CLEARED = 0x2F;

    /**
     * Checks the ranges.
     *
     * @param key the sense key
     * @param asc the additional sense code
     * @param ascq the additional sense code qualifier
     * @throws IllegalArgumentException if a code does not fit its field
     */
    public Sense {
        if (key < 0 || key > 0xF || asc < 0 || asc > 0xFF || ascq < 0 || ascq > 0xFF) {
            throw new IllegalArgumentException("sense " + key + "/" + asc + "/" + ascq);
        }
    }

    /**
     * Decodes sense data of either format (SCSI-49, SCSI-50). Allocates.
     *
     * @param src sense data from index 0
     * @param length the number of valid bytes
     * @return the codes; {@link #IO_TERMINATED} if the data is too short to hold them
     * @throws IndexOutOfBoundsException if {@code length} is negative or exceeds the array
     */
    public static Sense decode(byte[] src, int length) {
        Objects.checkFromIndexSize(0, length, src.length);
        if (length == 0) {
            return IO_TERMINATED;
        }
        if (isDescriptorFormat(src)) {
            return length < DESCRIPTOR_DECODABLE_BYTES
                    ? IO_TERMINATED
                    : new Sense(src[1] & 0xF, src[2] & 0xFF, src[3] & 0xFF);
        }
        return length < FIXED_DECODABLE_BYTES
                ? IO_TERMINATED
                : new Sense(src[2] & 0xF, src[12] & 0xFF, src[13] & 0xFF);
    }

    /**
     * Converts sense data to the format wanted (SCSI-49). Data that has it already is copied
     * unchanged, cut after {@link #STORED_LENGTH_BYTES_MAX}; otherwise only the codes survive.
     * Nothing at all becomes {@link #NO_SENSE}.
     *
     * @param src sense data from index 0
     * @param length the number of valid bytes
     * @param descriptorFormat true for descriptor, false for fixed format
     * @param dst receives the data at index 0; must not be {@code src}
     * @return the length of the converted data
     * @throws IndexOutOfBoundsException if {@code length} is negative or exceeds {@code src}, or
     *     what is copied exceeds {@code dst}
     * @throws IllegalArgumentException if {@code dst} cannot hold an encoding
     */
    public static int convert(byte[] src, int length, boolean descriptorFormat, byte[] dst) {
        Objects.checkFromIndexSize(0, length, src.length);
        if (length == 0) {
            return NO_SENSE.encode(descriptorFormat, dst);
        }
        if (isDescriptorFormat(src) != descriptorFormat) {
            return decode(src, length).encode(descriptorFormat, dst);
        }
        int stored = Math.min(length, STORED_LENGTH_BYTES_MAX);
        System.arraycopy(src, 0, dst, 0, stored);
        return stored;
    }

    /**
     * Encodes in the format that D_SENSE of the Control mode page selects (SCSI-51).
     *
     * @param descriptorFormat true for descriptor, false for fixed format
     * @param dst receives the data at index 0
     * @return the length of the data
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encode(boolean descriptorFormat, byte[] dst) {
        return descriptorFormat ? encodeDescriptor(dst) : encodeFixed(dst);
    }

    /**
     * Encodes in the format wanted, with an INFORMATION field.
     *
     * @param descriptorFormat true for descriptor, false for fixed format
     * @param dst receives the data at index 0
     * @param information the value of the field, not negative
     * @return the length of the data
     * @throws IllegalArgumentException if the data does not fit or the information is negative
     */
    public int encode(boolean descriptorFormat, byte[] dst, long information) {
        return descriptorFormat
                ? encodeDescriptor(dst, information)
                : encodeFixed(dst, information);
    }

    /**
     * Encodes in fixed format, without INFORMATION.
     *
     * @param dst receives the data at index 0
     * @return {@link #FIXED_LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encodeFixed(byte[] dst) {
        return putFixed(dst, NO_INFORMATION);
    }

    /**
     * Encodes in fixed format with an INFORMATION field. A value that needs more than its four
     * bytes is left out, and VALID stays clear.
     *
     * @param dst receives the data at index 0
     * @param information the value of the field, not negative
     * @return {@link #FIXED_LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit or the information is negative
     */
    public int encodeFixed(byte[] dst, long information) {
        return putFixed(dst, requireInformation(information));
    }

    /**
     * Encodes in descriptor format, without descriptors.
     *
     * @param dst receives the data at index 0
     * @return {@link #DESCRIPTOR_LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encodeDescriptor(byte[] dst) {
        BigEndian.clear(dst, DESCRIPTOR_LENGTH_BYTES);
        putDescriptorHeader(dst);
        return DESCRIPTOR_LENGTH_BYTES;
    }

    /**
     * Encodes in descriptor format with an information descriptor.
     *
     * @param dst receives the data at index 0
     * @param information the value of the field, not negative
     * @return {@link #DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit or the information is negative
     */
    public int encodeDescriptor(byte[] dst, long information) {
        requireInformation(information);
        BigEndian.clear(dst, DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES);
        putDescriptorHeader(dst);
        BigEndian.put8(dst, 7, INFORMATION_DESCRIPTOR_BYTES);
        BigEndian.put8(dst, 9, INFORMATION_DESCRIPTOR_BYTES - 2);
        BigEndian.put8(dst, 10, FIXED_VALID);
        BigEndian.put64(dst, 12, information);
        return DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES;
    }

    /**
     * Whether this is a unit attention condition, something that happened to the unit rather than
     * to a command.
     *
     * @return true if the key is 6
     */
    public boolean isUnitAttention() {
        return key == KEY_UNIT_ATTENTION;
    }

    /**
     * The order in which unit attentions are reported: lower first (SCSI-33).
     *
     * @return the precedence, or {@link #PRECEDENCE_NONE} for what is no unit attention
     */
    public int precedence() {
        if (!isUnitAttention()) {
            return PRECEDENCE_NONE;
        }
        int code = asc << 8 | ascq;
        return switch (code) {
            case 0x2900 -> 0;
            case 0x2901, 0x2904 -> 1;
            case 0x2902, 0x3F01 -> 2;
            case 0x2903 -> 3;
            case 0x2907 -> 7;
            case 0x2F01 -> 8;
            default -> code;
        };
    }

    /**
     * Whether a pending unit attention makes another one superfluous (SCSI-34): a reset covers
     * every weaker reset or nexus loss, the clearing of commands, and the return of mode parameters
     * to their defaults. It does not cover a change of medium, capacity or the list of units, which
     * the initiator would otherwise never learn of. A condition subsumes itself.
     *
     * @param other the condition that may be dropped
     * @return true if reporting this one is enough
     */
    public boolean subsumes(Sense other) {
        if (equals(other)) {
            return isUnitAttention();
        }
        return isReset()
                && other.isUnitAttention()
                && precedence() < other.precedence()
                && (other.asc == ASC_RESET
                        || other.asc == ASC_COMMANDS_CLEARED
                        || other.equals(UA_MODE_CHANGED));
    }

    /**
     * Whether the guest is the one to deal with this error, so that the error policy of the host is
     * not asked (SENSE-29).
     *
     * @return true if the error is to be reported whatever the policy says
     */
    public boolean isGuestRecoverable() {
        return switch (key) {
            case 0x0, 0x1, 0x6, 0xB -> true;
            case 0x2, 0x5, 0x7 -> switch (asc << 8 | ascq) {
                case 0x1A00, 0x2000, 0x2400, 0x2500, 0x2600, 0x2104, 0x2105, 0x2106, 0x550E,
                        0x0401, 0x0402 -> true;
                default -> false;
            };
            default -> false;
        };
    }

    /** The codes as they are usually written, such as {@code 05/24/00}. */
    @Override
    public String toString() {
        return String.format("%02X/%02X/%02X", key, asc, ascq);
    }

    private boolean isReset() {
        return isUnitAttention() && asc == ASC_RESET && ascq <= 0x04;
    }

    private static boolean isDescriptorFormat(byte[] src) {
        return (src[0] & 0x02) != 0;
    }

    private static long requireInformation(long information) {
        if (information < 0) {
            throw new IllegalArgumentException("information " + information);
        }
        return information;
    }

    private int putFixed(byte[] dst, long information) {
        BigEndian.clear(dst, FIXED_LENGTH_BYTES);
        boolean valid = information >= 0 && information <= 0xFFFF_FFFFL;
        BigEndian.put8(dst, 0, valid ? FORMAT_FIXED | FIXED_VALID : FORMAT_FIXED);
        BigEndian.put8(dst, 2, key);
        BigEndian.put32(dst, 3, valid ? information : 0);
        BigEndian.put8(dst, 7, FIXED_LENGTH_BYTES - 8);
        BigEndian.put8(dst, 12, asc);
        BigEndian.put8(dst, 13, ascq);
        return FIXED_LENGTH_BYTES;
    }

    private void putDescriptorHeader(byte[] dst) {
        BigEndian.put8(dst, 0, FORMAT_DESCRIPTOR);
        BigEndian.put8(dst, 1, key);
        BigEndian.put8(dst, 2, asc);
        BigEndian.put8(dst, 3, ascq);
    }
}
