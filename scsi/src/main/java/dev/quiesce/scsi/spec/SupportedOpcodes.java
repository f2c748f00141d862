package dev.quiesce.scsi.spec;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameter data of REPORT SUPPORTED OPERATION CODES, made from the table of commands and the
 * set of those that a unit executes (CMD-87).
 *
 * <p>Any thread; immutable.
 */
public final class SupportedOpcodes {
    private static final int REPORT_ALL = 0;
    private static final int REPORT_OPCODE = 1;
    private static final int REPORT_SERVICE_ACTION = 2;
    private static final int REPORT_EITHER = 3;
    private static final int ALL_HEADER_BYTES = 4;
    private static final int DESCRIPTOR_BYTES = 8;
    private static final int TIMEOUTS_BYTES = 12;
    private static final int CTDP = 0x02;
    private static final int SERVACTV = 0x01;
    private static final int ONE_HEADER_BYTES = 4;
    private static final int ONE_CTDP = 0x80;
    private static final int SUPPORT_NO = 1;
    private static final int SUPPORT_STANDARD = 3;
    private static final int UNMAP_BIT = 0x08;

    private final List<CdbFormat> supported;
    private final boolean dpoFua;
    private final boolean thin;

    /**
     * Describes a unit.
     *
     * @param supported the commands it executes
     * @param dpoFua whether it honours DPO and FUA, as advertised in MODE SENSE (CMD-90)
     * @param thin whether it honours the UNMAP bit of WRITE SAME (CMD-104)
     * @throws IllegalArgumentException if a row stands for an unknown opcode or for any service
     *     action; such a row cannot be reported
     */
    public SupportedOpcodes(Set<CdbFormat> supported, boolean dpoFua, boolean thin) {
        List<CdbFormat> sorted = new ArrayList<>(supported);
        for (CdbFormat format : sorted) {
            if (format == CdbFormat.UNKNOWN
                    || (format.hasServiceAction() && format.serviceAction() < 0)) {
                throw new IllegalArgumentException(format + " names no single command");
            }
        }
        sorted.sort(Comparator.comparingInt(CdbFormat::opcode)
                .thenComparingInt(CdbFormat::serviceAction));
        this.supported = List.copyOf(sorted);
        this.dpoFua = dpoFua;
        this.thin = thin;
    }

    /**
     * Checks the command: unknown reporting options, an opcode alone where it has service actions,
     * or a service action where the opcode has none, are refused.
     *
     * @param rsoc the command
     * @return null, or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public @Nullable Sense check(Cdb rsoc) {
        boolean valid = switch (options(rsoc)) {
            case REPORT_ALL, REPORT_EITHER -> true;
            case REPORT_OPCODE -> !isSupported(rsoc.u8(3), true);
            case REPORT_SERVICE_ACTION -> !isSupported(rsoc.u8(3), false);
            default -> false;
        };
        return valid ? null : Sense.INVALID_FIELD_IN_CDB;
    }

    /**
     * Room that is enough for any report.
     *
     * @return the length in bytes
     */
    public int lengthBytesMax() {
        int all = ALL_HEADER_BYTES + supported.size() * (DESCRIPTOR_BYTES + TIMEOUTS_BYTES);
        return Math.max(all, ONE_HEADER_BYTES + Cdb.LENGTH_BYTES_MAX + TIMEOUTS_BYTES);
    }

    /**
     * Writes the report that a command which passed {@link #check} asks for.
     *
     * @param rsoc the command
     * @param dst receives the data at index 0, {@link #lengthBytesMax} at most
     * @return the length of the data
     * @throws IllegalArgumentException if the room is too small
     */
    public int encode(Cdb rsoc, byte[] dst) {
        BigEndian.clear(dst, lengthBytesMax());
        boolean timeouts = (rsoc.u8(2) & 0x80) != 0;
        if (options(rsoc) == REPORT_ALL) {
            return encodeAll(timeouts, dst);
        }
        return encodeOne(find(rsoc), timeouts, dst);
    }

    private int encodeAll(boolean timeouts, byte[] dst) {
        int at = ALL_HEADER_BYTES;
        for (CdbFormat format : supported) {
            BigEndian.put8(dst, at, format.opcode());
            BigEndian.put16(dst, at + 2, Math.max(format.serviceAction(), 0));
            int flags = (timeouts ? CTDP : 0) | (format.hasServiceAction() ? SERVACTV : 0);
            BigEndian.put8(dst, at + 5, flags);
            BigEndian.put16(dst, at + 6, format.lengthBytes());
            at += DESCRIPTOR_BYTES;
            at += timeouts ? putTimeouts(dst, at) : 0;
        }
        BigEndian.put32(dst, 0, at - ALL_HEADER_BYTES);
        return at;
    }

    private int encodeOne(@Nullable CdbFormat format, boolean timeouts, byte[] dst) {
        if (format == null) {
            BigEndian.put8(dst, 1, SUPPORT_NO);
            return ONE_HEADER_BYTES;
        }
        byte[] usage = format.usage();
        usage[1] &= (byte) ~unusedOptions(format);
        BigEndian.put8(dst, 1, SUPPORT_STANDARD | (timeouts ? ONE_CTDP : 0));
        BigEndian.put16(dst, 2, usage.length);
        System.arraycopy(usage, 0, dst, ONE_HEADER_BYTES, usage.length);
        int at = ONE_HEADER_BYTES + usage.length;
        return at + (timeouts ? putTimeouts(dst, at) : 0);
    }

    /** No time is promised: nominal and recommended timeout stay zero. */
    private static int putTimeouts(byte[] dst, int at) {
        BigEndian.put16(dst, at, TIMEOUTS_BYTES - 2);
        return TIMEOUTS_BYTES;
    }

    private int unusedOptions(CdbFormat format) {
        int unused = dpoFua ? 0 : format.options() & (CdbFormat.DPO | CdbFormat.FUA);
        boolean writeSame =
                format == CdbFormat.WRITE_SAME_10 || format == CdbFormat.WRITE_SAME_16;
        return writeSame && !thin ? unused | UNMAP_BIT : unused;
    }

    private @Nullable CdbFormat find(Cdb rsoc) {
        int serviceAction = rsoc.u8(4) << 8 | rsoc.u8(5);
        boolean any = options(rsoc) == REPORT_OPCODE;
        for (CdbFormat format : supported) {
            if (format.opcode() == rsoc.u8(3)
                    && (any || Math.max(format.serviceAction(), 0) == serviceAction)) {
                return format;
            }
        }
        return null;
    }

    private boolean isSupported(int opcode, boolean withServiceAction) {
        for (CdbFormat format : supported) {
            if (format.opcode() == opcode && format.hasServiceAction() == withServiceAction) {
                return true;
            }
        }
        return false;
    }

    private static int options(Cdb rsoc) {
        return rsoc.u8(2) & 0x07;
    }
}
