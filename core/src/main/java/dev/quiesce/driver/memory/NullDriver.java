package dev.quiesce.driver.memory;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;

/**
 * Keeps nothing: reads are zeroes, whatever was written is gone. Every request completes inside
 * submit. Concurrent; its length is all its state.
 */
public final class NullDriver implements BlockDriver {
    private static final BlockLimits LIMITS = BlockLimits.unlimited().withDiscard(1, true);

    /** Written by a truncate in any context, read by any. */
    private volatile long lengthBytes;

    /**
     * Makes a driver.
     *
     * <p>Thread: any.
     *
     * @param lengthBytes how long it says it is
     * @throws IllegalArgumentException if the length is negative
     */
    public NullDriver(long lengthBytes) {
        if (lengthBytes < 0) {
            throw new IllegalArgumentException("negative length: " + lengthBytes);
        }
        this.lengthBytes = lengthBytes;
    }

    @Override
    public String type() {
        return "null";
    }

    @Override
    public BlockLimits limits() {
        return LIMITS;
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        request.complete(serve(request), null);
    }

    @Override
    public void close() {
        // Nothing is held.
    }

    private BlockStatus serve(BlockRequest request) {
        if (!request.isWithin(lengthBytes)) {
            return BlockStatus.INVALID;
        }
        return switch (request.operation()) {
            case READ -> {
                request.payload().fillZero(0, request.lengthBytes());
                yield BlockStatus.OK;
            }
            case WRITE, WRITE_ZEROES, DISCARD, FLUSH -> BlockStatus.OK;
            case TRUNCATE -> truncate(request.offsetBytes());
            case STATUS, COPY -> BlockStatus.NOT_SUPPORTED;
        };
    }

    private BlockStatus truncate(long bytes) {
        if (bytes < 0) {
            return BlockStatus.INVALID;
        }
        lengthBytes = bytes;
        return BlockStatus.OK;
    }
}
