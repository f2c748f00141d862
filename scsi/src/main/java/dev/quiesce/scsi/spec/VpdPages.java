package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * The vital product data pages of a logical unit (CMD-25 to CMD-28), and those of a target without
 * a unit at the addressed LUN (SCSI-47).
 *
 * <p>Every unit has 00h and 83h, one with a serial number 80h, and a disk B0h, B1h and B2h. Whether
 * UNMAP is supported is one flag, from which all pages and READ CAPACITY(16) are derived (CMD-28,
 * CMD-104). Any thread; immutable.
 *
 * @param deviceType the peripheral device type, 0 to 31
 * @param identity names and designators
 * @param limits the block limits; not null exactly for a disk
 * @param rotationRate medium rotation rate: 0 unknown, 1 no rotation, else 0401h to FFFEh per
 *     minute
 * @param thin whether the disk supports UNMAP and WRITE SAME with UNMAP
 * @param readsZeroes whether unmapped blocks read as zeroes
 */
public record VpdPages(
        int deviceType,
        DeviceIdentity identity,
        @Nullable BlockLimitsPage limits,
        int rotationRate,
        boolean thin,
        boolean readsZeroes) {
    /** Room that is enough for any page. */
    public static final int LENGTH_BYTES_MAX = 512;
    /**
     * Returned instead of a length: there is no such page, answer {@link
     * Sense#INVALID_FIELD_IN_CDB}.
     */
    public static final int UNSUPPORTED = -1;

    private static final int PAGE_LIST = 0x00;
    private static final int PAGE_SERIAL = 0x80;
    private static final int PAGE_DESIGNATORS = 0x83;
    private static final int PAGE_CHARACTERISTICS = 0xB1;
    private static final int PAGE_PROVISIONING = 0xB2;
    private static final int HEADER_BYTES = 4;
    private static final int CHARACTERISTICS_LENGTH_BYTES = 0x40;
    private static final int PROVISIONING_LENGTH_BYTES = 8;
    private static final int TYPE_TARGET = 0x3F;

    private static final int LBPU_LBPWS_LBPWS10 = 0xE0;
    private static final int LBPRZ_ZEROES = 0x04;
    private static final int PROVISIONING_THIN = 2;

    private static final int CODE_SET_BINARY = 0x01;
    private static final int CODE_SET_ASCII = 0x02;
    private static final int SAS = 0x60;
    private static final int UNIT_VENDOR_SPECIFIC = 0x00;
    private static final int UNIT_NAA = 0x03;
    private static final int PORT_NAA = 0x93;
    private static final int PORT_RELATIVE = 0x94;

    private static final int RATE_NONE_ROTATING = 1;
    private static final int RATE_MIN = 0x0401;
    private static final int RATE_MAX = 0xFFFE;

    /**
     * Checks the ranges.
     *
     * @param deviceType the peripheral device type
     * @param identity names and designators
     * @param limits the block limits
     * @param rotationRate medium rotation rate
     * @param thin whether the disk supports UNMAP and WRITE SAME with UNMAP
     * @param readsZeroes whether unmapped blocks read as zeroes
     * @throws IllegalArgumentException if the device type or the rotation rate is out of range, or
     *     if limits are given to what is no disk or missing from a disk
     */
    public VpdPages {
        if (deviceType < 0 || deviceType > 0x1F) {
            throw new IllegalArgumentException("deviceType " + deviceType);
        }
        if ((limits != null) != (deviceType == StandardInquiry.TYPE_DISK)) {
            throw new IllegalArgumentException("deviceType " + deviceType + ", limits " + limits);
        }
        if (!isRotationRate(rotationRate)) {
            throw new IllegalArgumentException("rotationRate " + rotationRate);
        }
    }

    /**
     * Whether a value may stand for a medium rotation rate. Any thread.
     *
     * @param value the value
     * @return true for 0 (not reported), 1 (does not rotate), and 0x401 to 0xFFFE revolutions per
     *     minute
     */
    public static boolean isRotationRate(int value) {
        return value == 0 || value == RATE_NONE_ROTATING
                || (value >= RATE_MIN && value <= RATE_MAX);
    }

    /**
     * Writes a page.
     *
     * @param pageCode the page wanted
     * @param dst receives the data at index 0, {@link #LENGTH_BYTES_MAX} at most
     * @return the length of the data, or {@link #UNSUPPORTED}
     * @throws IllegalArgumentException if the room is too small
     */
    public int encode(int pageCode, byte[] dst) {
        BigEndian.clear(dst, LENGTH_BYTES_MAX);
        int length = switch (pageCode) {
            case PAGE_LIST -> putList(dst);
            case PAGE_SERIAL -> putSerial(dst);
            case PAGE_DESIGNATORS -> putDesignators(dst);
            default -> limits == null ? UNSUPPORTED : putDiskPage(pageCode, limits, dst);
        };
        if (length != UNSUPPORTED) {
            putHeader(deviceType, pageCode, length, dst);
        }
        return length;
    }

    /**
     * Writes a page of a target for a LUN at which it has no unit: only the list of pages, which
     * names itself.
     *
     * @param pageCode the page wanted
     * @param dst receives the data at index 0
     * @return the length of the data, or {@link #UNSUPPORTED}
     * @throws IllegalArgumentException if the data does not fit
     */
    public static int encodeTarget(int pageCode, byte[] dst) {
        if (pageCode != PAGE_LIST) {
            return UNSUPPORTED;
        }
        int length = HEADER_BYTES + 1;
        BigEndian.clear(dst, length);
        putHeader(TYPE_TARGET, PAGE_LIST, length, dst);
        return length;
    }

    private static void putHeader(int type, int pageCode, int length, byte[] dst) {
        BigEndian.put8(dst, 0, type);
        BigEndian.put8(dst, 1, pageCode);
        BigEndian.put16(dst, 2, length - HEADER_BYTES);
    }

    private int putList(byte[] dst) {
        int at = HEADER_BYTES;
        BigEndian.put8(dst, at++, PAGE_LIST);
        if (identity.serial() != null) {
            BigEndian.put8(dst, at++, PAGE_SERIAL);
        }
        BigEndian.put8(dst, at++, PAGE_DESIGNATORS);
        if (limits != null) {
            BigEndian.put8(dst, at++, BlockLimitsPage.PAGE_CODE);
            BigEndian.put8(dst, at++, PAGE_CHARACTERISTICS);
            BigEndian.put8(dst, at++, PAGE_PROVISIONING);
        }
        return at;
    }

    private int putSerial(byte[] dst) {
        String serial = identity.serial();
        if (serial == null) {
            return UNSUPPORTED;
        }
        BigEndian.putAscii(dst, HEADER_BYTES, serial.length(), serial, ' ');
        return HEADER_BYTES + serial.length();
    }

    private int putDesignators(byte[] dst) {
        String text = identity.designator();
        int at = putDesignatorHeader(
                CODE_SET_ASCII, UNIT_VENDOR_SPECIFIC, text.length(), dst, HEADER_BYTES);
        BigEndian.putAscii(dst, at, text.length(), text, ' ');
        at += text.length();
        if (identity.naa() != 0) {
            at = putDesignatorHeader(CODE_SET_BINARY, UNIT_NAA, 8, dst, at);
            BigEndian.put64(dst, at, identity.naa());
            at += 8;
        }
        if (identity.portNaa() != 0) {
            at = putDesignatorHeader(SAS | CODE_SET_BINARY, PORT_NAA, 8, dst, at);
            BigEndian.put64(dst, at, identity.portNaa());
            at += 8;
        }
        if (identity.relativePort() != 0) {
            at = putDesignatorHeader(SAS | CODE_SET_BINARY, PORT_RELATIVE, 4, dst, at);
            BigEndian.put32(dst, at, identity.relativePort());
            at += 4;
        }
        return at;
    }

    private static int putDesignatorHeader(
            int codeSet, int type, int length, byte[] dst, int at) {
        BigEndian.put8(dst, at, codeSet);
        BigEndian.put8(dst, at + 1, type);
        BigEndian.put8(dst, at + 3, length);
        return at + 4;
    }

    private int putDiskPage(int pageCode, BlockLimitsPage blockLimits, byte[] dst) {
        switch (pageCode) {
            case BlockLimitsPage.PAGE_CODE -> {
                return blockLimits.encode(dst);
            }
            case PAGE_CHARACTERISTICS -> {
                BigEndian.put16(dst, 4, rotationRate);
                return CHARACTERISTICS_LENGTH_BYTES;
            }
            case PAGE_PROVISIONING -> {
                int zeroes = readsZeroes ? LBPRZ_ZEROES : 0;
                BigEndian.put8(dst, 5, thin ? LBPU_LBPWS_LBPWS10 | zeroes : 0);
                BigEndian.put8(dst, 6, thin ? PROVISIONING_THIN : 0);
                return PROVISIONING_LENGTH_BYTES;
            }
            default -> {
                return UNSUPPORTED;
            }
        }
    }
}
