package dev.quiesce.scsi.spec;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The parameter list of UNMAP, validated as a whole before anything is applied (CMD-36), and then a
 * re-usable view on its block descriptors by index, so that a command that stops half way can
 * resume at any of them.
 *
 * <p>The list is not copied: it must be the request's own buffer, not guest memory, and must stay
 * unchanged until the next {@link #parse}. Confined to the home context of the request that owns
 * it. No method allocates.
 */
public final class UnmapParameters {
    private static final int HEADER_BYTES = 8;
    private static final int DESCRIPTOR_BYTES = 16;
    private static final byte[] EMPTY = {};

    private byte[] list = EMPTY;
    private int count;

    /** Creates a view on an empty list. Any thread. */
    public UnmapParameters() {
    }

    /**
     * Checks the command itself: ANCHOR is not supported.
     *
     * @param unmap the command
     * @return null, or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public static @Nullable Sense checkCdb(Cdb unmap) {
        return unmap.anchor() ? Sense.INVALID_FIELD_IN_CDB : null;
    }

    /**
     * Validates a list. A list that is empty or has no descriptors is fine and asks for nothing.
     *
     * @param list holds the parameter list at index 0; kept until the next call
     * @param length the number of bytes that were received
     * @param capacityBlocks the unit's capacity
     * @param limits the advertised limits, which are enforced
     * @return null if every descriptor may be applied; else the sense of the first fault, and the
     *     view is empty
     * @throws IndexOutOfBoundsException if {@code length} is negative or exceeds the array
     */
    public @Nullable Sense parse(
            byte[] list, int length, long capacityBlocks, BlockLimitsPage limits) {
        Objects.checkFromIndexSize(0, length, list.length);
        this.list = list;
        count = 0;
        if (length == 0) {
            return null;
        }
        if (length < HEADER_BYTES) {
            return Sense.LIST_LENGTH_ERROR;
        }
        int descriptorBytes = BigEndian.u16(list, 2);
        if (BigEndian.u16(list, 0) + 2 > length
                || descriptorBytes + HEADER_BYTES > length
                || descriptorBytes % DESCRIPTOR_BYTES != 0) {
            return Sense.LIST_LENGTH_ERROR;
        }
        int descriptors = descriptorBytes / DESCRIPTOR_BYTES;
        Sense fault = checkDescriptors(descriptors, capacityBlocks, limits);
        count = fault == null ? descriptors : 0;
        return fault;
    }

    /**
     * The number of descriptors.
     *
     * @return the number, zero if the last list was refused
     */
    public int count() {
        return count;
    }

    /**
     * The first block of a range.
     *
     * @param index 0 to {@link #count} - 1
     * @return the logical block address, within the capacity
     * @throws IndexOutOfBoundsException if there is no such descriptor
     */
    public long lba(int index) {
        Objects.checkIndex(index, count);
        return lbaAt(index);
    }

    /**
     * The length of a range.
     *
     * @param index 0 to {@link #count} - 1
     * @return the number of blocks, 0 to 2^32 - 1; 0 asks for nothing
     * @throws IndexOutOfBoundsException if there is no such descriptor
     */
    public long blocks(int index) {
        Objects.checkIndex(index, count);
        return blocksAt(index);
    }

    private @Nullable Sense checkDescriptors(
            int descriptors, long capacityBlocks, BlockLimitsPage limits) {
        if (descriptors > limits.unmapDescriptorsMax()) {
            return Sense.INVALID_FIELD_IN_LIST;
        }
        long total = 0;
        for (int i = 0; i < descriptors; i++) {
            long lba = lbaAt(i);
            long blocks = blocksAt(i);
            if (lba < 0 || lba > capacityBlocks || blocks > capacityBlocks - lba) {
                return Sense.LBA_OUT_OF_RANGE;
            }
            total += blocks;
        }
        boolean tooMany = limits.unmapBlocksMax() != BlockLimitsPage.UNLIMITED
                && total > limits.unmapBlocksMax();
        return tooMany ? Sense.INVALID_FIELD_IN_LIST : null;
    }

    private long lbaAt(int index) {
        return BigEndian.unsigned(list, HEADER_BYTES + index * DESCRIPTOR_BYTES, 8);
    }

    private long blocksAt(int index) {
        return BigEndian.u32(list, HEADER_BYTES + index * DESCRIPTOR_BYTES + 8);
    }
}
