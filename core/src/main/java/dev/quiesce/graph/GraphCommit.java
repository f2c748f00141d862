package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Drainable;
import dev.quiesce.driver.BlockDriver;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The handle by which a committing {@link GraphChange} changes edges and contexts. Control; valid
 * only inside {@link GraphChange#commit}, and throws {@link IllegalStateException} afterwards.
 */
public final class GraphCommit {
    /*
     * Edges change one by one; what follows from the new shape is done once, at the end (seal):
     * connected nodes share one holder again, limits are asked for children first, users hear that
     * their root has changed. Contexts were made equal before any edge joined two components, so
     * replacing holders moves nobody.
     *
     * A component that lost a user goes back to the main context when the section is over, if
     * everybody left in it agrees (CTX-17). Who left which node is remembered; whether a user was
     * lost by it is asked at the end: whoever is still connected, now by way of a filter, did not
     * leave, and a removed node is stood for by those who used it. A node that nobody used takes no
     * user along; it counts only if nobody at all is left.
     *
     * Drivers of removed nodes are closed after the section as well, because closing may take a
     * while.
     *
     * seal() has no way back: the edges are moved. So it goes to its end whatever a driver or a
     * user throws; that is reported.
     */
    private final BlockGraph graph;
    private final Set<BlockNode> touched = ContextChange.orderedSet();

    /** For each node that edges have left, their parents. */
    private final Map<BlockNode, Set<Drainable>> departed = new LinkedHashMap<>();
    private final List<BlockNode> released = new ArrayList<>();
    private final List<BlockNode> retired = new ArrayList<>();
    private boolean sealed;

    GraphCommit(BlockGraph graph) {
        this.graph = graph;
    }

    /**
     * Gives a user an edge to a node. If the node is quiesced the user is quiesced through the
     * edge, without polling (DRAIN-41). Their contexts must be equal.
     *
     * @param role what the edge is to the user
     * @param user the user
     * @param node the node
     * @return the edge, for the user to publish
     */
    public Edge attach(String role, GraphParent user, BlockNode node) {
        checkUsable(node);
        assert user.context() == node.context() : user.name() + " and " + node + " are not aligned";
        Edge edge = new Edge(role, user, node);
        edge.link();
        touched.add(node);
        return edge;
    }

    /**
     * Takes an edge away from its node. A user quiesced through it is resumed through it. The user
     * has stopped using the edge before.
     *
     * @param edge the edge
     */
    public void detach(Edge edge) {
        checkUsable(edge.node());
        edge.unlink();
        touched.add(edge.node());
        departedFrom(edge.node()).add(edge.parent());
    }

    /**
     * Points an edge at another node, without a pulse for the user if both nodes are quiesced
     * (DRAIN-42). The user and the new node must be in one context.
     *
     * @param edge the edge
     * @param node the node it shall point at
     */
    public void retarget(Edge edge, BlockNode node) {
        BlockNode old = edge.node();
        checkUsable(old);
        checkUsable(node);
        assert contextOf(edge) == node.context() : edge + ": not aligned with " + node;
        edge.retarget(node);
        touched.add(old);
        touched.add(node);
        departedFrom(old).add(edge.parent());
    }

    /**
     * Moves a component, as planned.
     *
     * @param change the plan, made by the last {@link GraphChange#plan()}
     */
    public void move(ContextChange change) {
        checkOpen();
        change.commit(graph);
    }

    /**
     * Makes a node above existing ones and opens its driver. Nobody sees it before {@link #link};
     * if the driver throws, nothing has happened.
     */
    BlockNode open(String name, BlockDriver driver, List<BlockNode> children) {
        checkOpen();
        children.forEach(this::checkUsable);
        BlockNode node = new BlockNode(graph, name, driver, children);
        node.open();
        return node;
    }

    /**
     * Enters an opened node into the graph; it is quiesced if one of its children is (DRAIN-38).
     */
    void link(BlockNode node) {
        checkOpen();
        node.start();
        graph.enter(node);
        node.edges().forEach(Edge::link);
        touched.add(node);
    }

    /** Takes a node without users out of the graph; its driver is closed after the section. */
    void retire(BlockNode node) {
        checkUsable(node);
        assert node.parents().isEmpty() : node + " still has users";
        for (Edge edge : node.edges()) {
            edge.unlink();
            touched.add(edge.node());
            departedFrom(edge.node()).add(node);
        }
        node.retire();
        graph.leave(node);
        touched.remove(node);
        putItsUsersInPlaceOf(node);
        retired.add(node);
    }

    private Set<Drainable> departedFrom(BlockNode node) {
        return departed.computeIfAbsent(node, nobody -> ContextChange.orderedSet());
    }

    private void putItsUsersInPlaceOf(BlockNode gone) {
        Set<Drainable> users = departed.remove(gone);
        if (users == null) {
            return;
        }
        for (Set<Drainable> parents : departed.values()) {
            if (parents.remove(gone)) {
                parents.addAll(users);
            }
        }
    }

    /** Ends the commit, also one that failed half way: holders, limits, news for the users. */
    void seal() {
        checkOpen();
        sealed = true;
        Set<BlockNode> done = ContextChange.orderedSet();
        for (BlockNode node : touched) {
            if (!done.contains(node)) {
                Set<BlockNode> part = ContextChange.connected(node);
                done.addAll(part);
                shareHolder(part, node);
            }
        }
        Set<BlockNode> above = ContextChange.orderedSet();
        touched.forEach(node -> collectAbove(node, above));
        ContextChange.childrenFirst(above).stream().filter(above::contains)
                .forEach(BlockNode::refreshLimits);
        ContextChange.usersOf(above).forEach(graph::tellRootChanged);
        departed.forEach((node, parents) -> {
            if (lostAUser(node, parents)) {
                released.add(node);
            }
        });
    }

    private static boolean lostAUser(BlockNode node, Set<Drainable> departed) {
        Set<BlockNode> part = ContextChange.connected(node);
        List<GraphParent> left = ContextChange.usersOf(part);
        for (Drainable parent : departed) {
            Set<BlockNode> above = ContextChange.orderedSet();
            List<GraphParent> users;
            boolean connected;
            if (parent instanceof BlockNode other) {
                collectAbove(other, above);
                users = ContextChange.usersOf(above);
                connected = part.contains(other);
            } else {
                users = List.of((GraphParent) parent);
                connected = left.contains(parent);
            }
            if (!connected && (left.isEmpty() || !left.containsAll(users))) {
                return true;
            }
        }
        return false;
    }

    /** Nodes whose component lost a user, one or more of each; known when sealed. */
    Collection<BlockNode> released() {
        return released;
    }

    /** Nodes whose drivers are to be closed. */
    Collection<BlockNode> retired() {
        return retired;
    }

    private void shareHolder(Set<BlockNode> part, BlockNode any) {
        Component holder = new Component(any.context(), graph.nextGeneration());
        for (BlockNode node : part) {
            assert node.context() == any.context() : "joined without alignment: " + part;
            node.componentRelease(holder);
        }
    }

    private static void collectAbove(BlockNode node, Set<BlockNode> above) {
        if (above.add(node)) {
            for (Edge edge : node.parents()) {
                if (edge.parent() instanceof BlockNode parent) {
                    collectAbove(parent, above);
                }
            }
        }
    }

    private static AioContext contextOf(Edge edge) {
        Drainable parent = edge.parent();
        return parent instanceof GraphParent user ? user.context() : ((BlockNode) parent).context();
    }

    private void checkUsable(BlockNode node) {
        checkOpen();
        if (!node.isOpen()) {
            throw new IllegalStateException("node '" + node.name() + "' was removed");
        }
    }

    private void checkOpen() {
        if (sealed) {
            throw new IllegalStateException("the commit is over");
        }
    }
}
