package dev.quiesce.scsi.spec;

import org.jspecify.annotations.Nullable;

/**
 * The mode pages of a disk and the data of MODE SENSE(6) and (10) (CMD-31 to CMD-33, CMD-89).
 *
 * <p>There are three pages: 01h read-write error recovery, 08h caching and 0Ah control. None has
 * subpages, and none can be saved. Any thread; immutable.
 *
 * @param capacity size and block size, for the block descriptor
 * @param readOnly whether the disk is write protected for good
 * @param dpoFua whether DPO and FUA are honoured and advertised (CMD-90)
 * @param defaults what a reset returns to
 */
public record ModePages(
        Capacity capacity, boolean readOnly, boolean dpoFua, ModeParameters defaults) {
    /** Room that is enough for any MODE SENSE data. */
    public static final int LENGTH_BYTES_MAX = 128;

    static final int PAGE_ERROR_RECOVERY = 0x01;
    static final int PAGE_CACHING = 0x08;
    static final int PAGE_CONTROL = 0x0A;
    static final int PAGE_ALL = 0x3F;
    static final int PAGE_CODE_MASK = 0x3F;
    static final int PAGE_HEADER_BYTES = 2;
    static final int HEADER_6_BYTES = 4;
    static final int HEADER_10_BYTES = 8;
    static final int SHORT_DESCRIPTOR_BYTES = 8;
    static final int LONG_DESCRIPTOR_BYTES = 16;
    static final int LONGLBA = 0x01;
    static final int WCE = 0x04;
    static final int D_SENSE = 0x04;
    static final int SWP = 0x08;

    private static final int SUBPAGE_ALL = 0xFF;
    private static final int CONTROL_CHANGEABLE = 1;
    private static final int CONTROL_DEFAULT = 2;
    private static final int CONTROL_SAVED = 3;
    private static final int DBD = 0x08;
    private static final int LLBAA = 0x10;
    private static final int WRITE_PROTECTED = 0x80;
    private static final int DPOFUA = 0x10;
    private static final int AWRE = 0x80;
    private static final int UNRESTRICTED_REORDERING = 0x10;
    private static final long SHORT_BLOCKS_MAX = 0xFF_FFFFL;

    /**
     * Checks a MODE SENSE command: there are no saved values, and page and subpage must exist.
     *
     * @param modeSense the command, either form
     * @return null, {@link Sense#SAVING_NOT_SUPPORTED} or {@link Sense#INVALID_FIELD_IN_CDB}
     */
    public static @Nullable Sense check(Cdb modeSense) {
        if (pageControl(modeSense) == CONTROL_SAVED) {
            return Sense.SAVING_NOT_SUPPORTED;
        }
        int page = pageCode(modeSense);
        int subpage = modeSense.u8(3);
        boolean exists = page == PAGE_ALL || contentBytes(page) > 0;
        return exists && (subpage == 0 || subpage == SUBPAGE_ALL)
                ? null
                : Sense.INVALID_FIELD_IN_CDB;
    }

    /**
     * Writes the data that a command which passed {@link #check} asks for.
     *
     * @param modeSense the command, either form
     * @param current the current parameters
     * @param dst receives the data at index 0, {@link #LENGTH_BYTES_MAX} at most
     * @return the length of the data
     * @throws IllegalArgumentException if the room is too small
     */
    public int encode(Cdb modeSense, ModeParameters current, byte[] dst) {
        BigEndian.clear(dst, LENGTH_BYTES_MAX);
        boolean six = modeSense.format() == CdbFormat.MODE_SENSE_6;
        boolean longLba = !six && (modeSense.u8(1) & LLBAA) != 0;
        int header = six ? HEADER_6_BYTES : HEADER_10_BYTES;
        boolean omitDescriptor = (modeSense.u8(1) & DBD) != 0 || capacity.blocks() == 0;
        int descriptor = omitDescriptor ? 0 : putBlockDescriptor(longLba, dst, header);
        int length = header + descriptor;
        for (int page = 0; page < PAGE_ALL; page++) {
            int wanted = pageCode(modeSense);
            if (contentBytes(page) > 0 && (wanted == PAGE_ALL || wanted == page)) {
                length += putPage(page, pageControl(modeSense), current, dst, length);
            }
        }
        int device = (readOnly || current.softwareWriteProtect() ? WRITE_PROTECTED : 0)
                | (dpoFua ? DPOFUA : 0);
        if (six) {
            putHeader6(length, device, descriptor, dst);
        } else {
            putHeader10(length, device, descriptor, dst);
        }
        return length;
    }

    /** The length of a page without its header; 0 if there is no such page. */
    static int contentBytes(int page) {
        return switch (page) {
            case PAGE_ERROR_RECOVERY, PAGE_CONTROL -> 0x0A;
            case PAGE_CACHING -> 0x12;
            default -> 0;
        };
    }

    /** The number of blocks as the short block descriptor states it (CMD-32). */
    static long shortBlocks(Capacity capacity) {
        return Math.min(capacity.blocks(), SHORT_BLOCKS_MAX);
    }

    /** Writes the values of a page, with its header. */
    static void putValues(int page, ModeParameters values, byte[] dst, int at) {
        putPageHeader(page, dst, at);
        switch (page) {
            case PAGE_ERROR_RECOVERY -> BigEndian.put8(dst, at + 2, AWRE);
            case PAGE_CACHING -> BigEndian.put8(dst, at + 2, values.writeCache() ? WCE : 0);
            case PAGE_CONTROL -> {
                BigEndian.put8(dst, at + 2, values.descriptorSense() ? D_SENSE : 0);
                BigEndian.put8(dst, at + 3, UNRESTRICTED_REORDERING);
                BigEndian.put8(dst, at + 4, values.softwareWriteProtect() ? SWP : 0);
            }
            default -> throw new IllegalArgumentException("page " + page);
        }
    }

    /** Writes the mask of the bits of a page that MODE SELECT can change, with its header. */
    static void putChangeable(int page, byte[] dst, int at) {
        putPageHeader(page, dst, at);
        switch (page) {
            case PAGE_ERROR_RECOVERY -> { }
            case PAGE_CACHING -> BigEndian.put8(dst, at + 2, WCE);
            case PAGE_CONTROL -> {
                BigEndian.put8(dst, at + 2, D_SENSE);
                BigEndian.put8(dst, at + 4, SWP);
            }
            default -> throw new IllegalArgumentException("page " + page);
        }
    }

    private int putPage(int page, int control, ModeParameters current, byte[] dst, int at) {
        switch (control) {
            case CONTROL_CHANGEABLE -> putChangeable(page, dst, at);
            case CONTROL_DEFAULT -> putValues(page, defaults, dst, at);
            default -> putValues(page, current, dst, at);
        }
        return PAGE_HEADER_BYTES + contentBytes(page);
    }

    private static void putPageHeader(int page, byte[] dst, int at) {
        BigEndian.put8(dst, at, page);
        BigEndian.put8(dst, at + 1, contentBytes(page));
    }

    private int putBlockDescriptor(boolean longLba, byte[] dst, int at) {
        if (longLba) {
            BigEndian.put64(dst, at, capacity.blocks());
            BigEndian.put32(dst, at + 12, capacity.blockSizeBytes());
            return LONG_DESCRIPTOR_BYTES;
        }
        BigEndian.put32(dst, at, shortBlocks(capacity));
        BigEndian.put24(dst, at + 5, capacity.blockSizeBytes());
        return SHORT_DESCRIPTOR_BYTES;
    }

    private static void putHeader6(int length, int device, int descriptor, byte[] dst) {
        BigEndian.put8(dst, 0, length - 1);
        BigEndian.put8(dst, 2, device);
        BigEndian.put8(dst, 3, descriptor);
    }

    private static void putHeader10(int length, int device, int descriptor, byte[] dst) {
        BigEndian.put16(dst, 0, length - 2);
        BigEndian.put8(dst, 3, device);
        BigEndian.put8(dst, 4, descriptor == LONG_DESCRIPTOR_BYTES ? LONGLBA : 0);
        BigEndian.put16(dst, 6, descriptor);
    }

    private static int pageCode(Cdb modeSense) {
        return modeSense.u8(2) & PAGE_CODE_MASK;
    }

    private static int pageControl(Cdb modeSense) {
        return modeSense.u8(2) >> 6;
    }
}
