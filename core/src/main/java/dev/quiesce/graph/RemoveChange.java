package dev.quiesce.graph;

import dev.quiesce.drain.Drainable;
import java.util.Collection;
import java.util.List;

/** Removes a node that nobody uses. */
final class RemoveChange implements GraphChange {
    private final BlockGraph graph;
    private final BlockNode node;

    RemoveChange(BlockGraph graph, BlockNode node) {
        this.graph = graph;
        this.node = node;
    }

    @Override
    public String describe() {
        return "BlockGraph.remove(" + node.name() + ")";
    }

    @Override
    public Collection<? extends Drainable> plan() {
        graph.checkMember(node);
        List<Edge> users = node.parents();
        if (!users.isEmpty()) {
            throw new BlockLayerException("'" + node.name() + "' is in use by "
                    + users.stream().map(edge -> edge.parent().name()).toList());
        }
        return List.of(node);
    }

    @Override
    public void commit(GraphCommit commit) {
        commit.retire(node);
    }
}
