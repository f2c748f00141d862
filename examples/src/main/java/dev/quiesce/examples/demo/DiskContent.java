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
 * written last, or several stamps where a cancelled write may or may not have arrived.
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

    private static final long REPEATING = 1L << 62;
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

    private final FileChannel image;
    private final long imageBytes;
    private final long[] stamps;
    private final Map<Integer, long[]> uncertain = new HashMap<>();
    private final BitSet busy = new BitSet();
    private final byte[] expected = new byte[BLOCK_BYTES];

    DiskContent(FileChannel image, long diskBytes) throws IOException {
        this.image = image;
        imageBytes = image.size();
        stamps = new long[(int) Math.min(Integer.MAX_VALUE - 8, diskBytes / BLOCK_BYTES)];
    }

    int blocks() {
        return stamps.length;
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
     * @return -1, or the first byte of the disk that differs
     */
    long firstMismatch(int first, int count, byte[] bytes) throws IOException {
        for (int i = 0; i < count; i++) {
            int block = first + i;
            long[] candidates = uncertain.get(block);
            int at = candidates == null
                    ? mismatch(block, stamps[block], bytes, i * BLOCK_BYTES)
                    : mismatchOfAll(block, candidates, bytes, i * BLOCK_BYTES);
            if (at >= 0) {
                return (long) block * BLOCK_BYTES + at;
            }
        }
        return -1;
    }

    String describe(long diskByte) {
        int block = (int) (diskByte / BLOCK_BYTES);
        long[] candidates = uncertain.get(block);
        return "expected " + (candidates == null
                ? "stamp " + stamps[block] : "one of " + Arrays.toString(candidates));
    }

    /** Checks whole blocks against one stamp. */
    private int mismatch(int block, long stamp, byte[] bytes, int offset) throws IOException {
        expect(block, stamp);
        int at = Arrays.mismatch(
                bytes, offset, offset + BLOCK_BYTES, expected, 0, BLOCK_BYTES);
        return at;
    }

    /**
     * Checks each sector against every stamp: a cancelled write may have stopped between two
     * sectors.
     */
    private int mismatchOfAll(int block, long[] candidates, byte[] bytes, int offset)
            throws IOException {
        boolean[] matched = new boolean[BLOCK_BYTES / SECTOR_BYTES];
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
        long position = (long) block * BLOCK_BYTES;
        ByteBuffer into = ByteBuffer.wrap(expected);
        while (into.hasRemaining() && position + into.position() < imageBytes) {
            if (image.read(into, position + into.position()) < 0) {
                break;
            }
        }
    }
}
