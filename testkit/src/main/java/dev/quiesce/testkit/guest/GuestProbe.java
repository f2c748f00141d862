package dev.quiesce.testkit.guest;

import dev.quiesce.scsi.spec.CdbFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the disks of a bus with the commands that Linux sends: INQUIRY to LUN 0 of every target,
 * REPORT LUNS, then per disk TEST UNIT READY, READ CAPACITY(16), MODE SENSE, the vital product
 * data and REPORT SUPPORTED OPERATION CODES.
 *
 * <p>Confined to the thread that runs the guest.
 */
public final class GuestProbe {
    private static final int PAGE_SERIAL = 0x80;
    private static final int PAGE_LIMITS = 0xB0;
    private static final int PAGE_CHARACTERISTICS = 0xB1;
    private static final int PAGE_PROVISIONING = 0xB2;
    private static final int CACHING_PAGE = 0x08;
    private static final int SUPPORTED = 3;
    private static final int ANSWER_BYTES = 252;

    private final GuestSession session;

    /**
     * Makes a probe.
     *
     * @param session sends the commands; its buffer takes at least 4096 bytes
     */
    public GuestProbe(GuestSession session) {
        this.session = session;
    }

    /**
     * Looks at every target.
     *
     * @param targetMax highest target to look at
     * @return the disks, by target and LUN
     */
    public List<FoundDisk> scan(int targetMax) {
        List<FoundDisk> found = new ArrayList<>();
        for (int target = 0; target <= targetMax; target++) {
            session.read(target, 0, GuestCdb.inquiry(36), 36);
            if (session.answer().response() == GuestCommand.RESPONSE_OK) {
                for (int lun : luns(target)) {
                    if (isDisk(target, lun)) {
                        found.add(disk(target, lun));
                    }
                }
            }
        }
        return found;
    }

    /**
     * Looks at one disk.
     *
     * @param target its target
     * @param lun its logical unit number
     * @return what it says
     * @throws IllegalStateException if it does not answer as a disk must
     */
    public FoundDisk disk(int target, int lun) {
        ready(target, lun);
        byte[] inquiry = must(target, lun, GuestCdb.inquiry(96), 96, 36);
        ByteBuffer capacity = ByteBuffer.wrap(must(target, lun, GuestCdb.readCapacity16(), 32, 32));
        must(target, lun, GuestCdb.modeSense6(0x3F, ANSWER_BYTES), ANSWER_BYTES, 4);
        byte[] caching = must(target, lun, GuestCdb.modeSense6(CACHING_PAGE, ANSWER_BYTES),
                ANSWER_BYTES, 4);
        int cachingPage = 4 + (caching[3] & 0xFF);
        byte[] pages = must(target, lun, GuestCdb.vpd(0, ANSWER_BYTES), ANSWER_BYTES, 4);
        byte[] characteristics = page(target, lun, pages, PAGE_CHARACTERISTICS);
        byte[] provisioning = page(target, lun, pages, PAGE_PROVISIONING);
        must(target, lun, GuestCdb.vpd(0x83, ANSWER_BYTES), ANSWER_BYTES, 4);
        page(target, lun, pages, PAGE_LIMITS);
        boolean lbpu = provisioning.length > 5 && (provisioning[5] & 0x80) != 0;
        int blockSize = capacity.getInt(8);
        return new FoundDisk(target, lun,
                text(inquiry, 8, 8), text(inquiry, 16, 16), text(inquiry, 32, 4),
                serial(page(target, lun, pages, PAGE_SERIAL)),
                capacity.getLong(0) + 1, blockSize, blockSize << (capacity.get(13) & 0x0F),
                caching.length > cachingPage + 2 && (caching[cachingPage + 2] & 0x04) != 0,
                (caching[2] & 0x10) != 0, (caching[2] & 0x80) != 0,
                lbpu, supports(target, lun, CdbFormat.WRITE_SAME_16),
                (capacity.get(14) & 0x40) != 0,
                characteristics.length > 5 && ByteBuffer.wrap(characteristics).getShort(4) != 1);
    }

    private List<Integer> luns(int target) {
        byte[] list = session.read(target, 0, GuestCdb.reportLuns(4096), 4096);
        List<Integer> luns = new ArrayList<>();
        int end = list.length < 8 ? 0 : Math.min(list.length, 8 + ByteBuffer.wrap(list).getInt(0));
        for (int at = 8; at + 8 <= end; at += 8) {
            luns.add((list[at] & 0x3F) << Byte.SIZE | (list[at + 1] & 0xFF));
        }
        return luns;
    }

    private boolean isDisk(int target, int lun) {
        byte[] inquiry = session.read(target, lun, GuestCdb.inquiry(36), 36);
        return inquiry.length > 0 && inquiry[0] == 0;
    }

    private void ready(int target, int lun) {
        GuestCommand answer = session.execute(target, lun, GuestCdb.testUnitReady());
        if (!answer.isGood()) {
            throw new IllegalStateException("not ready: " + answer);
        }
    }

    private byte[] page(int target, int lun, byte[] pages, int page) {
        for (int i = 4; i < pages.length; i++) {
            if ((pages[i] & 0xFF) == page) {
                return must(target, lun, GuestCdb.vpd(page, ANSWER_BYTES), ANSWER_BYTES, 4);
            }
        }
        return new byte[0];
    }

    private boolean supports(int target, int lun, CdbFormat format) {
        byte[] answer = session.read(
                target, lun, GuestCdb.reportSupportedOpcode(format.opcode(), 512), 512);
        return answer.length > 1 && (answer[1] & 0x07) == SUPPORTED;
    }

    private byte[] must(int target, int lun, byte[] cdb, int allocation, int least) {
        byte[] data = session.read(target, lun, cdb, allocation);
        if (!session.answer().isGood() || data.length < least) {
            throw new IllegalStateException(
                    data.length + " bytes for " + session.answer() + ", needs " + least);
        }
        return data;
    }

    private static String serial(byte[] page) {
        return page.length > 4 ? text(page, 4, page.length - 4) : "";
    }

    private static String text(byte[] bytes, int offset, int length) {
        // Fields are padded with spaces, or with zeroes (CMD-23): trim() takes both.
        return new String(bytes, offset, length, StandardCharsets.US_ASCII).trim();
    }
}
