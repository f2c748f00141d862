package dev.quiesce.scsi;

import dev.quiesce.scsi.spec.CdbFormat;
import dev.quiesce.scsi.spec.DeviceIdentity;
import dev.quiesce.scsi.spec.LunList;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.scsi.spec.StandardInquiry;
import dev.quiesce.scsi.spec.VpdPages;

/**
 * Answers what is addressed to a target rather than to one of its units: commands for an absent LUN
 * of an existing target (SCSI-44 to SCSI-48), and the REPORT LUNS well-known logical unit
 * (VSCSI-25).
 *
 * <p>Threads: the methods run in the request's home context and answer before they return, so such
 * a request is never listed, walked or cancelled.
 */
public final class TargetCommands {
    private static final int ANY_BLOCK_SIZE_BYTES = 1;
    private static final int SENSE_DESCRIPTOR_BIT = 1;
    private static final DeviceIdentity IDENTITY =
            DeviceIdentity.of("QUIESCE", "TARGET", "1", "target");

    private final ScsiBus bus;

    TargetCommands(ScsiBus bus) {
        this.bus = bus;
    }

    /**
     * Answers a command for a LUN that does not exist on a target that does. Home context of the
     * request.
     *
     * @param request a prepared request
     * @param target the addressed target
     * @param lun the addressed, absent LUN
     */
    public void executeAbsent(ScsiRequest request, int target, int lun) {
        Sense defect = request.parse(ANY_BLOCK_SIZE_BYTES);
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        CdbFormat format = request.cdb().format();
        switch (format) {
            case INQUIRY -> inquireAbsent(request, lun);
            case REQUEST_SENSE ->
                answerSense(request, lun == 0 ? Sense.NO_SENSE : Sense.LUN_NOT_SUPPORTED);
            default -> {
                if (lun != 0) {
                    request.completeWith(Sense.LUN_NOT_SUPPORTED);
                } else {
                    executeAny(request, target);
                }
            }
        }
    }

    /**
     * Answers a command for a target's REPORT LUNS well-known logical unit. Home context of the
     * request.
     *
     * @param request a prepared request
     * @param target whose units to report
     */
    public void executeWellKnown(ScsiRequest request, int target) {
        Sense defect = request.parse(ANY_BLOCK_SIZE_BYTES);
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        switch (request.cdb().format()) {
            case INQUIRY -> inquireWellKnown(request);
            case REQUEST_SENSE -> answerSense(request, Sense.NO_SENSE);
            default -> executeAny(request, target);
        }
    }

    /** REPORT LUNS of a target; clears the condition that announced a change (SCSI-39). */
    void reportLuns(ScsiRequest request, int target) {
        Sense defect = LunList.check(request.cdb());
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        // Cleared before the look: who is not in the list is plugged later, and announced later.
        bus.clearLunsChanged(target);
        answerLuns(request, bus.lunsOf(target));
    }

    /** REPORT LUNS of a unit that is on no bus. */
    static void reportNoLuns(ScsiRequest request) {
        Sense defect = LunList.check(request.cdb());
        if (defect != null) {
            request.completeWith(defect);
        } else {
            answerLuns(request, new int[0]);
        }
    }

    private static void answerLuns(ScsiRequest request, int[] luns) {
        byte[] data = new byte[LunList.lengthBytes(luns.length)];
        int select = request.cdb().u8(2);
        request.completeWithData(data, LunList.encode(select, luns, luns.length, true, data));
    }

    static void answerSense(ScsiRequest request, Sense sense) {
        boolean descriptor = (request.cdb().u8(1) & SENSE_DESCRIPTOR_BIT) != 0;
        byte[] data = new byte[Sense.DESCRIPTOR_WITH_INFORMATION_LENGTH_BYTES];
        request.completeWithData(data, sense.encode(descriptor, data));
    }

    private void executeAny(ScsiRequest request, int target) {
        switch (request.cdb().format()) {
            case TEST_UNIT_READY -> request.complete(ScsiStatus.GOOD);
            case REPORT_LUNS -> reportLuns(request, target);
            default -> request.completeWith(Sense.INVALID_OPCODE);
        }
    }

    private static void inquireAbsent(ScsiRequest request, int lun) {
        byte[] data = new byte[StandardInquiry.LENGTH_BYTES];
        int length;
        if (StandardInquiry.isVpd(request.cdb())) {
            int page = StandardInquiry.pageCode(request.cdb());
            length = VpdPages.encodeTarget(page, data);
        } else {
            length = StandardInquiry.encodeTarget(lun, true, IDENTITY, data);
        }
        answerInquiry(request, data, length);
    }

    private static void inquireWellKnown(ScsiRequest request) {
        byte[] data = new byte[VpdPages.LENGTH_BYTES_MAX];
        int length;
        if (StandardInquiry.isVpd(request.cdb())) {
            int page = StandardInquiry.pageCode(request.cdb());
            length = new VpdPages(StandardInquiry.TYPE_WELL_KNOWN, IDENTITY, null, 0, false, false)
                    .encode(page, data);
        } else {
            length = new StandardInquiry(StandardInquiry.TYPE_WELL_KNOWN, false, true,
                    StandardInquiry.VERSION_SPC4, IDENTITY).encode(data);
        }
        answerInquiry(request, data, length);
    }

    private static void answerInquiry(ScsiRequest request, byte[] data, int length) {
        Sense defect = StandardInquiry.check(request.cdb());
        if (defect != null) {
            request.completeWith(defect);
        } else if (length == VpdPages.UNSUPPORTED) {
            request.completeWith(Sense.INVALID_FIELD_IN_CDB);
        } else {
            request.completeWithData(data, length);
        }
    }
}
