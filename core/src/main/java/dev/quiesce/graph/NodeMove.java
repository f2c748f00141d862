package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Drainable;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Moves the component of a node: because somebody asked for it, or home because it lost a user. */
final class NodeMove implements GraphChange {
    private final BlockGraph graph;
    private final BlockNode node;
    private final AioContext target;
    private final boolean optional;
    private @Nullable ContextChange move;

    private NodeMove(BlockGraph graph, BlockNode node, AioContext target, boolean optional) {
        this.graph = graph;
        this.node = node;
        this.target = target;
        this.optional = optional;
    }

    static NodeMove to(BlockGraph graph, BlockNode node, AioContext target) {
        return new NodeMove(graph, node, target, false);
    }

    /**
     * Back to main if everybody agrees; otherwise, or if the node is gone, silently nothing
     * (CTX-17).
     */
    static NodeMove home(BlockGraph graph, BlockNode node) {
        return new NodeMove(graph, node, graph.main(), true);
    }

    @Override
    public String describe() {
        return "BlockGraph.setContext(" + node.name() + ", " + target.name() + ")";
    }

    @Override
    public Collection<? extends Drainable> plan() {
        move = optional ? planWillingly() : graph.planMove(node, target, null);
        return move == null ? List.of() : move.drained();
    }

    @Override
    public void commit(GraphCommit commit) {
        if (move != null) {
            commit.move(move);
        }
    }

    private @Nullable ContextChange planWillingly() {
        if (!node.isOpen()) {
            return null;
        }
        try {
            return graph.planMove(node, target, null);
        } catch (BlockLayerException somebodyStays) {
            return null;
        }
    }
}
