package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.scsi.spec.ScsiStatus;

/**
 * SYNCHRONIZE CACHE, stopping the unit, the end of a MODE SELECT that leaves the write cache off,
 * and of what was writing when the cache was switched off. The whole device is flushed, whatever
 * the range; IMMED is legal and ignored (CMD-85).
 */
final class CacheFlush extends Continuation {
    CacheFlush(DiskCommand command) {
        super(command);
    }

    void synchronizeCache() {
        long blocks = command.disk().liveBlocks();
        if (!command.cdb().isInRange(blocks)) {
            command.fail(Sense.LBA_OUT_OF_RANGE);
        } else {
            start();
        }
    }

    void start() {
        command.submitFlush(this);
    }

    @Override
    void stepEnded(BlockStatus status) {
        if (status.isOk()) {
            command.end(ScsiStatus.GOOD);
        } else {
            command.fail(status);
        }
    }
}
