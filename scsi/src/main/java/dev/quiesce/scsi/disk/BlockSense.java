package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.scsi.spec.Sense;

/** What the guest is told of a block request that failed (SENSE-20). Any thread. */
final class BlockSense {
    private BlockSense() {}

    /**
     * Maps a status. A host error is a medium error, not an aborted command, which would invite
     * endless retries; {@link BlockStatus#BUSY} is no sense but a status and is not mapped here.
     *
     * @param status any but {@link BlockStatus#OK} and {@link BlockStatus#BUSY}
     * @param operation what failed
     * @return the sense
     */
    static Sense of(BlockStatus status, Operation operation) {
        return switch (status) {
            case IO_ERROR ->
                operation == Operation.READ ? Sense.READ_ERROR : Sense.WRITE_ERROR;
            case NO_SPACE -> Sense.SPACE_ALLOCATION_FAILED;
            case NO_MEDIUM -> Sense.NO_MEDIUM;
            case READ_ONLY -> Sense.WRITE_PROTECTED;
            case INVALID -> Sense.INVALID_FIELD_IN_CDB;
            case NOT_SUPPORTED -> Sense.TARGET_FAILURE;
            case CANCELLED -> Sense.IO_TERMINATED;
            case OK, BUSY -> throw new IllegalArgumentException(status.name());
        };
    }
}
