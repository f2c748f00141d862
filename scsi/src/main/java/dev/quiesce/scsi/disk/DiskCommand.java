package dev.quiesce.scsi.disk;

import dev.quiesce.backend.Port;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Completion;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.Cdb;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a disk attaches to a request: one block request, and the continuations that use it one after
 * the other. Made at the request's first command on any disk and kept with the request; a command
 * on another disk takes it over. Home context only.
 */
final class DiskCommand implements Completion {
    private final BlockRequest block = new BlockRequest(this);
    private final ScsiRequest request;
    private final ReadWrite readWrite = new ReadWrite(this);
    private final CacheFlush cacheFlush = new CacheFlush(this);
    private @Nullable UnmapRanges unmapRanges;
    private @Nullable WriteSame writeSame;
    private @Nullable Verify verify;
    private @Nullable Scratch scratch;
    private @Nullable ScsiDisk disk;
    private @Nullable Port port;
    private @Nullable Continuation waiting;

    /** Whether a step of the command wrote without FUA. */
    private boolean unflushed;

    private DiskCommand(ScsiRequest request) {
        this.request = request;
    }

    /** The request's command object, serving this disk from now on. */
    static DiskCommand of(ScsiRequest request, ScsiDisk disk, Port port) {
        DiskCommand command;
        if (request.unitData instanceof DiskCommand kept) {
            command = kept;
        } else {
            command = new DiskCommand(request);
            request.unitData = command;
        }
        assert command.block.isIdle() && command.waiting == null : request;
        command.disk = disk;
        command.port = port;
        command.unflushed = false;
        return command;
    }

    ScsiRequest request() {
        return request;
    }

    Cdb cdb() {
        return request.cdb();
    }

    ScsiDisk disk() {
        return Objects.requireNonNull(disk);
    }

    /** Idle between steps: to be prepared, then {@link #submit submitted}. */
    BlockRequest block() {
        return block;
    }

    ReadWrite readWrite() {
        return readWrite;
    }

    CacheFlush cacheFlush() {
        return cacheFlush;
    }

    UnmapRanges unmapRanges() {
        UnmapRanges mine = unmapRanges;
        if (mine == null) {
            mine = new UnmapRanges(this);
            unmapRanges = mine;
        }
        return mine;
    }

    WriteSame writeSame() {
        WriteSame mine = writeSame;
        if (mine == null) {
            mine = new WriteSame(this);
            writeSame = mine;
        }
        return mine;
    }

    Verify verify() {
        Verify mine = verify;
        if (mine == null) {
            mine = new Verify(this);
            verify = mine;
        }
        return mine;
    }

    Scratch scratch(BlockLimits limits) {
        Scratch mine = scratch;
        if (mine == null || !mine.fits(limits)) {
            mine = new Scratch(limits.memoryAlignmentBytes());
            scratch = mine;
        }
        return mine;
    }

    // ---- steps

    /** Submits the prepared block request; {@code then} goes on when it comes back. May park. */
    void submit(Continuation then) {
        waiting = then;
        unflushed |= block.operation().isModifying() && !block.isFua();
        request.workBegins();
        Objects.requireNonNull(port).submit(block);
    }

    void submitFlush(Continuation then) {
        block.prepare(Operation.FLUSH, 0, 0, null, 0);
        submit(then);
    }

    @Override
    public void onComplete(BlockRequest ended, BlockStatus status) {
        Continuation next = Objects.requireNonNull(waiting);
        waiting = null;
        // Cancellation before anything else (PURGE-26): the answer may be out already.
        if (!request.workEnds()) {
            return;
        }
        try {
            next.stepEnded(status);
        } catch (RuntimeException | InternalError e) {
            disk().failedUnder(request, e);
        }
    }

    void cancel() {
        block.cancel();
    }

    // ---- ends

    void end(ScsiStatus status) {
        request.complete(status);
    }

    /**
     * Ends a command that wrote. If the write cache was switched off since the command began, what
     * it wrote is flushed first: the MODE SELECT flushed what had ended before it, and from then on
     * GOOD means durable (CMD-35).
     */
    void endWritten() {
        if (unflushed && !disk().modes().writeCache()) {
            cacheFlush.start();
        } else {
            end(ScsiStatus.GOOD);
        }
    }

    void fail(Sense why) {
        request.completeWith(why);
    }

    void failWith(Sense why, long information) {
        request.completeWith(why, information);
    }

    /** Ends the request because its block request failed. */
    void fail(BlockStatus status) {
        if (status == BlockStatus.BUSY) {
            request.complete(ScsiStatus.BUSY);
        } else if (status == BlockStatus.INVALID && isBeyondTheEnd()) {
            // The disk shrank after the range was checked (SCHED-29).
            request.completeWith(Sense.LBA_OUT_OF_RANGE);
        } else {
            request.completeWith(BlockSense.of(status, block.operation()));
        }
    }

    private boolean isBeyondTheEnd() {
        return block.operation().hasRange() && block.lengthBytes()
                > disk().backend().lengthBytes() - block.submittedOffsetBytes();
    }
}
