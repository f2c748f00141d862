package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.scsi.spec.UnmapParameters;

/**
 * UNMAP (CMD-36, CMD-37). The list is copied and wholly validated, then applied descriptor by
 * descriptor, each in pieces that the backend takes. It is a hint: a backend that frees only part
 * of a range, or cannot discard at all, is no error.
 */
final class UnmapRanges extends Continuation {
    private final UnmapParameters ranges = new UnmapParameters();
    private byte[] list = {};
    private int listBytes;

    /** The descriptor in work, and what is left of it. */
    private int index;
    private long atBytes;
    private long endBytes;

    UnmapRanges(DiskCommand command) {
        super(command);
    }

    void start() {
        ScsiDisk disk = command.disk();
        Cdb cdb = command.cdb();
        Sense defect = disk.checkWritable();
        if (defect == null) {
            defect = UnmapParameters.checkCdb(cdb);
        }
        if (defect == null) {
            int announced = (int) cdb.parameterListLengthBytes();
            if (list.length < announced) {
                list = new byte[announced];
            }
            listBytes = command.request().copyDataOut(list);
            defect = ranges.parse(list, listBytes, disk.liveBlocks(), disk.limitsPage());
        }
        if (defect != null) {
            command.fail(defect);
            return;
        }
        index = -1;
        atBytes = 0;
        endBytes = 0;
        next();
    }

    @Override
    void stepEnded(BlockStatus status) {
        if (status.isOk() || status == BlockStatus.NOT_SUPPORTED) {
            next();
        } else {
            command.fail(status);
        }
    }

    /** Submits the next piece, or ends. */
    private void next() {
        ScsiDisk disk = command.disk();
        while (atBytes >= endBytes) {
            index++;
            if (index >= ranges.count()) {
                command.request().movedBytes(listBytes);
                command.endWritten();
                return;
            }
            atBytes = disk.offsetOf(ranges.lba(index));
            endBytes = atBytes + disk.offsetOf(ranges.blocks(index));
        }
        BlockLimits limits = disk.backend().limits();
        Operation operation = disk.discardOperation(limits);
        long most = operation == Operation.DISCARD
                ? limits.maxDiscardBytes() : limits.maxWriteZeroesBytes();
        long length = Math.min(endBytes - atBytes, disk.wholeBlocks(most));
        command.block().prepare(operation, atBytes, length, null, disk.discardFlags(operation));
        atBytes += length;
        command.submit(this);
    }
}
