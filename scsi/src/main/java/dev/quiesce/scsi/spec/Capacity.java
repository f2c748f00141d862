package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * The size and block structure of a disk, and the data of READ CAPACITY(10) and (16) (CMD-43).
 *
 * <p>Any thread; immutable. Capture one per command, so that a resize in the middle cannot be seen
 * (CMD-9).
 *
 * @param blocks the number of logical blocks, not negative
 * @param blockSizeBytes the logical block size, 1 to FFFFFFh
 * @param physicalExponent binary logarithm of logical blocks per physical block, 0 to 15
 * @param lowestAlignedBlock the first logical block at the start of a physical block, 0 to 3FFFh
 * @param thin whether UNMAP is supported (CMD-28)
 * @param readsZeroes whether unmapped blocks read as zeroes
 */
public record Capacity(
        long blocks,
        int blockSizeBytes,
        int physicalExponent,
        int lowestAlignedBlock,
        boolean thin,
        boolean readsZeroes) {
    /** The length of READ CAPACITY(10) data. */
    public static final int LENGTH_10_BYTES = 8;
    /** The length of READ CAPACITY(16) data. */
    public static final int LENGTH_16_BYTES = 32;

    private static final long LBA_10_MAX = 0xFFFF_FFFFL;
    private static final int BLOCK_SIZE_MAX = 0xFF_FFFF;
    private static final int EXPONENT_MAX = 0xF;
    private static final int LOWEST_ALIGNED_MAX = 0x3FFF;
    private static final int LBPME = 0x8000;
    private static final int LBPRZ = 0x4000;
    private static final int PMI = 0x01;

    /**
     * Checks the ranges.
     *
     * @param blocks the number of logical blocks
     * @param blockSizeBytes the logical block size
     * @param physicalExponent binary logarithm of logical blocks per physical block
     * @param lowestAlignedBlock the first logical block at the start of a physical block
     * @param thin whether UNMAP is supported (CMD-28)
     * @param readsZeroes whether unmapped blocks read as zeroes
     * @throws IllegalArgumentException naming the value that does not fit
     */
    public Capacity {
        requireRange("blocks", blocks, 0, Long.MAX_VALUE);
        requireRange("blockSizeBytes", blockSizeBytes, 1, BLOCK_SIZE_MAX);
        requireRange("physicalExponent", physicalExponent, 0, EXPONENT_MAX);
        requireRange("lowestAlignedBlock", lowestAlignedBlock, 0, LOWEST_ALIGNED_MAX);
    }

    /**
     * Checks a READ CAPACITY command: a unit without blocks is not ready, and an address needs PMI.
     *
     * @param readCapacity the command, either form
     * @return null, {@link Sense#NOT_READY_NO_CAPACITY} or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public @Nullable Sense check(Cdb readCapacity) {
        if (blocks == 0) {
            return Sense.NOT_READY_NO_CAPACITY;
        }
        int pmiAt = readCapacity.format() == CdbFormat.READ_CAPACITY_10 ? 8 : 14;
        boolean pmi = (readCapacity.u8(pmiAt) & PMI) != 0;
        return !pmi && readCapacity.lba() != 0 ? Sense.INVALID_FIELD_IN_CDB : null;
    }

    /**
     * Writes the data that the command's form wants.
     *
     * @param readCapacity the command, either form, which passed {@link #check}
     * @param dst receives the data at index 0
     * @return the length of the data
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encode(Cdb readCapacity, byte[] dst) {
        return readCapacity.format() == CdbFormat.READ_CAPACITY_10 ? encode10(dst) : encode16(dst);
    }

    /**
     * Writes the data of READ CAPACITY(10); a disk that is too large for it reports FFFFFFFFh.
     *
     * @param dst receives the data at index 0
     * @return {@link #LENGTH_10_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encode10(byte[] dst) {
        assert blocks > 0;
        BigEndian.clear(dst, LENGTH_10_BYTES);
        BigEndian.put32(dst, 0, Math.min(blocks - 1, LBA_10_MAX));
        BigEndian.put32(dst, 4, blockSizeBytes);
        return LENGTH_10_BYTES;
    }

    /**
     * Writes the data of READ CAPACITY(16).
     *
     * @param dst receives the data at index 0
     * @return {@link #LENGTH_16_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encode16(byte[] dst) {
        assert blocks > 0;
        BigEndian.clear(dst, LENGTH_16_BYTES);
        BigEndian.put64(dst, 0, blocks - 1);
        BigEndian.put32(dst, 8, blockSizeBytes);
        BigEndian.put8(dst, 13, physicalExponent);
        int provisioning = thin ? LBPME | (readsZeroes ? LBPRZ : 0) : 0;
        BigEndian.put16(dst, 14, provisioning | lowestAlignedBlock);
        return LENGTH_16_BYTES;
    }

    private static void requireRange(String what, long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(what + " " + value);
        }
    }
}
