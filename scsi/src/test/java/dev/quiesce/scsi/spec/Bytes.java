package dev.quiesce.scsi.spec;

import java.util.Arrays;
import java.util.HexFormat;

/** Byte arrays as the tests like to write them. */
final class Bytes {
    static final int BLOCK_SIZE = 512;
    /** What a builder finds in its array, so that a byte it forgets to write shows. */
    private static final byte DIRT = (byte) 0xA5;

    private Bytes() {
    }

    /** Hex digits, blanks ignored. */
    static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replaceAll("\\s", ""));
    }

    /** A command, zero-filled to the length of its group. */
    static byte[] command(String digits) {
        byte[] given = hex(digits);
        return Arrays.copyOf(given, CdbFormat.groupLengthBytes(given[0] & 0xFF));
    }

    /**
     * A parsed command, zero-filled to the length of its group; it must be one that may be
     * executed.
     */
    static Cdb cdb(String digits) {
        Cdb cdb = new Cdb();
        byte[] bytes = command(digits);
        if (cdb.parse(bytes, bytes.length, BLOCK_SIZE) != null) {
            throw new AssertionError(digits);
        }
        return cdb;
    }

    /** An array full of dirt for a builder. */
    static byte[] room(int length) {
        byte[] dst = new byte[length];
        Arrays.fill(dst, DIRT);
        return dst;
    }

    static byte[] head(byte[] data, int length) {
        return Arrays.copyOf(data, length);
    }
}
