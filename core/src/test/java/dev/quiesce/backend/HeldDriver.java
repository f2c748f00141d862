package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Counts its hooks, keeps requests until released, and forwards to its child if it has one. */
public class HeldDriver implements BlockDriver {
    public final Deque<BlockRequest> held = new ArrayDeque<>();
    public final List<String> log;
    public final List<BlockRequest> cancels = new ArrayList<>();
    private final String name;
    private final long lengthBytes;
    public BlockLimits limits = BlockLimits.unlimited();
    public boolean holding;
    public boolean concurrent = true;
    public boolean refusesToOpen;
    public int drainBegins;
    public int drainEnds;
    public int closes;
    public int served;
    public AioContext context;
    public NodeAccess access;

    public HeldDriver(String name) {
        this(name, new ArrayList<>());
    }

    public HeldDriver(String name, List<String> log) {
        this(name, log, 64 * 1024);
    }

    public HeldDriver(String name, List<String> log, long lengthBytes) {
        this.name = name;
        this.log = log;
        this.lengthBytes = lengthBytes;
    }

    public HeldDriver holding() {
        holding = true;
        return this;
    }

    /** How often it was told to stop and not yet to go on. */
    public int drained() {
        return drainBegins - drainEnds;
    }

    public void release() {
        holding = false;
        while (!held.isEmpty()) {
            held.poll().complete(BlockStatus.OK, null);
        }
    }

    @Override
    public String type() {
        return "held";
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
        return concurrent;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        served++;
        if (holding) {
            held.add(request);
        } else if (node.children() > 0) {
            request.forward(node.child(0));
        } else {
            request.complete(BlockStatus.OK, null);
        }
    }

    @Override
    public void cancel(BlockRequest request) {
        cancels.add(request);
        if (held.remove(request)) {
            request.complete(BlockStatus.CANCELLED, null);
        }
    }

    @Override
    public void drainBegin() {
        drainBegins++;
        log.add(name + ".drainBegin");
    }

    @Override
    public void drainEnd() {
        drainEnds++;
        log.add(name + ".drainEnd");
    }

    @Override
    public void detachContext() {
        log.add(name + ".detach " + (context == null ? "-" : context.name()));
        context = null;
    }

    @Override
    public void attachContext(AioContext to) {
        context = to;
        log.add(name + ".attach " + to.name());
    }

    @Override
    public void opened(NodeAccess node) {
        if (refusesToOpen) {
            throw new IllegalArgumentException(name + " does not open");
        }
        access = node;
        log.add(name + ".opened");
    }

    @Override
    public void close() {
        closes++;
        log.add(name + ".close");
    }
}
