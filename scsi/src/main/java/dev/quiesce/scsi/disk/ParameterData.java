package dev.quiesce.scsi.disk;

import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.BlockLimitsPage;
import dev.quiesce.scsi.spec.Capacity;
import dev.quiesce.scsi.spec.ModePages;
import dev.quiesce.scsi.spec.ModeParameters;
import dev.quiesce.scsi.spec.ModeSelect;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.scsi.spec.StandardInquiry;
import dev.quiesce.scsi.spec.SupportedOpcodes;
import dev.quiesce.scsi.spec.VpdPages;

/**
 * The commands that tell or change what the disk is rather than what is on it. All but a MODE
 * SELECT that leaves the cache off answer at once. They allocate: they are rare. Home context of
 * the request.
 */
final class ParameterData {
    private final ScsiDisk disk;
    private final StandardInquiry inquiry;
    private final SupportedOpcodes opcodes;

    ParameterData(ScsiDisk disk) {
        this.disk = disk;
        ScsiDiskConfig config = disk.config();
        this.inquiry = new StandardInquiry(StandardInquiry.TYPE_DISK, false, true,
                StandardInquiry.VERSION_SPC4, config.identity());
        this.opcodes = new SupportedOpcodes(
                ScsiDisk.commands(disk.isThin()), config.dpoFua(), disk.isThin());
    }

    void inquire(ScsiRequest request) {
        Sense defect = StandardInquiry.check(request.cdb());
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        byte[] data = new byte[VpdPages.LENGTH_BYTES_MAX];
        int length = StandardInquiry.isVpd(request.cdb())
                ? vpdPages().encode(StandardInquiry.pageCode(request.cdb()), data)
                : inquiry.encode(data);
        if (length == VpdPages.UNSUPPORTED) {
            request.completeWith(Sense.INVALID_FIELD_IN_CDB);
        } else {
            request.completeWithData(data, length);
        }
    }

    void readCapacity(ScsiRequest request) {
        Sense defect = disk.checkMedium();
        Capacity capacity = disk.capacity();
        if (defect == null) {
            defect = capacity.check(request.cdb());
        }
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        byte[] data = new byte[Capacity.LENGTH_16_BYTES];
        request.completeWithData(data, capacity.encode(request.cdb(), data));
    }

    void modeSense(ScsiRequest request) {
        Sense defect = ModePages.check(request.cdb());
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        byte[] data = new byte[ModePages.LENGTH_BYTES_MAX];
        request.completeWithData(data, modePages().encode(request.cdb(), disk.modes(), data));
    }

    /**
     * Applies the whole list or nothing. If the write cache is off now it is flushed: what ended
     * before is durable when this ends; what ends later sees that the cache is off. Also if it was
     * off already, since whoever switched it off may not have finished.
     */
    void modeSelect(ScsiRequest request, CacheFlush flush) {
        byte[] list = new byte[(int) request.cdb().parameterListLengthBytes()];
        int length = request.copyDataOut(list);
        ModeParameters before;
        ModeSelect change;
        do {
            before = disk.modes();
            change = ModeSelect.decode(request.cdb(), list, length, modePages(), before);
            if (change.sense() != null) {
                request.completeWith(change.sense());
                return;
            }
        } while (!disk.replaceModes(before, change.parameters()));
        request.movedBytes(length);
        if (!change.parameters().writeCache()) {
            flush.start();
        } else {
            request.complete(ScsiStatus.GOOD);
        }
    }

    void reportOpcodes(ScsiRequest request) {
        Sense defect = opcodes.check(request.cdb());
        if (defect != null) {
            request.completeWith(defect);
            return;
        }
        byte[] data = new byte[opcodes.lengthBytesMax()];
        request.completeWithData(data, opcodes.encode(request.cdb(), data));
    }

    private ModePages modePages() {
        return new ModePages(disk.capacity(), disk.isHardwareReadOnly(), disk.config().dpoFua(),
                disk.config().modes());
    }

    private VpdPages vpdPages() {
        BlockLimitsPage limits = disk.limitsPage();
        return new VpdPages(StandardInquiry.TYPE_DISK, disk.config().identity(), limits,
                disk.config().rotationRate(), disk.isThin(), disk.readsZeroes());
    }
}
