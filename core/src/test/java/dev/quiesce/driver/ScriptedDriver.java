package dev.quiesce.driver;

import dev.quiesce.block.BlockLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** Does with each request what the test says; by default it just keeps it. */
public final class ScriptedDriver implements BlockDriver {
    private final List<BlockRequest> held = new ArrayList<>();
    private final List<BlockRequest> cancelled = new ArrayList<>();
    private BiConsumer<BlockRequest, NodeAccess> script = (request, node) -> held.add(request);
    private BlockLimits limits = BlockLimits.unlimited();
    private boolean closed;

    public ScriptedDriver onSubmit(BiConsumer<BlockRequest, NodeAccess> what) {
        script = what;
        return this;
    }

    public ScriptedDriver withLimits(BlockLimits value) {
        limits = value;
        return this;
    }

    public List<BlockRequest> held() {
        return held;
    }

    public List<BlockRequest> cancelled() {
        return cancelled;
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public String type() {
        return "scripted";
    }

    @Override
    public BlockLimits limits() {
        return limits;
    }

    @Override
    public long lengthBytes() {
        return 1L << 40;
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        script.accept(request, node);
    }

    @Override
    public void cancel(BlockRequest request) {
        cancelled.add(request);
    }

    @Override
    public void close() {
        closed = true;
    }
}
