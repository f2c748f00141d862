package dev.quiesce.scsi.spec;

/**
 * The Block Limits vital product data page, B0h (CMD-26), and the limits that the disk enforces
 * because it advertises them.
 *
 * <p>All lengths are in logical blocks; zero means "not reported", or "not supported" where a
 * command is concerned. Atomic writes and prefetch limits are not reported, and a WRITE SAME of
 * zero blocks is refused (WSNZ). Any thread; immutable.
 *
 * @param compareAndWriteBlocksMax longest COMPARE AND WRITE, 0 to 255; 0: not supported
 * @param optimalGranularityBlocks optimal transfer length granularity, 0 to 65535
 * @param transferBlocksMax longest transfer, 32 bits
 * @param optimalTransferBlocks optimal transfer length, 32 bits, at most the longest transfer
 * @param unmapBlocksMax most blocks that one UNMAP may cover, 32 bits; {@link #UNLIMITED}: any
 * @param unmapDescriptorsMax most descriptors in one UNMAP, 32 bits
 * @param unmapGranularityBlocks optimal granularity of UNMAP, 32 bits
 * @param unmapAlignmentBlocks first block that is aligned for UNMAP, 31 bits; -1: not reported
 * @param writeSameBlocksMax longest WRITE SAME
 */
public record BlockLimitsPage(
        int compareAndWriteBlocksMax,
        int optimalGranularityBlocks,
        long transferBlocksMax,
        long optimalTransferBlocks,
        long unmapBlocksMax,
        long unmapDescriptorsMax,
        long unmapGranularityBlocks,
        long unmapAlignmentBlocks,
        long writeSameBlocksMax) {
    /** The page code. */
    public static final int PAGE_CODE = 0xB0;
    /** The length of the page with its header. */
    public static final int LENGTH_BYTES = 0x40;
    /** No limit on the blocks of one UNMAP. */
    public static final long UNLIMITED = 0xFFFF_FFFFL;
    /**
     * The default limit on the blocks of one UNMAP: the most that initiators accept as sane
     * (CMD-27).
     */
    public static final long UNMAP_BLOCKS_DEFAULT = 1L << 20;
    /** The default limit on the descriptors of one UNMAP. */
    public static final long UNMAP_DESCRIPTORS_DEFAULT = 255;

    private static final int WSNZ = 0x01;
    private static final long UGAVALID = 0x8000_0000L;

    /**
     * Checks the ranges.
     *
     * @param compareAndWriteBlocksMax longest COMPARE AND WRITE
     * @param optimalGranularityBlocks optimal transfer length granularity
     * @param transferBlocksMax longest transfer
     * @param optimalTransferBlocks optimal transfer length
     * @param unmapBlocksMax most blocks that one UNMAP may cover
     * @param unmapDescriptorsMax most descriptors in one UNMAP
     * @param unmapGranularityBlocks optimal granularity of UNMAP
     * @param unmapAlignmentBlocks first block that is aligned for UNMAP
     * @param writeSameBlocksMax longest WRITE SAME
     * @throws IllegalArgumentException naming the value that does not fit
     */
    public BlockLimitsPage {
        requireRange("compareAndWriteBlocksMax", compareAndWriteBlocksMax, 0, 0xFF);
        requireRange("transferBlocksMax", transferBlocksMax, 0, UNLIMITED);
        long longest = transferBlocksMax == 0 ? UNLIMITED : transferBlocksMax;
        requireRange(
                "optimalGranularityBlocks", optimalGranularityBlocks, 0, Math.min(longest, 0xFFFF));
        requireRange("optimalTransferBlocks", optimalTransferBlocks, 0, longest);
        requireRange("unmapBlocksMax", unmapBlocksMax, 0, UNLIMITED);
        requireRange("unmapDescriptorsMax", unmapDescriptorsMax, 0, UNLIMITED);
        requireRange("unmapGranularityBlocks", unmapGranularityBlocks, 0, UNLIMITED);
        requireRange("unmapAlignmentBlocks", unmapAlignmentBlocks, -1, UGAVALID - 1);
        requireRange("writeSameBlocksMax", writeSameBlocksMax, 0, Long.MAX_VALUE);
    }

    /**
     * The limits of a disk on a backend (CMD-27): a transfer is bounded by the backend and by
     * {@link Cdb#TRANSFER_BYTES_MAX}, a WRITE SAME by the same, and the granularity is clipped to
     * it.
     *
     * @param blockSizeBytes the logical block size
     * @param backendTransferBytesMax the backend's longest transfer; 0: none
     * @param optimalGranularityBytes the optimal granularity of transfers; 0: unknown
     * @param thin whether the disk supports UNMAP
     * @param unmapGranularityBytes the granularity in which blocks are unmapped; 0: unknown
     * @return the limits
     * @throws IllegalArgumentException if the block size is not positive or another value is
     *     negative
     */
    public static BlockLimitsPage of(
            int blockSizeBytes,
            long backendTransferBytesMax,
            int optimalGranularityBytes,
            boolean thin,
            long unmapGranularityBytes) {
        requireRange("blockSizeBytes", blockSizeBytes, 1, Integer.MAX_VALUE);
        requireRange("backendTransferBytesMax", backendTransferBytesMax, 0, Long.MAX_VALUE);
        requireRange("optimalGranularityBytes", optimalGranularityBytes, 0, Integer.MAX_VALUE);
        requireRange("unmapGranularityBytes", unmapGranularityBytes, 0, Long.MAX_VALUE);
        long bytesMax = backendTransferBytesMax == 0
                ? Cdb.TRANSFER_BYTES_MAX
                : Math.min(backendTransferBytesMax, Cdb.TRANSFER_BYTES_MAX);
        long blocksMax = Math.max(1, bytesMax / blockSizeBytes);
        long granularity = Math.min(optimalGranularityBytes / blockSizeBytes, 0xFFFF);
        long unmapGranularity = Math.min(unmapGranularityBytes / blockSizeBytes, UNLIMITED);
        return new BlockLimitsPage(
                0,
                (int) Math.min(granularity, blocksMax),
                blocksMax,
                0,
                thin ? UNMAP_BLOCKS_DEFAULT : 0,
                thin ? UNMAP_DESCRIPTORS_DEFAULT : 0,
                thin ? unmapGranularity : 0,
                -1,
                blocksMax);
    }

    /**
     * Writes the page, except for the device type, which is that of a disk.
     *
     * @param dst receives the data at index 0
     * @return {@link #LENGTH_BYTES}
     * @throws IllegalArgumentException if the data does not fit
     */
    public int encode(byte[] dst) {
        BigEndian.clear(dst, LENGTH_BYTES);
        BigEndian.put8(dst, 1, PAGE_CODE);
        BigEndian.put16(dst, 2, LENGTH_BYTES - 4);
        BigEndian.put8(dst, 4, WSNZ);
        BigEndian.put8(dst, 5, compareAndWriteBlocksMax);
        BigEndian.put16(dst, 6, optimalGranularityBlocks);
        BigEndian.put32(dst, 8, transferBlocksMax);
        BigEndian.put32(dst, 12, optimalTransferBlocks);
        BigEndian.put32(dst, 20, unmapBlocksMax);
        BigEndian.put32(dst, 24, unmapDescriptorsMax);
        BigEndian.put32(dst, 28, unmapGranularityBlocks);
        BigEndian.put32(dst, 32, unmapAlignmentBlocks < 0 ? 0 : UGAVALID | unmapAlignmentBlocks);
        BigEndian.put64(dst, 36, writeSameBlocksMax);
        return LENGTH_BYTES;
    }

    private static void requireRange(String what, long value, long min, long max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(what + " " + value);
        }
    }
}
