package dev.quiesce.scsi.spec;

/**
 * The eight-byte addresses of logical units: in virtio-scsi request headers and events (VSCSI-24,
 * VSCSI-42), and as the entries of REPORT LUNS (SCSI-46).
 *
 * <p>A virtio-scsi address is {1, target, LUN in two bytes, 0 0 0 0}, the LUN either in peripheral
 * form (first byte 0) or in flat form (first byte 40h to 7Fh). The REPORT LUNS well-known unit is
 * {C1h, 1, 0 0 0 0 0 0} (VSCSI-25).
 *
 * <p>A decoded address is an {@code int}, so that decoding allocates nothing. Any thread; no state.
 */
public final class LunAddress {
    /** The length of an address. */
    public static final int LENGTH_BYTES = 8;
    /** The highest LUN that the single-level form can name. */
    public static final int LUN_MAX = 0x3FFF;
    /** The highest target. */
    public static final int TARGET_MAX = 0xFF;
    /** Decoded: an address of a form that is not supported; there is no such device. */
    public static final int INVALID = -1;
    /** Decoded: the REPORT LUNS well-known unit. It has neither target nor LUN. */
    public static final int REPORT_LUNS_WELL_KNOWN = 1 << 24;

    private static final int VIRTIO_SINGLE_LEVEL = 0x01;
    private static final int FLAT = 0x40;
    private static final int FLAT_MASK = 0xC0;
    private static final int PERIPHERAL_LUNS = 256;
    private static final int WELL_KNOWN = 0xC101;
    private static final int TARGET_SHIFT = 16;

    private LunAddress() {
    }

    /**
     * Decodes a virtio-scsi address.
     *
     * @param src holds the address
     * @param offset where it starts
     * @return {@link #INVALID}, {@link #REPORT_LUNS_WELL_KNOWN}, or a value for {@link #target} and
     *     {@link #lun}
     * @throws IndexOutOfBoundsException if the array ends before the address does
     */
    public static int decode(byte[] src, int offset) {
        if (BigEndian.u32(src, offset + 4) != 0) {
            return INVALID;
        }
        int first = BigEndian.u16(src, offset);
        int second = BigEndian.u16(src, offset + 2);
        if (first == WELL_KNOWN) {
            return second == 0 ? REPORT_LUNS_WELL_KNOWN : INVALID;
        }
        int form = second >> 8;
        if (first >> 8 != VIRTIO_SINGLE_LEVEL || (form != 0 && (form & FLAT_MASK) != FLAT)) {
            return INVALID;
        }
        return (first & TARGET_MAX) << TARGET_SHIFT | (second & LUN_MAX);
    }

    /**
     * The target of a decoded address.
     *
     * @param decoded what {@link #decode} returned for a unit of a target
     * @return 0 to 255
     */
    public static int target(int decoded) {
        assert decoded >= 0 && decoded < REPORT_LUNS_WELL_KNOWN : decoded;
        return decoded >> TARGET_SHIFT;
    }

    /**
     * The LUN of a decoded address.
     *
     * @param decoded what {@link #decode} returned for a unit of a target
     * @return 0 to {@link #LUN_MAX}
     */
    public static int lun(int decoded) {
        assert decoded >= 0 && decoded < REPORT_LUNS_WELL_KNOWN : decoded;
        return decoded & LUN_MAX;
    }

    /**
     * Writes a virtio-scsi address: peripheral form below 256, flat form from there on (VSCSI-42).
     *
     * @param target 0 to 255
     * @param lun 0 to {@link #LUN_MAX}
     * @param dst receives the eight bytes
     * @param offset where they go
     * @throws IllegalArgumentException if target or LUN is out of range
     */
    public static void encode(int target, int lun, byte[] dst, int offset) {
        if (target < 0 || target > TARGET_MAX) {
            throw new IllegalArgumentException("target " + target);
        }
        int second = singleLevel(lun);
        BigEndian.put16(dst, offset, VIRTIO_SINGLE_LEVEL << 8 | target);
        BigEndian.put16(dst, offset + 2, second);
        BigEndian.put32(dst, offset + 4, 0);
    }

    /**
     * Writes the address of the REPORT LUNS well-known unit; REPORT LUNS lists it in the same form.
     *
     * @param dst receives the eight bytes
     * @param offset where they go
     */
    public static void encodeWellKnown(byte[] dst, int offset) {
        BigEndian.put64(dst, offset, (long) WELL_KNOWN << 48);
    }

    /**
     * Writes a LUN as REPORT LUNS lists it (SCSI-46).
     *
     * @param lun 0 to {@link #LUN_MAX}
     * @param dst receives the eight bytes
     * @param offset where they go
     * @throws IllegalArgumentException if the LUN is out of range
     */
    public static void encodeLun(int lun, byte[] dst, int offset) {
        BigEndian.put64(dst, offset, (long) singleLevel(lun) << 48);
    }

    private static int singleLevel(int lun) {
        if (lun < 0 || lun > LUN_MAX) {
            throw new IllegalArgumentException("lun " + lun);
        }
        return lun < PERIPHERAL_LUNS ? lun : FLAT << 8 | lun;
    }
}
