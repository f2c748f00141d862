package dev.quiesce.examples.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * What a disk must contain, as the guest knows it: per block of 4 KiB the stamp of what was
 * written last, or several stamps where a cancelled write may or may not have arrived. The last
 * block is as short as the disk makes it.
 *
 * <p>Of a disk that is larger than what may be written, only regions of 1 MiB are in use, spread
 * evenly; their blocks are numbered as if nothing were between them.
 *
 * <p>Confined to the guest. A stamp stands for content: {@link #IMAGE} the image's own bytes,
 * {@link #ZERO} zeros, any other a pattern made from the stamp and the position in the block;
 * patterns of WRITE SAME repeat in every sector.
 */
final class DiskContent {
    static final int BLOCK_BYTES = 4096;
    static final int SECTOR_BYTES = 512;
    static final long IMAGE = 0;
    static final long ZERO = 1;

    private static final int REGION_BLOCKS = 256;
    private static final int REGION_BYTES = REGION_BLOCKS * BLOCK_BYTES;
    private static final int REGIONS_MAX = 1 << 20;
    private static final long REPEATING = 1L << 62;
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

    private final FileChannel image;
    private final long imageBytes;
    private final long diskBytes;
    private final int regions;
    private final long regionsOfDisk;
    private final long[] stamps;
    private final Map<Integer, long[]> uncertain = new HashMap<>();
    private final BitSet busy = new BitSet();
    private final byte[] expected = new byte[BLOCK_BYTES];

    /**
     * Knows a disk that holds the image.
     *
     * @param writableBytes how much of it may be in use, at least a region
     */
    DiskContent(FileChannel image, long diskBytes, long writableBytes) throws IOException {
        this.image = image;
        this.diskBytes = diskBytes;
        imageBytes = image.size();
        regionsOfDisk = (diskBytes + REGION_BYTES - 1) / REGION_BYTES;
        long writable = Math.max(1, Math.min(REGIONS_MAX, writableBytes / REGION_BYTES));
        regions = (int) Math.min(writable, regionsOfDisk);
        long blocks = isWhole()
                ? (diskBytes + BLOCK_BYTES - 1) / BLOCK_BYTES : (long) regions * REGION_BLOCKS;
        stamps = new long[(int) blocks];
    }

    int blocks() {
        return stamps.length;
    }

    /** How many blocks from one on lie together on the disk. */
    int blocksTogether(int first) {
        return isWhole() ? stamps.length - first : REGION_BLOCKS - first % REGION_BLOCKS;
    }

    /** Where on the disk a block is. */
    long offsetBytes(int block) {
        long region = block / REGION_BLOCKS;
        long regionOnDisk = isWhole() ? region : region * (regionsOfDisk - 1) / regions;
        return regionOnDisk * REGION_BYTES + (long) (block % REGION_BLOCKS) * BLOCK_BYTES;
    }

    /** How many bytes some blocks have: the last of the disk may be a short one. */
    int bytes(int first, int count) {
        return (int) Math.min((long) count * BLOCK_BYTES, diskBytes - offsetBytes(first));
    }

    /** A stamp whose pattern differs in every sector of the block. */
    static long writeStamp(long serial) {
        return serial << 2 | 2;
    }

    /** A stamp whose pattern is the same in every sector. */
    static long repeatingStamp(long serial) {
        return REPEATING | serial << 2 | 3;
    }

    /** Claims a range for one command; false if somebody else has part of it. */
    boolean claim(int first, int count) {
        int taken = busy.nextSetBit(first);
        if (taken >= 0 && taken < first + count) {
            return false;
        }
        busy.set(first, first + count);
        return true;
    }

    void release(int first, int count) {
        busy.clear(first, first + count);
    }

    /** A command has certainly replaced the content. */
    void replaced(int first, int count, long stamp) {
        for (int block = first; block < first + count; block++) {
            stamps[block] = stamp;
            uncertain.remove(block);
        }
    }

    /** A command may have replaced the content, or part of it. */
    void perhapsReplaced(int first, int count, long stamp) {
        for (int block = first; block < first + count; block++) {
            long[] before = uncertain.getOrDefault(block, new long[] {stamps[block]});
            long[] after = Arrays.copyOf(before, before.length + 1);
            after[before.length] = stamp;
            uncertain.put(block, after);
        }
    }

    /** Writes the pattern of a stamp into a buffer. */
    static void pattern(long stamp, byte[] bytes, int offset, int length) {
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long base = stamp * GOLDEN;
        boolean repeats = (stamp & REPEATING) != 0;
        for (int at = 0; at < length; at += Long.BYTES) {
            int position = (repeats ? at % SECTOR_BYTES : at % BLOCK_BYTES) / Long.BYTES;
            out.putLong(offset + at, stamp == ZERO ? 0 : (base ^ position) * GOLDEN);
        }
    }

    /**
     * Compares what was read with what must be there.
     *
     * @return -1, or the first byte of what was read that differs
     */
    int firstMismatch(int first, int count, byte[] bytes) throws IOException {
        for (int i = 0; i < count; i++) {
            int block = first + i;
            long[] candidates = uncertain.get(block);
            int offset = i * BLOCK_BYTES;
            int at = candidates == null
                    ? mismatch(block, stamps[block], bytes, offset)
                    : mismatchOfAll(block, candidates, bytes, offset);
            if (at >= 0) {
                return offset + at;
            }
        }
        return -1;
    }

    /** What a block must hold. */
    String describe(int block) {
        long[] candidates = uncertain.get(block);
        return "expected " + (candidates == null
                ? "stamp " + stamps[block] : "one of " + Arrays.toString(candidates));
    }

    private boolean isWhole() {
        return regions == regionsOfDisk;
    }

    /** Checks a block against one stamp. */
    private int mismatch(int block, long stamp, byte[] bytes, int offset) throws IOException {
        int length = bytes(block, 1);
        expect(block, stamp);
        return Arrays.mismatch(bytes, offset, offset + length, expected, 0, length);
    }

    /**
     * Checks each sector against every stamp: a cancelled write may have stopped between two
     * sectors.
     */
    private int mismatchOfAll(int block, long[] candidates, byte[] bytes, int offset)
            throws IOException {
        boolean[] matched = new boolean[bytes(block, 1) / SECTOR_BYTES];
        for (long stamp : candidates) {
            expect(block, stamp);
            for (int sector = 0; sector < matched.length; sector++) {
                int from = sector * SECTOR_BYTES;
                matched[sector] |= Arrays.equals(bytes, offset + from, offset + from + SECTOR_BYTES,
                        expected, from, from + SECTOR_BYTES);
            }
        }
        for (int sector = 0; sector < matched.length; sector++) {
            if (!matched[sector]) {
                return sector * SECTOR_BYTES;
            }
        }
        return -1;
    }

    private void expect(int block, long stamp) throws IOException {
        if (stamp != IMAGE) {
            pattern(stamp, expected, 0, BLOCK_BYTES);
            return;
        }
        Arrays.fill(expected, (byte) 0); // The tail beyond the image reads as zeros.
        long position = offsetBytes(block);
        ByteBuffer into = ByteBuffer.wrap(expected);
        while (into.hasRemaining() && position + into.position() < imageBytes) {
            if (image.read(into, position + into.position()) < 0) {
                break;
            }
        }
    }
}
