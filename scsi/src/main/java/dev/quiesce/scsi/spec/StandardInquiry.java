package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * Standard INQUIRY data of a logical unit (CMD-22 to CMD-24), and of a target that has no unit at
 * the addressed LUN (SCSI-47).
 *
 * <p>The data does not depend on the allocation length: it always is {@link #LENGTH_BYTES} long and
 * says so. Any thread; immutable.
 *
 * @param deviceType the peripheral device type, 0 to 31
 * @param removable whether the medium can be removed
 * @param commandQueueing whether the bus queues commands (SCSI-1)
 * @param version the claimed version of SPC, 4 to 6
 * @param identity the names
 */
public record StandardInquiry(
        int deviceType,
        boolean removable,
        boolean commandQueueing,
        int version,
        DeviceIdentity identity) {
    /** The device type of a disk. */
    public static final int TYPE_DISK = 0x00;
    /** The device type of a CD or DVD drive. */
    public static final int TYPE_CD = 0x05;
    /** The device type of a well-known logical unit (VSCSI-25). */
    public static final int TYPE_WELL_KNOWN = 0x1E;
    /** Claims SPC-3, the default (CMD-23). */
    public static final int VERSION_SPC3 = 5;
    /** Claims SPC-4. */
    public static final int VERSION_SPC4 = 6;
    /** The length of a unit's data. */
    public static final int LENGTH_BYTES = 96;
    /** The length of a target's data (SCSI-47). */
    public static final int TARGET_LENGTH_BYTES = 36;

    private static final int VERSION_SPC2 = 4;
    private static final int TYPE_MAX = 0x1F;
    private static final int REMOVABLE = 0x80;
    private static final int RESPONSE_FORMAT = 0x12;
    private static final int SYNCHRONOUS = 0x10;
    private static final int COMMAND_QUEUEING = 0x02;
    private static final int NO_UNIT_POSSIBLE = 0x7F;
    private static final int NO_UNIT_CONNECTED = 0x3F;
    private static final int DESCRIPTORS_AT = 58;
    private static final int DESCRIPTOR_SAM5 = 0x00A0;
    private static final int DESCRIPTOR_SPC4 = 0x0460;
    private static final int DESCRIPTOR_SBC3 = 0x04C0;
    private static final int EVPD = 0x01;
    private static final int CMDDT = 0x02;

    /**
     * Checks the ranges.
     *
     * @param deviceType the peripheral device type
     * @param removable whether the medium can be removed
     * @param commandQueueing whether the bus queues commands (SCSI-1)
     * @param version the claimed version of SPC
     * @param identity the names
     * @throws IllegalArgumentException if device type or version is out of range
     */
    public StandardInquiry {
        if (deviceType < 0 || deviceType > TYPE_MAX) {
            throw new IllegalArgumentException("deviceType " + deviceType);
        }
        if (version < VERSION_SPC2 || version > VERSION_SPC4) {
            throw new IllegalArgumentException("version " + version);
        }
    }

    /**
     * Checks the command: CMDDT is obsolete, and a page code needs EVPD (CMD-22, SCSI-47).
     *
     * @param inquiry the command
     * @return null, or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public static @Nullable Sense check(Cdb inquiry) {
        boolean invalid = (inquiry.u8(1) & CMDDT) != 0
                || (!isVpd(inquiry) && pageCode(inquiry) != 0);
        return invalid ? Sense.INVALID_FIELD_IN_CDB : null;
    }

    /**
     * Whether the command asks for a vital product data page rather than standard data.
     *
     * @param inquiry the command
     * @return its EVPD bit
     */
    public static boolean isVpd(Cdb inquiry) {
        return (inquiry.u8(1) & EVPD) != 0;
    }

    /**
     * The page that the command asks for.
     *
     * @param inquiry the command
     * @return its page code, 0 to 255
     */
    public static int pageCode(Cdb inquiry) {
        return inquiry.u8(2);
    }

    /**
     * Writes the data of the unit.
     *
     * @param dst receives the data at index 0
     * @return {@link #LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encode(byte[] dst) {
        BigEndian.clear(dst, LENGTH_BYTES);
        BigEndian.put8(dst, 0, deviceType);
        BigEndian.put8(dst, 1, removable ? REMOVABLE : 0);
        putCommon(version, LENGTH_BYTES, commandQueueing, dst);
        putNames(identity, dst);
        BigEndian.put16(dst, DESCRIPTORS_AT, DESCRIPTOR_SAM5);
        BigEndian.put16(dst, DESCRIPTORS_AT + 2, DESCRIPTOR_SPC4);
        BigEndian.put16(dst, DESCRIPTORS_AT + 4, deviceType == TYPE_DISK ? DESCRIPTOR_SBC3 : 0);
        return LENGTH_BYTES;
    }

    /**
     * Writes the data of a target for a LUN at which it has no unit: LUN 0 could have one, others
     * could not (SCSI-47).
     *
     * @param absentLun the addressed LUN
     * @param commandQueueing whether the bus queues commands
     * @param target the names to answer with for LUN 0
     * @param dst receives the data at index 0
     * @return {@link #TARGET_LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public static int encodeTarget(
            int absentLun, boolean commandQueueing, DeviceIdentity target, byte[] dst) {
        BigEndian.clear(dst, TARGET_LENGTH_BYTES);
        if (absentLun != 0) {
            BigEndian.put8(dst, 0, NO_UNIT_POSSIBLE);
            return TARGET_LENGTH_BYTES;
        }
        BigEndian.put8(dst, 0, NO_UNIT_CONNECTED);
        putCommon(VERSION_SPC3, TARGET_LENGTH_BYTES, commandQueueing, dst);
        putNames(target, dst);
        return TARGET_LENGTH_BYTES;
    }

    private static void putCommon(
            int version, int lengthBytes, boolean commandQueueing, byte[] dst) {
        BigEndian.put8(dst, 2, version);
        BigEndian.put8(dst, 3, RESPONSE_FORMAT);
        BigEndian.put8(dst, 4, lengthBytes - 5);
        BigEndian.put8(dst, 7, SYNCHRONOUS | (commandQueueing ? COMMAND_QUEUEING : 0));
    }

    private static void putNames(DeviceIdentity identity, byte[] dst) {
        BigEndian.putAscii(dst, 8, DeviceIdentity.VENDOR_LENGTH, identity.vendor(), ' ');
        BigEndian.putAscii(dst, 16, DeviceIdentity.PRODUCT_LENGTH, identity.product(), ' ');
        BigEndian.putAscii(dst, 32, DeviceIdentity.REVISION_LENGTH, identity.revision(), '\0');
    }
}
