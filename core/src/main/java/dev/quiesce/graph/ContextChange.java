package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Drainable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The plan of moving one connected component to another context: everyone in it was asked and
 * agreed.
 *
 * <p>Made by {@link BlockGraph#planMove} inside {@link GraphChange#plan()}, carried out by
 * {@link GraphCommit#move} inside {@link GraphChange#commit}. A plan is good for one commit that
 * follows without polling; after a wait a new one is made. Control only.
 */
public final class ContextChange {
    /*
     * The walk keeps a set of nodes and a set of users, so that each is asked, detached, moved and
     * attached exactly once, diamonds and parallel edges included (CTX-6). Asking comes before
     * anything else and modifies nothing; the first refusal ends it (CTX-4, CTX-9).
     *
     * What has to be drained follows from the shape: draining climbs from a node to all its users
     * (DRAIN-7), and every node of the component is above one without children, or is one. So the
     * childless nodes are enough, and other components keep running (CTX-3).
     *
     * The commit makes two passes (CTX-11): drivers detach parents first; one store moves all
     * nodes; drivers attach children first; then the users store their own contexts, then they are
     * told. Readers of a user's context may see it differ from its root's during these few lines,
     * and nobody asserts otherwise (BB-44).
     *
     * A target equal to where everybody is already is not a move: it succeeds without a section.
     *
     * A target that has ended is refused by the plan that the commit follows without polling. It
     * runs on a thread of its own and may end after that look all the same; then it is as if it had
     * ended after the commit, which anybody who moves something has to expect.
     */
    private final AioContext target;
    private final List<BlockNode> childrenFirst;
    private final List<GraphParent> users;
    private final Collection<Drainable> drained;
    private final boolean move;

    private ContextChange(
            AioContext target,
            List<BlockNode> childrenFirst,
            List<GraphParent> users,
            boolean move) {
        this.target = target;
        this.childrenFirst = childrenFirst;
        this.users = users;
        this.move = move;
        this.drained = move ? drainedBy(childrenFirst, users) : List.of();
    }

    static ContextChange plan(
            @Nullable BlockNode start, AioContext target, @Nullable GraphParent initiator) {
        List<BlockNode> nodes = start == null ? List.of() : childrenFirst(connected(start));
        List<GraphParent> users = usersOf(nodes);
        if (initiator != null && !users.contains(initiator)) {
            users.add(initiator);
        }
        boolean move = nodes.stream().anyMatch(n -> n.context() != target)
                || users.stream().anyMatch(u -> u.context() != target);
        if (move) {
            checkAlive(nodes, users, target);
            ask(users, target, initiator);
        }
        return new ContextChange(target, nodes, users, move);
    }

    private static void checkAlive(
            List<BlockNode> nodes, List<GraphParent> users, AioContext target) {
        try {
            target.checkOpen();
        } catch (IllegalStateException gone) {
            throw new BlockLayerException("cannot move "
                    + (nodes.isEmpty() ? named(users, GraphParent::name)
                            : named(nodes, BlockNode::name))
                    + " to context '" + target.name() + "': " + gone.getMessage());
        }
    }

    private static <T> String named(List<T> who, Function<T, String> name) {
        return who.stream().map(name).collect(Collectors.joining("', '", "'", "'"));
    }

    private static void ask(
            List<GraphParent> users, AioContext target, @Nullable GraphParent initiator) {
        for (GraphParent user : users) {
            String reason = user.refuseMove(target, user == initiator);
            if (reason != null) {
                throw new BlockLayerException("cannot move to context '" + target.name() + "': '"
                        + user.name() + "' refuses: " + reason);
            }
        }
    }

    /**
     * What must be quiesced and settled for the commit.
     *
     * @return the nodes without children, and users without a node; empty if nothing moves
     */
    public Collection<Drainable> drained() {
        return drained;
    }

    /**
     * Where the component goes.
     *
     * @return the target
     */
    public AioContext target() {
        return target;
    }

    /**
     * Whether anything moves at all.
     *
     * @return false if every node and user of the component is in the target already
     */
    public boolean isMove() {
        return move;
    }

    void commit(BlockGraph graph) {
        if (!move) {
            return;
        }
        for (int i = childrenFirst.size() - 1; i >= 0; i--) {
            childrenFirst.get(i).detachDriver();
        }
        if (!childrenFirst.isEmpty()) {
            Component component = childrenFirst.get(0).component();
            assert childrenFirst.stream().allMatch(n -> n.component() == component)
                    : "connected nodes with different holders: " + childrenFirst;
            component.moveRelease(target, graph.nextGeneration());
        }
        for (BlockNode node : childrenFirst) {
            node.attachDriver(target);
        }
        for (GraphParent user : users) {
            user.moveTo(target);
        }
        for (GraphParent user : users) {
            user.moved(target);
        }
    }

    /** All nodes connected with one, itself first; the same order for the same graph. */
    static Set<BlockNode> connected(BlockNode start) {
        Set<BlockNode> seen = orderedSet();
        List<BlockNode> open = new ArrayList<>();
        open.add(start);
        seen.add(start);
        while (!open.isEmpty()) {
            BlockNode node = open.remove(open.size() - 1);
            for (BlockNode next : node.neighbours()) {
                if (seen.add(next)) {
                    open.add(next);
                }
            }
        }
        return seen;
    }

    /** The same nodes, each after all of its children. */
    static List<BlockNode> childrenFirst(Collection<BlockNode> nodes) {
        Set<BlockNode> placed = new LinkedHashSet<>();
        for (BlockNode node : nodes) {
            place(node, placed);
        }
        return List.copyOf(placed);
    }

    private static void place(BlockNode node, Set<BlockNode> placed) {
        if (placed.contains(node)) {
            return;
        }
        for (BlockNode child : node.children()) {
            place(child, placed);
        }
        placed.add(node);
    }

    static List<GraphParent> usersOf(Collection<BlockNode> nodes) {
        Set<GraphParent> users = new LinkedHashSet<>();
        for (BlockNode node : nodes) {
            for (Edge edge : node.parents()) {
                if (edge.parent() instanceof GraphParent user) {
                    users.add(user);
                }
            }
        }
        return new ArrayList<>(users);
    }

    private static Collection<Drainable> drainedBy(List<BlockNode> nodes, List<GraphParent> users) {
        Set<Drainable> out = orderedSet();
        nodes.stream().filter(n -> n.children().isEmpty()).forEach(out::add);
        Set<GraphParent> covered = orderedSet();
        covered.addAll(usersOf(nodes));
        users.stream().filter(u -> !covered.contains(u)).forEach(out::add);
        return out;
    }

    /**
     * A set in order of insertion, so that the same graph is always asked, drained and moved in the
     * same order: a run from a seed can be repeated. Its elements have no equality but identity.
     */
    static <T> Set<T> orderedSet() {
        return new LinkedHashSet<>();
    }

    @Override
    public String toString() {
        return "move of " + childrenFirst + " and " + users + " to '" + target.name() + "'";
    }
}
