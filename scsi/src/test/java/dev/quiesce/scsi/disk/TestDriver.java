package dev.quiesce.scsi.disk;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import dev.quiesce.driver.memory.MemoryDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A memory disk that logs, stalls and fails as told. */
final class TestDriver implements BlockDriver {
    /** What arrived, as "READ 512+1024 flags". */
    final List<String> log = new ArrayList<>();

    /** What arrived while stalled and was not released yet. */
    final List<BlockRequest> held = new ArrayList<>();

    /** Whether arrivals are logged. */
    boolean logs = true;

    /** Whether requests are held. */
    boolean stalled;

    /** Whether a held request that is cancelled ends at once. */
    boolean cancellable = true;

    /** How a request fails, or null. */
    Function<BlockRequest, BlockStatus> fault = request -> null;

    BlockLimits limits;
    long lengthBytes;

    private final MemoryDriver memory;

    TestDriver(long lengthBytes) {
        this.memory = new MemoryDriver(lengthBytes);
        this.limits = memory.limits();
        this.lengthBytes = lengthBytes;
    }

    /** Lets one held request go on to its end. */
    void release(BlockRequest request) {
        held.remove(request);
        serve(request);
    }

    void releaseAll() {
        stalled = false;
        for (BlockRequest request : List.copyOf(held)) {
            release(request);
        }
    }

    @Override
    public String type() {
        return "test";
    }

    @Override
    public BlockLimits limits() {
        return limits;
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
        if (logs) {
            log.add(request.operation() + " " + request.offsetBytes() + "+"
                    + request.lengthBytes() + flags(request));
        }
        if (stalled) {
            held.add(request);
        } else {
            serve(request);
        }
    }

    @Override
    public void cancel(BlockRequest request) {
        if (cancellable && held.remove(request)) {
            request.complete(BlockStatus.CANCELLED, null);
        }
    }

    @Override
    public void close() {
        memory.close();
    }

    private void serve(BlockRequest request) {
        BlockStatus failure = fault.apply(request);
        if (failure != null) {
            request.complete(failure, null);
        } else if (request.operation() == Operation.DISCARD && !limits.canDiscard()) {
            request.complete(BlockStatus.NOT_SUPPORTED, null);
        } else {
            memory.submit(request, null);
        }
    }

    private static String flags(BlockRequest request) {
        return (request.isFua() ? " FUA" : "")
                + ((request.flags() & BlockRequest.MAY_UNMAP) != 0 ? " UNMAP" : "");
    }
}
