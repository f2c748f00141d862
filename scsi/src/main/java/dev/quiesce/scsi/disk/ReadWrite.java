package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;

/**
 * READ and WRITE of every length. Allocates nothing once warm.
 *
 * <p>The transfer is exactly as long as the CDB says, however long the initiator's buffer is
 * (CMD-14), and goes down in as many pieces as the backend's longest transfer demands, usually one.
 * A READ with FUA flushes first and reads then, so that it returns what is on the medium; a WRITE
 * with FUA, or without a write cache, is durable when it ends, also if the cache was switched off
 * under it. If a later piece fails, the residual tells how far it came (CMD-20).
 */
final class ReadWrite extends Continuation {
    private static final int FLUSH = 0;
    private static final int TRANSFER = 1;

    private final IoVector piece = new IoVector();
    private int step;
    private Operation operation = Operation.READ;
    private int flags;
    private long startBytes;
    private long lengthBytes;
    private long doneBytes;
    private long pieceBytes;

    ReadWrite(DiskCommand command) {
        super(command);
    }

    void start(Operation wanted) {
        ScsiDisk disk = command.disk();
        Cdb cdb = command.cdb();
        operation = wanted;
        Sense defect = disk.checkMediumAccess(cdb, wanted == Operation.WRITE);
        if (defect != null) {
            command.fail(defect);
            return;
        }
        startBytes = disk.offsetOf(cdb.lba());
        lengthBytes = cdb.transferBytes();
        doneBytes = 0;
        boolean durable = wanted == Operation.WRITE && (cdb.fua() || !disk.modes().writeCache());
        flags = durable ? BlockRequest.FUA : 0;
        if (lengthBytes == 0) {
            command.end(ScsiStatus.GOOD);
        } else if (data().bytes() < lengthBytes) {
            command.fail(Sense.INVALID_FIELD_IN_CDB);
        } else if (wanted == Operation.READ && cdb.fua()) {
            step = FLUSH;
            command.submitFlush(this);
        } else {
            transfer();
        }
    }

    @Override
    void stepEnded(BlockStatus status) {
        piece.clear(); // or it would keep the guest's memory mapped that it was last made of
        if (!status.isOk()) {
            command.request().movedBytes(doneBytes);
            command.fail(status);
            return;
        }
        if (step == TRANSFER) {
            doneBytes += pieceBytes;
        }
        if (doneBytes < lengthBytes) {
            transfer();
        } else {
            command.request().movedBytes(lengthBytes);
            command.endWritten();
        }
    }

    private void transfer() {
        step = TRANSFER;
        ScsiDisk disk = command.disk();
        long left = lengthBytes - doneBytes;
        pieceBytes = Math.min(left, disk.wholeBlocks(disk.backend().limits().maxTransferBytes()));
        IoVector payload = data();
        if (pieceBytes < lengthBytes) {
            piece.clear();
            piece.addSlice(payload, doneBytes, pieceBytes);
            payload = piece;
        }
        command.block().prepare(operation, startBytes + doneBytes, pieceBytes, payload, flags);
        command.submit(this);
    }

    private IoVector data() {
        return operation == Operation.READ
                ? command.request().dataIn() : command.request().dataOut();
    }
}
