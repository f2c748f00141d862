package dev.quiesce.block;

/**
 * What a node accepts and prefers. Immutable; any thread. Bounds are in bytes;
 * {@link #UNLIMITED} stands for "no bound". Making one checks that alignments and bounds are
 * positive, that those of requests and memory are powers of two and that one transfer holds at
 * least one unit, and throws {@link IllegalArgumentException} naming the value that is not.
 *
 * @param requestAlignmentBytes offset and length of every request are multiples of it
 * @param maxTransferBytes most bytes of one read or write; at least one alignment unit
 * @param maxWriteZeroesBytes most bytes of one {@link Operation#WRITE_ZEROES}
 * @param maxDiscardBytes most bytes of one {@link Operation#DISCARD}
 * @param discardAlignmentBytes a discard frees storage in units of this; need not be a power of two
 * @param canDiscard whether {@link Operation#DISCARD} does anything
 * @param discardReadsZero whether a discarded range reads as zeroes from then on
 * @param canWriteZeroes whether {@link Operation#WRITE_ZEROES} is supported
 * @param readOnly whether modifying requests are refused
 * @param memoryAlignmentBytes address alignment the payload's buffers should have
 */
public record BlockLimits(
        int requestAlignmentBytes,
        long maxTransferBytes,
        long maxWriteZeroesBytes,
        long maxDiscardBytes,
        int discardAlignmentBytes,
        boolean canDiscard,
        boolean discardReadsZero,
        boolean canWriteZeroes,
        boolean readOnly,
        int memoryAlignmentBytes) {

    /** The bound that bounds nothing. */
    public static final long UNLIMITED = Long.MAX_VALUE;

    /**
     * Checks every value.
     *
     * @param requestAlignmentBytes as the component
     * @param maxTransferBytes as the component
     * @param maxWriteZeroesBytes as the component
     * @param maxDiscardBytes as the component
     * @param discardAlignmentBytes as the component
     * @param canDiscard as the component
     * @param discardReadsZero as the component
     * @param canWriteZeroes as the component
     * @param readOnly as the component
     * @param memoryAlignmentBytes as the component
     * @throws IllegalArgumentException naming the first value that is out of its range
     */
    public BlockLimits {
        requirePowerOfTwo("requestAlignmentBytes", requestAlignmentBytes);
        requirePowerOfTwo("memoryAlignmentBytes", memoryAlignmentBytes);
        require("discardAlignmentBytes", discardAlignmentBytes, 1);
        require("maxTransferBytes", maxTransferBytes, requestAlignmentBytes);
        require("maxWriteZeroesBytes", maxWriteZeroesBytes, 1);
        require("maxDiscardBytes", maxDiscardBytes, 1);
    }

    /**
     * Limits of storage that takes anything: byte alignment, no bound, no discard, zeroes written,
     * writable.
     *
     * @return the limits from which a driver derives its own
     */
    public static BlockLimits unlimited() {
        return new BlockLimits(
                1, UNLIMITED, UNLIMITED, UNLIMITED, 1, false, false, true, false, 1);
    }

    /**
     * The limits under which both parties can work: the larger alignments, the smaller bounds, and
     * only what both can do. The transfer bound is rounded down to the request alignment, but never
     * below one unit of it.
     *
     * @param other the other party's limits
     * @return the stricter of both in every respect
     */
    public BlockLimits merge(BlockLimits other) {
        int alignment = Math.max(requestAlignmentBytes, other.requestAlignmentBytes);
        long transfer = Math.min(maxTransferBytes, other.maxTransferBytes);
        return new BlockLimits(
                alignment,
                transfer == UNLIMITED ? transfer : Math.max(alignment, transfer & -alignment),
                Math.min(maxWriteZeroesBytes, other.maxWriteZeroesBytes),
                Math.min(maxDiscardBytes, other.maxDiscardBytes),
                commonMultiple(discardAlignmentBytes, other.discardAlignmentBytes),
                canDiscard && other.canDiscard,
                discardReadsZero && other.discardReadsZero,
                canWriteZeroes && other.canWriteZeroes,
                readOnly || other.readOnly,
                Math.max(memoryAlignmentBytes, other.memoryAlignmentBytes));
    }

    /**
     * A copy with other alignments of requests and memory; the transfer bound is kept to the rules
     * of {@link #merge}.
     *
     * @param bytes the new request alignment, a power of two
     * @param memoryBytes the new memory alignment, a power of two
     * @return the copy
     */
    public BlockLimits withAlignment(int bytes, int memoryBytes) {
        requirePowerOfTwo("requestAlignmentBytes", bytes);
        long transfer = maxTransferBytes == UNLIMITED
                ? UNLIMITED : Math.max(bytes, maxTransferBytes & -bytes);
        return new BlockLimits(bytes, transfer, maxWriteZeroesBytes, maxDiscardBytes,
                discardAlignmentBytes, canDiscard, discardReadsZero, canWriteZeroes, readOnly,
                memoryBytes);
    }

    /**
     * A copy with other bounds.
     *
     * @param transferBytes most bytes of one read or write
     * @param writeZeroesBytes most bytes of one write-zeroes
     * @param discardBytes most bytes of one discard
     * @return the copy
     */
    public BlockLimits withBounds(long transferBytes, long writeZeroesBytes, long discardBytes) {
        return new BlockLimits(requestAlignmentBytes, transferBytes, writeZeroesBytes, discardBytes,
                discardAlignmentBytes, canDiscard, discardReadsZero, canWriteZeroes, readOnly,
                memoryAlignmentBytes);
    }

    /**
     * A copy that can discard.
     *
     * @param alignmentBytes the unit in which a discard frees storage
     * @param readsZero whether a discarded range reads as zeroes
     * @return the copy
     */
    public BlockLimits withDiscard(int alignmentBytes, boolean readsZero) {
        return new BlockLimits(requestAlignmentBytes, maxTransferBytes, maxWriteZeroesBytes,
                maxDiscardBytes, alignmentBytes, true, readsZero, canWriteZeroes, readOnly,
                memoryAlignmentBytes);
    }

    /**
     * A copy that is read-only, or is not.
     *
     * @param value whether modifying requests are refused
     * @return the copy
     */
    public BlockLimits withReadOnly(boolean value) {
        return new BlockLimits(requestAlignmentBytes, maxTransferBytes, maxWriteZeroesBytes,
                maxDiscardBytes, discardAlignmentBytes, canDiscard, discardReadsZero,
                canWriteZeroes, value, memoryAlignmentBytes);
    }

    /**
     * Whether a range keeps to the request alignment.
     *
     * @param offsetBytes the range's start
     * @param lengthBytes the range's length
     * @return true if both are multiples of it
     */
    public boolean isAligned(long offsetBytes, long lengthBytes) {
        return ((offsetBytes | lengthBytes) & (requestAlignmentBytes - 1)) == 0;
    }

    private static int commonMultiple(int left, int right) {
        int a = left;
        int b = right;
        while (b != 0) {
            int rest = a % b;
            a = b;
            b = rest;
        }
        long multiple = (long) left / a * right;
        return (int) Math.min(multiple, Integer.MAX_VALUE);
    }

    private static void require(String what, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " must be at least " + least + ": " + value);
        }
    }

    private static void requirePowerOfTwo(String what, int value) {
        if (value <= 0 || (value & (value - 1)) != 0) {
            throw new IllegalArgumentException(what + " must be a power of two: " + value);
        }
    }
}
