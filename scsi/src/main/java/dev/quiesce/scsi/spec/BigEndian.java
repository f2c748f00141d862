package dev.quiesce.scsi.spec;

import java.util.Arrays;

/**
 * Big-endian fields in byte arrays, as every CDB and every SCSI parameter list has them.
 *
 * <p>Any thread; no state.
 */
final class BigEndian {
    private BigEndian() {
    }

    static int u8(byte[] src, int at) {
        return src[at] & 0xFF;
    }

    static int u16(byte[] src, int at) {
        return (src[at] & 0xFF) << 8 | (src[at + 1] & 0xFF);
    }

    static int u24(byte[] src, int at) {
        return u16(src, at) << 8 | (src[at + 2] & 0xFF);
    }

    static long u32(byte[] src, int at) {
        return unsigned(src, at, 4);
    }

    /** Reads {@code width} bytes, 1 to 8; with 8 the result is to be taken as unsigned. */
    static long unsigned(byte[] src, int at, int width) {
        long value = 0;
        for (int i = at; i < at + width; i++) {
            value = value << 8 | (src[i] & 0xFF);
        }
        return value;
    }

    static void put8(byte[] dst, int at, int value) {
        dst[at] = (byte) value;
    }

    static void put16(byte[] dst, int at, int value) {
        put(dst, at, 2, value);
    }

    static void put24(byte[] dst, int at, int value) {
        put(dst, at, 3, value);
    }

    static void put32(byte[] dst, int at, long value) {
        put(dst, at, 4, value);
    }

    static void put64(byte[] dst, int at, long value) {
        put(dst, at, 8, value);
    }

    /** Writes the low {@code width} bytes of {@code value}. */
    static void put(byte[] dst, int at, int width, long value) {
        long rest = value;
        for (int i = at + width - 1; i >= at; i--) {
            dst[i] = (byte) rest;
            rest >>>= 8;
        }
    }

    /** Writes {@code text}, left-aligned, and fills the field to {@code width} with {@code pad}. */
    static void putAscii(byte[] dst, int at, int width, String text, char pad) {
        assert text.length() <= width : text;
        for (int i = 0; i < width; i++) {
            dst[at + i] = (byte) (i < text.length() ? text.charAt(i) : pad);
        }
    }

    /**
     * Zeroes the first {@code length} bytes, so that no builder can leak what the array held
     * before.
     *
     * @throws IllegalArgumentException if the array is shorter
     */
    static void clear(byte[] dst, int length) {
        if (dst.length < length) {
            throw new IllegalArgumentException(
                    "room for " + length + " bytes needed, given " + dst.length);
        }
        Arrays.fill(dst, 0, length, (byte) 0);
    }
}
