package dev.quiesce.graph;

import dev.quiesce.drain.Drainable;
import dev.quiesce.driver.BlockDriver;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** Carries out a {@link GraphEdit}. */
final class EditChange implements GraphChange {
    /*
     * Checking runs through the steps with the set of nodes that earlier steps remove and of names
     * they add, so a list that contradicts itself is refused before anything is drained.
     *
     * Commit order: contexts are aligned; new nodes are made and their drivers opened, all of them
     * before the first edge of a user moves, so a driver that refuses to open leaves the graph as
     * it was; then users are re-targeted in the order of the steps; then removed nodes go.
     *
     * Draining the node below a filter is enough for inserting and removing it, because everything
     * above it is quiesced with it and waited for. Both sides of a replacement are drained (GR-39),
     * so its users see no pulse.
     */
    private final BlockGraph graph;
    private final List<GraphEdit.Step> steps;
    private Alignment alignment = Alignment.of(List.of());

    EditChange(BlockGraph graph, List<GraphEdit.Step> steps) {
        this.graph = graph;
        this.steps = steps;
    }

    @Override
    public String describe() {
        return "graph edit " + steps;
    }

    @Override
    public Collection<? extends Drainable> plan() {
        Set<Drainable> drained = ContextChange.orderedSet();
        Set<BlockNode> removed = ContextChange.orderedSet();
        Set<String> added = new HashSet<>();
        Set<BlockDriver> drivers = Collections.newSetFromMap(new IdentityHashMap<>());
        List<GraphEdit.Replace> replacements = new ArrayList<>();
        for (GraphEdit.Step step : steps) {
            if (step instanceof GraphEdit.InsertFilter insert) {
                checkNew(insert, added);
                checkOnce(insert, drivers);
                checkThere(insert.below(), removed);
                drained.add(insert.below());
            } else if (step instanceof GraphEdit.RemoveFilter remove) {
                checkThere(remove.filter(), removed);
                drained.add(onlyChild(remove.filter()));
                removed.add(remove.filter());
            } else if (step instanceof GraphEdit.Replace replace) {
                checkThere(replace.from(), removed);
                checkThere(replace.to(), removed);
                replacements.add(replace);
                drained.add(replace.from());
                drained.add(replace.to());
            }
        }
        alignment = align(replacements);
        drained.addAll(alignment.drained());
        return drained;
    }

    private static Alignment align(List<GraphEdit.Replace> replacements) {
        Alignment out = Alignment.of(List.of());
        for (GraphEdit.Replace replace : replacements) {
            out = Alignment.of(List.of(replace.from(), replace.to()));
            if (out.isMove() && replacements.size() > 1) {
                throw new BlockLayerException("'" + replace.from().name() + "' and '"
                        + replace.to().name() + "' are in different contexts: in an edit with"
                        + " several replacements they are aligned beforehand");
            }
        }
        return out;
    }

    @Override
    public void commit(GraphCommit commit) {
        Iterator<BlockNode> filters = openFilters(commit).iterator();
        alignment.commit(commit);
        for (GraphEdit.Step step : steps) {
            if (step instanceof GraphEdit.InsertFilter insert) {
                BlockNode filter = filters.next();
                commit.link(filter);
                moveUsers(commit, insert.below(), filter);
            } else if (step instanceof GraphEdit.RemoveFilter remove) {
                moveUsers(commit, remove.filter(), onlyChild(remove.filter()));
                commit.retire(remove.filter());
            } else if (step instanceof GraphEdit.Replace replace) {
                moveUsers(commit, replace.from(), replace.to());
            }
        }
    }

    /** In the order of the steps. */
    private List<BlockNode> openFilters(GraphCommit commit) {
        List<BlockNode> out = new ArrayList<>();
        for (GraphEdit.Step step : steps) {
            if (step instanceof GraphEdit.InsertFilter insert) {
                out.add(commit.open(insert.name(), insert.driver(), List.of(insert.below())));
            }
        }
        return out;
    }

    /** Every user of one node that the other does not reach uses the other (GR-39). */
    private static void moveUsers(GraphCommit commit, BlockNode from, BlockNode to) {
        Set<BlockNode> reached = ContextChange.orderedSet();
        collectBelow(to, reached);
        for (Edge edge : from.parents()) {
            if (!(edge.parent() instanceof BlockNode parent) || !reached.contains(parent)) {
                commit.retarget(edge, to);
            }
        }
    }

    private static void collectBelow(BlockNode node, Set<BlockNode> reached) {
        if (reached.add(node)) {
            node.children().forEach(child -> collectBelow(child, reached));
        }
    }

    private void checkThere(BlockNode node, Set<BlockNode> removed) {
        graph.checkMember(node);
        if (removed.contains(node)) {
            throw new BlockLayerException(
                    "'" + node.name() + "' is removed by an earlier step of the same edit");
        }
    }

    private void checkNew(GraphEdit.InsertFilter insert, Set<String> added) {
        graph.checkNewName(insert.name());
        graph.checkNewDriver(insert.driver());
        if (!added.add(insert.name())) {
            throw new IllegalArgumentException(
                    "node name is used twice in one edit: '" + insert.name() + "'");
        }
    }

    private static void checkOnce(GraphEdit.InsertFilter insert, Set<BlockDriver> drivers) {
        if (!drivers.add(insert.driver())) {
            throw new IllegalArgumentException("the driver of '" + insert.name()
                    + "' is given to an earlier step of the same edit");
        }
    }

    private static BlockNode onlyChild(BlockNode filter) {
        List<BlockNode> children = filter.children();
        if (children.size() != 1) {
            throw new BlockLayerException("'" + filter.name() + "' is no filter: it has "
                    + children.size() + " children");
        }
        return children.get(0);
    }
}
