package dev.quiesce.scsi.spec;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a MODE SELECT command comes to: either a sense to refuse it with, or the parameters to apply
 * (CMD-35).
 *
 * <p>Decoding changes nothing by itself. The whole list is validated before the caller sees new
 * parameters, so a list with a fault at its end has no effect at all; in particular not on the
 * block size, which cannot be changed (SBUG-67). If the write cache went from on to off, the
 * command must not end before a flush did.
 *
 * <p>Any thread; immutable. Decoding allocates.
 *
 * @param sense null if the command succeeds
 * @param parameters the parameters to be in effect from now on; the current ones if the command is
 *     refused
 */
public record ModeSelect(@Nullable Sense sense, ModeParameters parameters) {
    private static final int PF = 0x10;
    private static final int SP = 0x01;
    private static final int SPF = 0x40;
    private static final long BLOCKS_32_MAX = 0xFFFF_FFFFL;
    private static final long BLOCKS_ALL_ONES = -1;

    /**
     * Decodes and validates the parameter list of a MODE SELECT(6) or (10).
     *
     * @param modeSelect the command
     * @param list holds the parameter list at index 0
     * @param length the number of bytes that were received
     * @param pages the unit's mode pages
     * @param current the current parameters
     * @return the outcome
     * @throws IndexOutOfBoundsException if {@code length} is negative or exceeds the array
     */
    public static ModeSelect decode(
            Cdb modeSelect, byte[] list, int length, ModePages pages, ModeParameters current) {
        Objects.checkFromIndexSize(0, length, list.length);
        if ((modeSelect.u8(1) & (PF | SP)) != PF) {
            return new ModeSelect(Sense.INVALID_FIELD_IN_CDB, current);
        }
        if (length == 0) {
            return new ModeSelect(null, current);
        }
        boolean six = modeSelect.format() == CdbFormat.MODE_SELECT_6;
        int header = six ? ModePages.HEADER_6_BYTES : ModePages.HEADER_10_BYTES;
        if (length < header) {
            return new ModeSelect(Sense.LIST_LENGTH_ERROR, current);
        }
        int descriptor = six ? BigEndian.u8(list, 3) : BigEndian.u16(list, 6);
        if (descriptor > length - header) {
            return new ModeSelect(Sense.LIST_LENGTH_ERROR, current);
        }
        boolean longLba = !six && (list[4] & ModePages.LONGLBA) != 0;
        if (!isAcceptable(list, header, descriptor, longLba, pages.capacity())) {
            return new ModeSelect(Sense.INVALID_FIELD_IN_LIST, current);
        }
        return decodePages(list, header + descriptor, length, current);
    }

    /** Whether the block descriptor is absent or asks for what the unit already has. */
    private static boolean isAcceptable(
            byte[] list, int at, int descriptor, boolean longLba, Capacity capacity) {
        if (descriptor == 0) {
            return true;
        }
        if (longLba) {
            return descriptor == ModePages.LONG_DESCRIPTOR_BYTES
                    && BigEndian.u32(list, at + 12) == capacity.blockSizeBytes()
                    && isUnchanged(
                            BigEndian.unsigned(list, at, 8), capacity.blocks(), BLOCKS_ALL_ONES);
        }
        return descriptor == ModePages.SHORT_DESCRIPTOR_BYTES
                && BigEndian.u24(list, at + 5) == capacity.blockSizeBytes()
                && isUnchanged(
                        BigEndian.u32(list, at), ModePages.shortBlocks(capacity), BLOCKS_32_MAX);
    }

    /** Zero leaves the number of blocks alone, all ones ask for the most there are. */
    private static boolean isUnchanged(long blocks, long reported, long most) {
        return blocks == 0 || blocks == reported || blocks == most;
    }

    private static ModeSelect decodePages(
            byte[] list, int start, int length, ModeParameters current) {
        ModeParameters wanted = current;
        int at = start;
        while (at < length) {
            Sense fault = checkPage(list, at, length, current);
            if (fault != null) {
                return new ModeSelect(fault, current);
            }
            int page = list[at] & ModePages.PAGE_CODE_MASK;
            wanted = withPage(page, list, at, wanted);
            at += ModePages.PAGE_HEADER_BYTES + ModePages.contentBytes(page);
        }
        return new ModeSelect(null, wanted);
    }

    private static @Nullable Sense checkPage(
            byte[] list, int at, int length, ModeParameters current) {
        int available = length - at;
        boolean subpage = (list[at] & SPF) != 0;
        if (available < (subpage ? 2 : 1) * ModePages.PAGE_HEADER_BYTES) {
            return Sense.LIST_LENGTH_ERROR;
        }
        int page = list[at] & ModePages.PAGE_CODE_MASK;
        int content = ModePages.contentBytes(page);
        if (subpage || content == 0 || content != BigEndian.u8(list, at + 1)) {
            return Sense.INVALID_FIELD_IN_LIST;
        }
        if (available < ModePages.PAGE_HEADER_BYTES + content) {
            return Sense.LIST_LENGTH_ERROR;
        }
        return changesFixedBit(page, list, at, current) ? Sense.INVALID_FIELD_IN_LIST : null;
    }

    private static boolean changesFixedBit(
            int page, byte[] list, int at, ModeParameters current) {
        int size = ModePages.PAGE_HEADER_BYTES + ModePages.contentBytes(page);
        byte[] values = new byte[size];
        byte[] changeable = new byte[size];
        ModePages.putValues(page, current, values, 0);
        ModePages.putChangeable(page, changeable, 0);
        for (int i = ModePages.PAGE_HEADER_BYTES; i < size; i++) {
            if (((list[at + i] ^ values[i]) & ~changeable[i]) != 0) {
                return true;
            }
        }
        return false;
    }

    private static ModeParameters withPage(
            int page, byte[] list, int at, ModeParameters parameters) {
        return switch (page) {
            case ModePages.PAGE_CACHING ->
                    parameters.withWriteCache((list[at + 2] & ModePages.WCE) != 0);
            case ModePages.PAGE_CONTROL ->
                    parameters.withDescriptorSense((list[at + 2] & ModePages.D_SENSE) != 0)
                            .withSoftwareWriteProtect((list[at + 4] & ModePages.SWP) != 0);
            default -> parameters;
        };
    }
}
