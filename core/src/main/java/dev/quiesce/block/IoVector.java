package dev.quiesce.block;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A list of memory segments, each a part of a buffer, that together hold a request's payload.
 *
 * <p>Buffers are referred to, never sliced, and only absolute access is used, so that a buffer's
 * position plays no part and one buffer may be in many vectors. A vector is made once and re-used:
 * it allocates only when it grows beyond the most segments it ever had.
 *
 * <p>Threads: none of its own. It belongs to the owner of the request, who lends it downwards from
 * submit to completion; meanwhile only the driver that holds the request touches it. Positions are
 * in bytes from the vector's start; a position or length outside the vector is the caller's mistake
 * and throws {@link IndexOutOfBoundsException}.
 */
public final class IoVector {
    private static final int SEGMENTS_AT_FIRST = 4;
    private static final byte[] ZEROES = new byte[4096];
    private static final ByteBuffer NO_BUFFER = ByteBuffer.allocate(0);

    private ByteBuffer[] bases = new ByteBuffer[SEGMENTS_AT_FIRST];
    private int[] offsets = new int[SEGMENTS_AT_FIRST];
    private int[] lengths = new int[SEGMENTS_AT_FIRST];
    private int segments;
    private long bytes;
    private @Nullable LateFaults faults;

    /** Makes an empty vector. */
    public IoVector() {
        Arrays.fill(bases, NO_BUFFER);
    }

    /** Removes all segments and lets go of their buffers; keeps the capacity. */
    public void clear() {
        for (int i = 0; i < segments; i++) {
            bases[i] = NO_BUFFER;
        }
        segments = 0;
        bytes = 0;
        faults = null;
    }

    /**
     * Says that some of the memory may go away. From now on, until {@link #clear}, each copy into
     * or out of this vector, and out of vectors made of its segments, asks whether it did: then the
     * copy throws an {@link InternalError}, which fails the request of whoever copies (I7).
     *
     * @param whereFaultsShow what to ask
     */
    public void surfaceFaultsBy(LateFaults whereFaultsShow) {
        faults = whereFaultsShow;
    }

