package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * VERIFY(10), (12) and (16) (CMD-94): reads the range in chunks, and compares it with what was sent
 * if BYTCHK asks for it, with the whole range or with one block again and again. BYTCHK 0 reads
 * too: a medium error must show. What is verified is the medium, so one flush comes first (CMD-17).
 */
final class Verify extends Continuation {
    private static final int BYTCHK_NONE = 0;
    private static final int BYTCHK_RESERVED = 2;
    private static final int BYTCHK_ONE_BLOCK = 3;

    private byte[] expected = {};

    /** Where the piece was read to. */
    private ByteBuffer found = ByteBuffer.allocate(0);

    private long startBytes;
    private long atBytes;
    private long endBytes;
    private long pieceBytes;
    private boolean flushing;

    Verify(DiskCommand command) {
        super(command);
    }

    void start() {
        Cdb cdb = command.cdb();
        Sense defect = check();
        if (defect != null) {
            command.fail(defect);
            return;
        }
        startBytes = command.disk().offsetOf(cdb.lba());
        atBytes = startBytes;
        endBytes = startBytes + command.disk().offsetOf(cdb.transferBlocks());
        flushing = atBytes < endBytes;
        if (flushing) {
            command.submitFlush(this);
        } else {
            next();
        }
    }

    @Override
    void stepEnded(BlockStatus status) {
        if (!status.isOk()) {
            command.fail(status);
            return;
        }
        if (flushing) {
            flushing = false;
            next();
            return;
        }
        int differs = command.cdb().bytchk() == BYTCHK_NONE ? -1 : compare();
        if (differs >= 0) {
            command.failWith(Sense.MISCOMPARE, sentOffset(differs));
        } else {
            atBytes += pieceBytes;
            next();
        }
    }

    private void next() {
        if (atBytes == endBytes) {
            command.request().movedBytes(command.cdb().transferBytes());
            command.end(ScsiStatus.GOOD);
            return;
        }
        BlockLimits limits = command.disk().backend().limits();
        Scratch scratch = command.scratch(limits);
        found = scratch.buffer();
        pieceBytes = Math.min(endBytes - atBytes, command.disk().wholeBlocks(
                Math.min(Scratch.SIZE_BYTES, limits.maxTransferBytes())));
        command.block().prepare(
                Operation.READ, atBytes, pieceBytes, scratch.vector(pieceBytes), 0);
        command.submit(this);
    }

    private @Nullable Sense check() {
        Cdb cdb = command.cdb();
        if (cdb.bytchk() == BYTCHK_RESERVED) {
            return Sense.INVALID_FIELD_IN_CDB;
        }
        Sense defect = command.disk().checkMediumAccess(cdb, false);
        if (defect != null) {
            return defect;
        }
        return command.request().dataOut().bytes() < cdb.transferBytes()
                ? Sense.INVALID_FIELD_IN_CDB : null;
    }

    /** Where the piece differs from what was sent, or -1. */
    private int compare() {
        int length = (int) pieceBytes;
        if (expected.length < length) {
            expected = new byte[Scratch.SIZE_BYTES];
        }
        if (command.cdb().bytchk() == BYTCHK_ONE_BLOCK) {
            int block = command.disk().blockSizeBytes();
            for (int at = 0; at < length; at += block) {
                command.request().dataOut().copyTo(0, expected, at, block);
            }
        } else {
            command.request().dataOut().copyTo(atBytes - startBytes, expected, 0, length);
        }
        return found.slice(0, length).mismatch(ByteBuffer.wrap(expected, 0, length));
    }

    /** The position in the data that was sent. */
    private long sentOffset(int inPiece) {
        return command.cdb().bytchk() == BYTCHK_ONE_BLOCK
                ? inPiece % command.disk().blockSizeBytes()
                : atBytes - startBytes + inPiece;
    }
}
