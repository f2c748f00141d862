package dev.quiesce.scsi.spec;

/**
 * How the size and direction of a command's data phase follow from its CDB (CMD-3, CMD-4).
 *
 * <p>A rule names the field that counts (its group's default field unless a position is given) and
 * what one unit of it is worth. Any thread; allocates nothing.
 */
enum TransferRule {
    /** No data phase, and nothing in the CDB counts anything. */
    NO_DATA(DataDirection.NONE, false),
    /** READ CAPACITY(10): eight bytes, whatever the CDB says. */
    CAPACITY_10(DataDirection.FROM_DEVICE, false),
    /** An allocation length in the default field. */
    PARAMETERS_IN(DataDirection.FROM_DEVICE, false),
    /** An allocation length in bytes 3 and 4. */
    PARAMETERS_IN_AT_3(DataDirection.FROM_DEVICE, false, 3, 2),
    /** An allocation length in bytes 6 to 8. */
    PARAMETERS_IN_AT_6(DataDirection.FROM_DEVICE, false, 6, 3),
    /** A parameter list length in the default field. */
    PARAMETERS_OUT(DataDirection.TO_DEVICE, false),
    /** A parameter list length in bytes 3 and 4. */
    PARAMETERS_OUT_AT_3(DataDirection.TO_DEVICE, false, 3, 2),
    /** A parameter list length in bytes 5 to 8. */
    PARAMETERS_OUT_AT_5(DataDirection.TO_DEVICE, false, 5, 4),
    /** A parameter list length in bytes 6 to 8. */
    PARAMETERS_OUT_AT_6(DataDirection.TO_DEVICE, false, 6, 3),
    /** FORMAT UNIT: a short or long header if FMTDATA is set. */
    FORMAT_HEADER(DataDirection.TO_DEVICE, false),
    /** Counted blocks are read. */
    BLOCKS_IN(DataDirection.FROM_DEVICE, true),
    /** Counted blocks are written. */
    BLOCKS_OUT(DataDirection.TO_DEVICE, true),
    /** WRITE ATOMIC(16): counted blocks are written, the count is in bytes 12 and 13. */
    BLOCKS_OUT_AT_12(DataDirection.TO_DEVICE, true, 12, 2),
    /** COMPARE AND WRITE: each counted block is sent twice, the count is in byte 13. */
    BLOCK_PAIRS_OUT_AT_13(DataDirection.TO_DEVICE, true, 13, 1),
    /** WRITE SAME: one block is sent for any count, none if NDOB is set. */
    ONE_BLOCK_OUT(DataDirection.TO_DEVICE, true),
    /** VERIFY: nothing, counted blocks or one block is sent, by BYTCHK. */
    VERIFY_OUT(DataDirection.TO_DEVICE, true),
    /** Blocks are counted, none is moved: SYNCHRONIZE CACHE, PRE-FETCH. */
    BLOCKS_ONLY(DataDirection.NONE, true);

    private static final int AT_DEFAULT = -1;
    private static final int BLOCKS_IF_ZERO_6 = 256;

    private final DataDirection direction;
    private final boolean countsBlocks;
    private final int at;
    private final int width;

    TransferRule(DataDirection direction, boolean countsBlocks) {
        this(direction, countsBlocks, AT_DEFAULT, 0);
    }

    TransferRule(DataDirection direction, boolean countsBlocks, int at, int width) {
        this.direction = direction;
        this.countsBlocks = countsBlocks;
        this.at = at;
        this.width = width;
    }

    /** The direction the data takes if there is any. */
    DataDirection direction() {
        return direction;
    }

    boolean countsBlocks() {
        return countsBlocks;
    }

    /** The value of the counting field; 0 in a 6-byte block command means 256 (CMD-3). */
    long count(byte[] cdb) {
        if (at != AT_DEFAULT) {
            return BigEndian.unsigned(cdb, at, width);
        }
        return switch ((cdb[0] & 0xFF) >> 5) {
            case 0 -> {
                int field = BigEndian.u8(cdb, 4);
                yield field == 0 && countsBlocks ? BLOCKS_IF_ZERO_6 : field;
            }
            case 1, 2 -> BigEndian.u16(cdb, 7);
            case 4 -> BigEndian.u32(cdb, 10);
            case 5 -> BigEndian.u32(cdb, 6);
            default -> 0;
        };
    }

    /** The number of bytes in the data phase. */
    long bytes(byte[] cdb, long count, int blockSizeBytes) {
        return switch (this) {
            case NO_DATA, BLOCKS_ONLY -> 0;
            case CAPACITY_10 -> Capacity.LENGTH_10_BYTES;
            case PARAMETERS_IN, PARAMETERS_IN_AT_3, PARAMETERS_IN_AT_6, PARAMETERS_OUT,
                    PARAMETERS_OUT_AT_3, PARAMETERS_OUT_AT_5, PARAMETERS_OUT_AT_6 -> count;
            case FORMAT_HEADER -> formatHeaderBytes(cdb[1]);
            case BLOCKS_IN, BLOCKS_OUT, BLOCKS_OUT_AT_12 -> count * blockSizeBytes;
            case BLOCK_PAIRS_OUT_AT_13 -> 2 * count * blockSizeBytes;
            case ONE_BLOCK_OUT -> (cdb[1] & 0x01) != 0 ? 0 : blockSizeBytes;
            case VERIFY_OUT -> verifyBlocks(cdb[1], count) * blockSizeBytes;
        };
    }

    private static long formatHeaderBytes(byte options) {
        if ((options & 0x10) == 0) {
            return 0;
        }
        return (options & 0x20) != 0 ? 8 : 4;
    }

    private static long verifyBlocks(byte options, long count) {
        return switch (options >> 1 & 3) {
            case 1 -> count;
            case 3 -> 1;
            default -> 0;
        };
    }
}
