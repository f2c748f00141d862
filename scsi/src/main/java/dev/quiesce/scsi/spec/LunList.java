package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * The parameter data of REPORT LUNS (SCSI-46).
 *
 * <p>Any thread; no state. The caller takes its snapshot of the units first, so that hot-plug
 * cannot change the list between counting and filling (SBUG-35).
 */
public final class LunList {
    private static final int HEADER_BYTES = 8;
    private static final int ALLOCATION_BYTES_MIN = 16;
    private static final int SELECT_UNITS = 0;
    private static final int SELECT_WELL_KNOWN = 1;
    private static final int SELECT_ALL = 2;

    private LunList() {
    }

    /**
     * Checks the command: an allocation length below 16 or a SELECT REPORT above 2 is refused.
     *
     * @param reportLuns the command
     * @return null, or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public static @Nullable Sense check(Cdb reportLuns) {
        boolean valid = reportLuns.allocationLengthBytes() >= ALLOCATION_BYTES_MIN
                && reportLuns.u8(2) <= SELECT_ALL;
        return valid ? null : Sense.INVALID_FIELD_IN_CDB;
    }

    /**
     * Room that is enough for any selection from so many units.
     *
     * @param luns the number of units
     * @return the length in bytes, with LUN 0 and the well-known unit added
     */
    public static int lengthBytes(int luns) {
        return HEADER_BYTES + (luns + 2) * LunAddress.LENGTH_BYTES;
    }

    /**
     * Writes the list: LUN 0 first, whether it exists or not, then the units; and the well-known
     * unit where it is selected.
     *
     * @param selectReport byte 2 of the command: 0 units, 1 well-known units, 2 all
     * @param luns the existing units of the target in ascending order, from index 0
     * @param count how many there are
     * @param wellKnown whether the REPORT LUNS well-known unit is served
     * @param dst receives the data at index 0, {@link #lengthBytes} at most
     * @return the length of the data
     * @throws IllegalArgumentException if the room is too small or a LUN is out of range
     */
    public static int encode(
            int selectReport, int[] luns, int count, boolean wellKnown, byte[] dst) {
        BigEndian.clear(dst, lengthBytes(count));
        int at = HEADER_BYTES;
        if (selectReport == SELECT_UNITS || selectReport == SELECT_ALL) {
            LunAddress.encodeLun(0, dst, at);
            at += LunAddress.LENGTH_BYTES;
            for (int i = 0; i < count; i++) {
                if (luns[i] != 0) {
                    LunAddress.encodeLun(luns[i], dst, at);
                    at += LunAddress.LENGTH_BYTES;
                }
            }
        }
        if (wellKnown && (selectReport == SELECT_WELL_KNOWN || selectReport == SELECT_ALL)) {
            LunAddress.encodeWellKnown(dst, at);
            at += LunAddress.LENGTH_BYTES;
        }
        BigEndian.put32(dst, 0, at - HEADER_BYTES);
        return at;
    }
}
