package dev.quiesce.scsi.spec;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One command descriptor block, parsed: the re-usable view of a request on the command it carries
 * (CMD-1 to CMD-5).
 *
 * <p>{@link #parse} copies the bytes, so that a guest which rewrites its memory changes nothing,
 * and derives everything once. All arithmetic is 64-bit (CMD-16). Accessors of fields that the
 * command does not have return zero or false. Before the first parse, and after a refused one, the
 * view shows {@link CdbFormat#UNKNOWN} without a data phase.
 *
 * <p><b>Threads.</b> Confined to the home context of the request that owns it; not checked here,
 * because the view knows no context. No method allocates or throws on anything a guest can send.
 */
public final class Cdb {
    /** The most bytes of a CDB that are looked at; longer forms are not supported (CMD-1). */
    public static final int LENGTH_BYTES_MAX = 16;
    /** The longest data phase that is executed: 2^31 - 1 bytes (SCSI-14). */
    public static final long TRANSFER_BYTES_MAX = Integer.MAX_VALUE;

    private static final int SERVICE_ACTION_MASK = 0x1F;
    private static final int GET_CONFIGURATION = 0x46;
    private static final int GET_EVENT_STATUS_NOTIFICATION = 0x4A;

    private final byte[] bytes = new byte[LENGTH_BYTES_MAX];
    private CdbFormat format = CdbFormat.UNKNOWN;
    private int lengthBytes;
    private DataDirection direction = DataDirection.NONE;
    private long lba;
    private long count;
    private long transferBytes;

    /** Creates a view that shows nothing yet. Any thread. */
    public Cdb() {
    }

    /**
     * Parses a command; the previous one is forgotten in any case.
     *
     * @param src holds the CDB at index 0; copied
     * @param length how many bytes the initiator supplied; what exceeds the command's own length is
     *     ignored
     * @param blockSizeBytes the unit's logical block size, from which the data phase is computed
     * @return null if the command may be executed; {@link Sense#INVALID_OPCODE} if it is empty,
     *     shorter than its opcode's group demands or of group 3, 6 or 7 (CMD-1), the view then is
     *     blank; or {@link Sense#INVALID_FIELD_IN_CDB} if it asks for more than {@link
     *     #TRANSFER_BYTES_MAX}, the view then is valid (SCSI-14)
     * @throws IndexOutOfBoundsException if {@code length} is negative or exceeds the array
     * @throws IllegalArgumentException if the block size is not positive
     */
    public @Nullable Sense parse(byte[] src, int length, int blockSizeBytes) {
        Objects.checkFromIndexSize(0, length, src.length);
        if (blockSizeBytes <= 0) {
            throw new IllegalArgumentException("block size " + blockSizeBytes);
        }
        clear();
        int natural = length == 0 ? 0 : CdbFormat.groupLengthBytes(src[0] & 0xFF);
        if (natural == 0 || length < natural) {
            return Sense.INVALID_OPCODE;
        }
        System.arraycopy(src, 0, bytes, 0, natural);
        lengthBytes = natural;
        format = CdbFormat.of(bytes[0] & 0xFF, bytes[1] & SERVICE_ACTION_MASK);
        lba = parseLba();
        TransferRule rule = format.rule();
        count = rule.count(bytes);
        transferBytes = rule.bytes(bytes, count, blockSizeBytes);
        direction = transferBytes == 0 ? DataDirection.NONE : rule.direction();
        return transferBytes > TRANSFER_BYTES_MAX ? Sense.INVALID_FIELD_IN_CDB : null;
    }

    /**
     * The command's row in the table.
     *
     * @return the row; {@link CdbFormat#UNKNOWN} if the opcode is not listed
     */
    public CdbFormat format() {
        return format;
    }

    /**
     * Byte 0.
     *
     * @return 0 to 255
     */
    public int opcode() {
        return bytes[0] & 0xFF;
    }

    /**
     * The service action.
     *
     * @return 0 to 31, or -1 if the opcode has none
     */
    public int serviceAction() {
        return format.hasServiceAction() ? bytes[1] & SERVICE_ACTION_MASK : CdbFormat.NONE;
    }

    /**
     * The length of the CDB by its group.
     *
     * @return 6, 10, 12 or 16; 0 if nothing was parsed
     */
    public int lengthBytes() {
        return lengthBytes;
    }

    /**
     * One byte of the CDB.
     *
     * @param index 0 to 15
     * @return the byte, 0 to 255; zero beyond the CDB's length
     * @throws IndexOutOfBoundsException for an index that no CDB has
     */
    public int u8(int index) {
        return bytes[index] & 0xFF;
    }

    /**
     * Whether the command is executed although a unit attention waits, which then goes on waiting
     * or, for REQUEST SENSE, becomes its data.
     *
     * @return true for INQUIRY, REPORT LUNS, REQUEST SENSE and what polls removable media
     */
    public boolean isExemptFromUnitAttention() {
        return format == CdbFormat.INQUIRY || format == CdbFormat.REPORT_LUNS
                || format == CdbFormat.REQUEST_SENSE || opcode() == GET_CONFIGURATION
                || opcode() == GET_EVENT_STATUS_NOTIFICATION;
    }

    /**
     * Which way the data goes (CMD-4).
     *
     * @return {@link DataDirection#NONE} exactly if {@link #transferBytes} is zero
     */
    public DataDirection direction() {
        return direction;
    }

    /**
     * The size of the data phase (CMD-3).
     *
     * @return the size in bytes, not negative
     */
    public long transferBytes() {
        return transferBytes;
    }

    /**
     * The logical block address (CMD-2); meaningless for commands without one.
     *
     * @return the address, to be taken as unsigned
     */
    public long lba() {
        return lba;
    }

    /**
     * How many blocks the command covers, whether or not it moves them: in READ(6) and WRITE(6) 0
     * means 256, in COMPARE AND WRITE each block is sent twice, in SYNCHRONIZE CACHE and PRE-FETCH
     * 0 means up to the end.
     *
     * @return the count, 0 to 2^32 - 1; zero for commands that do not count blocks
     */
    public long transferBlocks() {
        return format.rule().countsBlocks() ? count : 0;
    }

    /**
     * How much parameter data the initiator takes (CMD-11).
     *
     * @return the allocation length in bytes, zero for commands that return no parameter data
     */
    public long allocationLengthBytes() {
        return parameterBytes(DataDirection.FROM_DEVICE);
    }

    /**
     * How long the parameter list is that the initiator announces.
     *
     * @return the parameter list length in bytes, zero for commands that send no parameter list
     */
    public long parameterListLengthBytes() {
        return parameterBytes(DataDirection.TO_DEVICE);
    }

    /**
     * Whether all blocks that the command covers exist (CMD-8): a command of zero blocks may start
     * at the capacity, but not beyond.
     *
     * @param capacityBlocks the unit's capacity in logical blocks, captured once per command
     *     (CMD-9)
     * @return false if the command is to be refused with {@link Sense#LBA_OUT_OF_RANGE}
     */
    public boolean isInRange(long capacityBlocks) {
        return lba >= 0 && lba <= capacityBlocks && transferBlocks() <= capacityBlocks - lba;
    }

    /**
     * The FUA bit: the command must reach the medium before it ends.
     *
     * @return the bit; false for commands without one, such as READ(6), VERIFY and WRITE SAME
     */
    public boolean fua() {
        return option(CdbFormat.FUA) != 0;
    }

    /**
     * The DPO bit, a hint about caching.
     *
     * @return the bit; false for commands without one
     */
    public boolean dpo() {
        return option(CdbFormat.DPO) != 0;
    }

    /**
     * The RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT field; in 6-byte commands the bits at its
     * place (CMD-18).
     *
     * @return 0 to 7; 0 for commands without one
     */
    public int protect() {
        return option(CdbFormat.PROTECT) >> 5;
    }

    /**
     * The BYTCHK field of VERIFY and WRITE AND VERIFY (CMD-94, CMD-95).
     *
     * @return 0 to 3; 0 for commands without one
     */
    public int bytchk() {
        return option(CdbFormat.BYTCHK) >> 1;
    }

    /**
     * The UNMAP bit of WRITE SAME: the range may be deallocated if it then reads as asked (CMD-38).
     *
     * @return the bit; false for other commands
     */
    public boolean unmap() {
        return isWriteSame() && (bytes[1] & 0x08) != 0;
    }

    /**
     * The ANCHOR bit of WRITE SAME or UNMAP.
     *
     * @return the bit; false for other commands
     */
    public boolean anchor() {
        return (isWriteSame() && (bytes[1] & 0x10) != 0)
                || (format == CdbFormat.UNMAP && (bytes[1] & 0x01) != 0);
    }

    /**
     * The NDOB bit of WRITE SAME: no block is sent, zeroes are meant (CMD-38a). In the 10-byte form
     * the bit is reserved and to be refused.
     *
     * @return the bit; false for other commands
     */
    public boolean ndob() {
        return isWriteSame() && (bytes[1] & 0x01) != 0;
    }

    /**
     * The IMMED bit: status may be returned before the work ends.
     *
     * @return the bit; false for commands without one
     */
    public boolean immed() {
        return switch (format) {
            case SYNCHRONIZE_CACHE_10, SYNCHRONIZE_CACHE_16, PRE_FETCH_10, PRE_FETCH_16 ->
                    (bytes[1] & 0x02) != 0;
            case START_STOP_UNIT -> (bytes[1] & 0x01) != 0;
            case SANITIZE -> (bytes[1] & 0x80) != 0;
            default -> false;
        };
    }

    /**
     * Whether byte 1 asks for what the unit does not offer: protection information (CMD-91), or DPO
     * or FUA although DPOFUA is not advertised in MODE SENSE (CMD-90).
     *
     * @param dpoFua whether DPOFUA is advertised
     * @return null, or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public @Nullable Sense checkProtection(boolean dpoFua) {
        int refused = dpoFua
                ? CdbFormat.PROTECT
                : CdbFormat.PROTECT | CdbFormat.DPO | CdbFormat.FUA;
        return option(refused) != 0 ? Sense.INVALID_FIELD_IN_CDB : null;
    }

    /** Opcode, address and sizes, for diagnosis. Allocates. */
    @Override
    public String toString() {
        return format + "(opcode 0x" + Integer.toHexString(opcode()) + ", lba " + lba + ", blocks "
                + transferBlocks() + ", bytes " + transferBytes + " " + direction + ")";
    }

    private void clear() {
        Arrays.fill(bytes, (byte) 0);
        format = CdbFormat.UNKNOWN;
        lengthBytes = 0;
        direction = DataDirection.NONE;
        lba = 0;
        count = 0;
        transferBytes = 0;
    }

    private long parseLba() {
        return switch (lengthBytes) {
            case 6 -> (bytes[1] & 0x1F) << 16 | BigEndian.u16(bytes, 2);
            case 16 -> BigEndian.unsigned(bytes, 2, 8);
            default -> BigEndian.u32(bytes, 2);
        };
    }

    private long parameterBytes(DataDirection wanted) {
        return direction == wanted && !format.rule().countsBlocks() ? transferBytes : 0;
    }

    private int option(int field) {
        return bytes[1] & format.options() & field;
    }

    private boolean isWriteSame() {
        return format == CdbFormat.WRITE_SAME_10 || format == CdbFormat.WRITE_SAME_16;
    }
}
