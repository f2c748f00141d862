package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.Hold;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.RequestBoundary;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Gives a node another length, inside a section that covers everybody above it. */
final class ResizeChange implements GraphChange {
    /*
     * The truncate goes straight to the node, through a boundary of this change's own: the backends
     * above are quiesced, so through one of them it would park and the section would wait for
     * itself (DRAIN-33). It runs in the main context under a hold on the node's gate; so whoever
     * drains the node meanwhile waits for it, and nobody can remove it.
     *
     * Users hear of the new length from the completion, not from the commit: so they hear of it
     * also if the wait for it was given up. They hear of it after a failure as well, when a driver
     * may have got half way.
     */
    private final BlockGraph graph;
    private final BlockNode node;
    private final long bytes;

    ResizeChange(BlockGraph graph, BlockNode node, long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("negative length: " + bytes);
        }
        this.graph = graph;
        this.node = node;
        this.bytes = bytes;
    }

    @Override
    public String describe() {
        return "BlockGraph.resize(" + node.name() + ", " + bytes + ")";
    }

    @Override
    public Collection<? extends Drainable> plan() {
        graph.checkMember(node);
        return List.of(node);
    }

    @Override
    public CompletionStage<Void> work() {
        if (node.limits().readOnly()) {
            return CompletableFuture.failedFuture(failure(BlockStatus.READ_ONLY, null));
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        Hold hold = node.gate().hold("resize", graph.main());
        BlockRequest request = new BlockRequest((truncate, status) -> {
            try {
                graph.lengthsChanged(node);
            } finally {
                hold.close();
                end(done, status, truncate.cause());
            }
        });
        request.prepare(Operation.TRUNCATE, bytes, 0, null, 0);
        new Boundary().submit(request, graph.main(), new Edge("resize", node, node));
        return done;
    }

    @Override
    public void commit(GraphCommit commit) {
        // The work was all of it.
    }

    private void end(
            CompletableFuture<Void> done, BlockStatus status, @Nullable Throwable cause) {
        if (status.isOk()) {
            done.complete(null);
        } else {
            done.completeExceptionally(failure(status, cause));
        }
    }

    private BlockLayerException failure(BlockStatus status, @Nullable Throwable cause) {
        String why = switch (status) {
            case READ_ONLY -> "it is read-only";
            case NOT_SUPPORTED -> "driver '" + node.driver().type() + "' cannot do that here";
            case INVALID -> "driver '" + node.driver().type() + "' has no such length";
            case NO_SPACE -> "no space is left";
            default -> status + (cause == null ? "" : ": " + cause.getMessage());
        };
        return new BlockLayerException(
                "node '" + node.name() + "' was not resized to " + bytes + " bytes: " + why);
    }

    /** The way of one request that no backend counts. Main context. */
    private static final class Boundary extends RequestBoundary {
        void submit(BlockRequest request, AioContext main, Edge way) {
            admit(request, main);
            startAt(request, way);
        }

        @Override
        protected void deliver(
                BlockRequest request, BlockStatus status, @Nullable Throwable cause) {
            conclude(request);
            notifyCompletion(request, status);
        }

        @Override
        protected void cancelRequested(BlockRequest request) {
            throw new AssertionError("nobody cancels " + request);
        }
    }
}