    /**
     * Appends a part of a buffer. A part of no bytes is not remembered.
     *
     * @param base the buffer; its position is ignored, its limit bounds the part
     * @param offset where the part begins, absolute in the buffer
     * @param length its bytes
     * @throws IndexOutOfBoundsException if the part is not inside the buffer
     */
    public void add(ByteBuffer base, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, base.limit());
        if (length == 0) {
            return;
        }
        if (segments == lengths.length) {
            grow();
        }
        bases[segments] = base;
        offsets[segments] = offset;
        lengths[segments] = length;
        segments++;
        bytes += length;
    }

    /**
     * Appends the segments of a part of another vector.
     *
     * @param from the other vector, not this one
     * @param skipBytes where the part begins
     * @param lengthBytes its bytes
     * @throws IndexOutOfBoundsException if the part is not inside {@code from}
     */
    public void addSlice(IoVector from, long skipBytes, long lengthBytes) {
        if (from == this) {
            throw new IllegalArgumentException("a vector cannot be appended to itself");
        }
        Objects.checkFromIndexSize(skipBytes, lengthBytes, from.bytes);
        if (from.faults != null) {
            faults = from.faults;
        }
        long skip = skipBytes;
        long left = lengthBytes;
        for (int i = 0; left > 0; i++) {
            int length = from.lengths[i];
            if (skip >= length) {
                skip -= length;
                continue;
            }
            int part = (int) Math.min(length - skip, left);
            add(from.bases[i], from.offsets[i] + (int) skip, part);
            skip = 0;
            left -= part;
        }
    }

    /**
     * How many segments there are.
     *
     * @return the number of segments
     */
    public int segments() {
        return segments;
    }

    /**
     * The buffer of a segment.
     *
     * @param index the segment, from 0
     * @return its buffer, to be accessed absolutely only
     */
    public ByteBuffer base(int index) {
        return bases[Objects.checkIndex(index, segments)];
    }

    /**
     * Where a segment begins in its buffer.
     *
     * @param index the segment, from 0
     * @return the absolute offset in bytes
     */
    public int offset(int index) {
        return offsets[Objects.checkIndex(index, segments)];
    }

    /**
     * How long a segment is.
     *
     * @param index the segment, from 0
     * @return its bytes, above 0
     */
    public int length(int index) {
        return lengths[Objects.checkIndex(index, segments)];
    }

    /**
     * How many bytes all segments hold together.
     *
     * @return the length of the vector
     */
    public long bytes() {
        return bytes;
    }

    /**
     * Fills a part with zeroes.
     *
     * @param skipBytes where it begins
     * @param lengthBytes its bytes
     */
    public void fillZero(long skipBytes, long lengthBytes) {
        Objects.checkFromIndexSize(skipBytes, lengthBytes, bytes);
        long skip = skipBytes;
        long left = lengthBytes;
        for (int i = 0; left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(lengths[i] - skip, left);
            zero(bases[i], offsets[i] + (int) skip, part);
            skip = 0;
            left -= part;
        }
        surfaceFaults();
    }

    /**
     * Copies from an array into a part of this vector.
     *
     * @param skipBytes where the part begins
     * @param source the array
     * @param offset where to begin in it
     * @param length the bytes to copy
     */
    public void copyFrom(long skipBytes, byte[] source, int offset, int length) {
        Objects.checkFromIndexSize(skipBytes, length, bytes);
        Objects.checkFromIndexSize(offset, length, source.length);
        long skip = skipBytes;
        int done = 0;
        for (int i = 0; done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(lengths[i] - skip, length - done);
            bases[i].put(offsets[i] + (int) skip, source, offset + done, part);
            skip = 0;
            done += part;
        }
        surfaceFaults();
    }

    /**
     * Copies from a buffer into a part of this vector. The buffer's position stays.
     *
     * @param skipBytes where the part begins
     * @param source the buffer
     * @param offset where to begin in it, absolute
     * @param length the bytes to copy
     */
    public void copyFrom(long skipBytes, ByteBuffer source, int offset, int length) {
        Objects.checkFromIndexSize(skipBytes, length, bytes);
        Objects.checkFromIndexSize(offset, length, source.limit());
        long skip = skipBytes;
        int done = 0;
        for (int i = 0; done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(lengths[i] - skip, length - done);
            bases[i].put(offsets[i] + (int) skip, source, offset + done, part);
            skip = 0;
            done += part;
        }
        surfaceFaults();
    }

    /**
     * Copies a part of this vector into an array.
     *
     * @param skipBytes where the part begins
     * @param target the array
     * @param offset where to begin in it
     * @param length the bytes to copy
     */
    public void copyTo(long skipBytes, byte[] target, int offset, int length) {
        Objects.checkFromIndexSize(skipBytes, length, bytes);
        Objects.checkFromIndexSize(offset, length, target.length);
        long skip = skipBytes;
        int done = 0;
        for (int i = 0; done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(lengths[i] - skip, length - done);
            bases[i].get(offsets[i] + (int) skip, target, offset + done, part);
            skip = 0;
            done += part;
        }
        surfaceFaults();
    }

    /**
     * Copies a part of this vector into a buffer. The buffer's position stays.
     *
     * @param skipBytes where the part begins
     * @param target the buffer
     * @param offset where to begin in it, absolute
     * @param length the bytes to copy
     */
    public void copyTo(long skipBytes, ByteBuffer target, int offset, int length) {
        Objects.checkFromIndexSize(skipBytes, length, bytes);
        Objects.checkFromIndexSize(offset, length, target.limit());
        long skip = skipBytes;
        int done = 0;
        for (int i = 0; done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(lengths[i] - skip, length - done);
            target.put(offset + done, bases[i], offsets[i] + (int) skip, part);
            skip = 0;
            done += part;
        }
        surfaceFaults();
    }

    /**
     * Fills a part of a buffer with zeroes, by absolute access.
     *
     * @param base the buffer
     * @param offset where the part begins
     * @param length its bytes
     */
    public static void zero(ByteBuffer base, int offset, int length) {
        for (int done = 0; done < length; ) {
            int part = Math.min(ZEROES.length, length - done);
            base.put(offset + done, ZEROES, 0, part);
            done += part;
        }
    }

    @Override
    public String toString() {
        return "IoVector[" + bytes + " bytes in " + segments + " segments]";
    }

    private void surfaceFaults() {
        if (faults != null) {
            faults.surface();
        }
    }

    private void grow() {
        int capacity = segments * 2;
        ByteBuffer[] moreBases = Arrays.copyOf(bases, capacity);
        Arrays.fill(moreBases, segments, capacity, NO_BUFFER);
        bases = moreBases;
        offsets = Arrays.copyOf(offsets, capacity);
        lengths = Arrays.copyOf(lengths, capacity);
    }
}
