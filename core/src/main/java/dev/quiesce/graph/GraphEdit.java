package dev.quiesce.graph;

import dev.quiesce.driver.BlockDriver;
import java.util.ArrayList;
import java.util.List;

/**
 * A list of edits that are made together, all or none, in one drained section.
 *
 * <pre>
 *     graph.applyBlocking(graph.edit().insertFilter("throttle0", driver, disk));
 * </pre>
 *
 * <p>Made by {@link BlockGraph#edit()}, filled by one thread, applied once by
 * {@link BlockGraph#applyBlocking} or {@link BlockGraph#apply}. Filling it checks nothing; applying
 * it checks everything, before anything is drained and again before anything moves.
 */
public final class GraphEdit {
    /** One edit of the list. */
    sealed interface Step permits InsertFilter, RemoveFilter, Replace {}

    record InsertFilter(String name, BlockDriver driver, BlockNode below) implements Step {}

    record RemoveFilter(BlockNode filter) implements Step {}

    record Replace(BlockNode from, BlockNode to) implements Step {}

    private final BlockGraph graph;
    private final List<Step> steps = new ArrayList<>();
    private boolean applied;

    GraphEdit(BlockGraph graph) {
        this.graph = graph;
    }

    /**
     * Puts a new node above an existing one: whoever used the existing one uses the filter, whose
     * only child it is, and where they all are. If the edit fails the driver is still the caller's,
     * neither opened for good nor closed.
     *
     * @param name the filter's node name (GR-6)
     * @param filter the driver
     * @param below the node it covers
     * @return this
     */
    public GraphEdit insertFilter(String name, BlockDriver filter, BlockNode below) {
        return add(new InsertFilter(name, filter, below));
    }

    /**
     * Takes a node with one child out: whoever used it uses its child, and stays where it is. The
     * node leaves the graph, its name is free again, and its driver is closed when the section is
     * over.
     *
     * @param filter the node
     * @return this
     */
    public GraphEdit removeFilter(BlockNode filter) {
        return add(new RemoveFilter(filter));
    }

    /**
     * Makes every user of one node a user of another, except users that the other one reaches
     * itself, which would close a loop (GR-39). The replaced node stays in the graph; if it has
     * lost a user by that, it goes back to main unless somebody objects (CTX-17). Contexts are
     * aligned first (GR-32); an edit with several replacements wants them aligned already.
     *
     * @param from the node that loses its users
     * @param to the node that gains them
     * @return this
     */
    public GraphEdit replace(BlockNode from, BlockNode to) {
        return add(new Replace(from, to));
    }

    /** The steps, for the one application of this edit. Any thread that filled it. */
    List<Step> take(BlockGraph by) {
        if (by != graph) {
            throw new IllegalArgumentException("the edit belongs to another graph");
        }
        if (applied) {
            throw new IllegalStateException("the edit was applied before");
        }
        applied = true;
        return List.copyOf(steps);
    }

    private GraphEdit add(Step step) {
        if (applied) {
            throw new IllegalStateException("the edit was applied before");
        }
        steps.add(step);
        return this;
    }
}
