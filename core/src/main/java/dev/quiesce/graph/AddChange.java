package dev.quiesce.graph;

import dev.quiesce.drain.Drainable;
import dev.quiesce.driver.BlockDriver;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Adds a node above existing ones. Only aligning them needs a section: nobody uses a new node yet.
 */
final class AddChange implements GraphChange {
    private final BlockGraph graph;
    private final String name;
    private final BlockDriver driver;
    private final List<BlockNode> children;
    private Alignment alignment = Alignment.of(List.of());

    /** Written by control before the change completes, read by whoever sees it complete. */
    private @Nullable BlockNode added;

    AddChange(BlockGraph graph, String name, BlockDriver driver, List<BlockNode> children) {
        this.graph = graph;
        this.name = name;
        this.driver = driver;
        this.children = children;
    }

    @Override
    public String describe() {
        return "BlockGraph.add(" + name + ")";
    }

    @Override
    public Collection<? extends Drainable> plan() {
        graph.checkNotClosed();
        graph.checkNewName(name);
        graph.checkNewDriver(driver);
        children.forEach(graph::checkMember);
        alignment = Alignment.of(children);
        return alignment.drained();
    }

    @Override
    public void commit(GraphCommit commit) {
        BlockNode node = commit.open(name, driver, children);
        alignment.commit(commit);
        commit.link(node);
        added = node;
    }

    BlockNode added() {
        BlockNode node = added;
        if (node == null) {
            throw new IllegalStateException(describe() + " is not done");
        }
        return node;
    }
}
