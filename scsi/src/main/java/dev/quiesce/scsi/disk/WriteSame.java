package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.CdbFormat;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * WRITE SAME(10) and (16) (CMD-38, CMD-38a). Zeroes, sent or implied by NDOB, become write-zeroes,
 * which may unmap if the UNMAP bit is set; any other block, and zeroes on a backend without
 * write-zeroes, are written in chunks.
 */
final class WriteSame extends Continuation {
    private static final int PBDATA_LBDATA = 0x06;

    private byte[] pattern = {};
    private int sentBytes;
    private boolean zeroes;

    /** The buffer that is full of the pattern, if any. */
    private @Nullable Scratch filled;

    private long atBytes;
    private long endBytes;
    private long pieceBytes;

    WriteSame(DiskCommand command) {
        super(command);
    }

    void start() {
        Sense defect = check();
        if (defect == null) {
            defect = takePattern();
        }
        if (defect != null) {
            command.fail(defect);
            return;
        }
        Cdb cdb = command.cdb();
        filled = null;
        atBytes = command.disk().offsetOf(cdb.lba());
        endBytes = atBytes + command.disk().offsetOf(cdb.transferBlocks());
        next();
    }

    @Override
    void stepEnded(BlockStatus status) {
        if (status == BlockStatus.NOT_SUPPORTED && isZeroing()) {
            zeroes = false;
            next();
        } else if (!status.isOk()) {
            command.fail(status);
        } else {
            atBytes += pieceBytes;
            next();
        }
    }

    private void next() {
        if (atBytes == endBytes) {
            command.request().movedBytes(sentBytes);
            command.endWritten();
            return;
        }
        BlockLimits limits = command.disk().backend().limits();
        int flags = command.disk().modes().writeCache() ? 0 : BlockRequest.FUA;
        if (zeroes && limits.canWriteZeroes()) {
            pieceBytes = Math.min(endBytes - atBytes,
                    command.disk().wholeBlocks(limits.maxWriteZeroesBytes()));
            flags |= command.cdb().unmap() ? BlockRequest.MAY_UNMAP : 0;
            command.block().prepare(Operation.WRITE_ZEROES, atBytes, pieceBytes, null, flags);
        } else {
            Scratch scratch = command.scratch(limits);
            fill(scratch);
            pieceBytes = Math.min(endBytes - atBytes, command.disk().wholeBlocks(
                    Math.min(Scratch.SIZE_BYTES, limits.maxTransferBytes())));
            command.block().prepare(
                    Operation.WRITE, atBytes, pieceBytes, scratch.vector(pieceBytes), flags);
        }
        command.submit(this);
    }

    private boolean isZeroing() {
        return command.block().operation() == Operation.WRITE_ZEROES;
    }

    private @Nullable Sense check() {
        ScsiDisk disk = command.disk();
        Cdb cdb = command.cdb();
        Sense defect = disk.checkWritable();
        if (defect != null) {
            return defect;
        }
        boolean refused = cdb.protect() != 0
                || cdb.anchor()
                || (cdb.u8(1) & PBDATA_LBDATA) != 0
                || (cdb.ndob() && cdb.format() == CdbFormat.WRITE_SAME_10)
                || (cdb.unmap() && !disk.isThin())
                || cdb.transferBlocks() == 0
                || cdb.transferBlocks() > disk.limitsPage().writeSameBlocksMax();
        if (refused) {
            return Sense.INVALID_FIELD_IN_CDB;
        }
        return cdb.isInRange(disk.liveBlocks()) ? null : Sense.LBA_OUT_OF_RANGE;
    }

    /** Copies the block that was sent, exactly one; NDOB means zeroes. */
    private @Nullable Sense takePattern() {
        int blockSize = command.disk().blockSizeBytes();
        if (pattern.length != blockSize) {
            pattern = new byte[blockSize];
        }
        zeroes = true;
        if (command.cdb().ndob()) {
            sentBytes = 0;
            Arrays.fill(pattern, (byte) 0);
            return null;
        }
        sentBytes = blockSize;
        if (command.request().dataOut().bytes() != blockSize) {
            return Sense.INVALID_FIELD_IN_CDB;
        }
        command.request().copyDataOut(pattern);
        for (byte b : pattern) {
            zeroes &= b == 0;
        }
        return null;
    }

    private void fill(Scratch scratch) {
        if (filled != scratch) {
            ByteBuffer buffer = scratch.buffer();
            long needed = Math.min(Scratch.SIZE_BYTES, endBytes - atBytes);
            for (int at = 0; at < needed; at += pattern.length) {
                buffer.put(at, pattern, 0, pattern.length);
            }
            filled = scratch;
        }
    }
}
