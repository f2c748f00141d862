package dev.quiesce.testkit.guest;

import dev.quiesce.scsi.spec.CdbFormat;
import java.nio.ByteBuffer;

/**
 * Command descriptor blocks as Linux's drivers build them. Any thread; each call makes a new
 * array.
 */
public final class GuestCdb {
    private static final int EVPD = 1;
    private static final int UNMAP_BIT = 0x08;
    private static final int FUA_BIT = 0x08;

    private GuestCdb() {
    }

    /**
     * TEST UNIT READY.
     *
     * @return the CDB
     */
    public static byte[] testUnitReady() {
        return CdbFormat.TEST_UNIT_READY.newCdb();
    }

    /**
     * REQUEST SENSE, fixed format.
     *
     * @param allocationBytes room for the answer
     * @return the CDB
     */
    public static byte[] requestSense(int allocationBytes) {
        byte[] cdb = CdbFormat.REQUEST_SENSE.newCdb();
        cdb[4] = (byte) allocationBytes;
        return cdb;
    }

    /**
     * INQUIRY, standard data.
     *
     * @param allocationBytes room for the answer
     * @return the CDB
     */
    public static byte[] inquiry(int allocationBytes) {
        byte[] cdb = CdbFormat.INQUIRY.newCdb();
        ByteBuffer.wrap(cdb).putShort(3, (short) allocationBytes);
        return cdb;
    }

    /**
     * INQUIRY, vital product data.
     *
     * @param page the page code
     * @param allocationBytes room for the answer
     * @return the CDB
     */
    public static byte[] vpd(int page, int allocationBytes) {
        byte[] cdb = inquiry(allocationBytes);
        cdb[1] = EVPD;
        cdb[2] = (byte) page;
        return cdb;
    }

    /**
     * REPORT LUNS without well-known units.
     *
     * @param allocationBytes room for the answer
     * @return the CDB
     */
    public static byte[] reportLuns(int allocationBytes) {
        byte[] cdb = CdbFormat.REPORT_LUNS.newCdb();
        ByteBuffer.wrap(cdb).putInt(6, allocationBytes);
        return cdb;
    }

    /**
     * READ CAPACITY(16).
     *
     * @return the CDB, for an answer of 32 bytes
     */
    public static byte[] readCapacity16() {
        byte[] cdb = CdbFormat.READ_CAPACITY_16.newCdb();
        ByteBuffer.wrap(cdb).putInt(10, 32);
        return cdb;
    }

    /**
     * READ CAPACITY(10).
     *
     * @return the CDB, for an answer of 8 bytes
     */
    public static byte[] readCapacity10() {
        return CdbFormat.READ_CAPACITY_10.newCdb();
    }

    /**
     * MODE SENSE(6), current values.
     *
     * @param page the page code, 3Fh for all
     * @param allocationBytes room for the answer
     * @return the CDB
     */
    public static byte[] modeSense6(int page, int allocationBytes) {
        byte[] cdb = CdbFormat.MODE_SENSE_6.newCdb();
        cdb[2] = (byte) page;
        cdb[4] = (byte) allocationBytes;
        return cdb;
    }

    /**
     * REPORT SUPPORTED OPERATION CODES about one command without service actions.
     *
     * @param opcode the command
     * @param allocationBytes room for the answer
     * @return the CDB
     */
    public static byte[] reportSupportedOpcode(int opcode, int allocationBytes) {
        byte[] cdb = CdbFormat.REPORT_SUPPORTED_OPCODES.newCdb();
        cdb[2] = 1;
        cdb[3] = (byte) opcode;
        ByteBuffer.wrap(cdb).putInt(6, allocationBytes);
        return cdb;
    }

    /**
     * READ(10).
     *
     * @param lba first block
     * @param blocks number of blocks
     * @return the CDB
     */
    public static byte[] read10(long lba, int blocks) {
        return ten(CdbFormat.READ_10, lba, blocks);
    }

    /**
     * READ(16).
     *
     * @param lba first block
     * @param blocks number of blocks
     * @return the CDB
     */
    public static byte[] read16(long lba, int blocks) {
        return sixteen(CdbFormat.READ_16, lba, blocks);
    }

    /**
     * WRITE(10).
     *
     * @param lba first block
     * @param blocks number of blocks
     * @param fua whether the data must reach the medium before the answer
     * @return the CDB
     */
    public static byte[] write10(long lba, int blocks, boolean fua) {
        byte[] cdb = ten(CdbFormat.WRITE_10, lba, blocks);
        cdb[1] = (byte) (fua ? FUA_BIT : 0);
        return cdb;
    }

    /**
     * WRITE(16).
     *
     * @param lba first block
     * @param blocks number of blocks
     * @param fua whether the data must reach the medium before the answer
     * @return the CDB
     */
    public static byte[] write16(long lba, int blocks, boolean fua) {
        byte[] cdb = sixteen(CdbFormat.WRITE_16, lba, blocks);
        cdb[1] = (byte) (fua ? FUA_BIT : 0);
        return cdb;
    }

    /**
     * SYNCHRONIZE CACHE(10) of the whole disk.
     *
     * @return the CDB
     */
    public static byte[] synchronizeCache10() {
        return CdbFormat.SYNCHRONIZE_CACHE_10.newCdb();
    }

    /**
     * WRITE SAME(16) of one block.
     *
     * @param lba first block
     * @param blocks number of blocks
     * @param unmap whether the device may unmap instead
     * @return the CDB, for a data-out buffer of one block
     */
    public static byte[] writeSame16(long lba, int blocks, boolean unmap) {
        byte[] cdb = sixteen(CdbFormat.WRITE_SAME_16, lba, blocks);
        cdb[1] = (byte) (unmap ? UNMAP_BIT : 0);
        return cdb;
    }

    /**
     * UNMAP with a parameter list.
     *
     * @param listBytes length of the list
     * @return the CDB
     */
    public static byte[] unmap(int listBytes) {
        byte[] cdb = CdbFormat.UNMAP.newCdb();
        ByteBuffer.wrap(cdb).putShort(7, (short) listBytes);
        return cdb;
    }

    /**
     * The parameter list of UNMAP for one range.
     *
     * @param lba first block
     * @param blocks number of blocks
     * @return 24 bytes
     */
    public static byte[] unmapList(long lba, int blocks) {
        return ByteBuffer.allocate(24)
                .putShort(0, (short) 22).putShort(2, (short) 16)
                .putLong(8, lba).putInt(16, blocks).array();
    }

    private static byte[] ten(CdbFormat format, long lba, int blocks) {
        byte[] cdb = format.newCdb();
        ByteBuffer.wrap(cdb).putInt(2, (int) lba).putShort(7, (short) blocks);
        return cdb;
    }

    private static byte[] sixteen(CdbFormat format, long lba, int blocks) {
        byte[] cdb = format.newCdb();
        ByteBuffer.wrap(cdb).putLong(2, lba).putInt(10, blocks);
        return cdb;
    }
}
