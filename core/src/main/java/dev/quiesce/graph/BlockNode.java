package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.Gate;
import dev.quiesce.driver.BlockDriver;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One node of a graph: a driver, the edges to its children, and its users.
 *
 * <p>Made by {@link BlockGraph#add} or a {@link GraphEdit}, and removed by the graph; the node owns
 * its driver from then on. A node does not count requests: the backends do, and a request counted
 * there covers everything it causes below (differs from REQ-1, REQ-3 and REQ-5). So draining a node
 * means quiescing everybody above it and waiting for them, and for the background work its own
 * driver has announced.
 */
public final class BlockNode implements Drainable {
    /*
     * quiesceCount is the number of open sections on this node plus the number of its own edges
     * whose child is quiesced (DRAIN-1). On 0 -> 1 the users are quiesced first, recursively and
     * without polling, then the driver is told (DRAIN-7, DRAIN-64); on 1 -> 0 the driver first,
     * then the users (DRAIN-17). Nothing below the node is touched. The driver is told once per
     * transition, and only between opened() and close(): a node that is born above a drained child
     * is told when it is linked, once (DRAIN-38).
     *
     * The busy predicate goes up only (DRAIN-11): a node is busy iff a user is busy or its own gate
     * is. The gate counts the driver's background work, nothing else, and is quiesced with the node
     * so that the end of such work wakes the waiting control thread (DRAIN-50).
     */
    private static final VarHandle COMPONENT = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "component", VarHandle.class, BlockNode.class, Component.class);
    private static final VarHandle LIMITS = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "limits", VarHandle.class, BlockNode.class, BlockLimits.class);

    private final BlockGraph graph;
    private final String name;
    private final BlockDriver driver;
    private final List<Edge> edges;
    private final Gate gate;
    private final DriverAccess access;
    private final BlockDriver entered;

    /** Control only; newest first (GR-7). */
    private final Deque<Edge> parents = new ArrayDeque<>();

    /** Written release by control, read acquire by any thread; never null. */
    @SuppressWarnings("UnusedVariable") // read through COMPONENT
    private Component component;

    /** Written release by control, read acquire by any thread. */
    @SuppressWarnings("UnusedVariable") // read through LIMITS
    private BlockLimits limits;

    /** Control only. */
    private int quiesceCount;

    /** Control only: the driver is open, and hooks may be delivered. */
    private boolean open;

    BlockNode(BlockGraph graph, String name, BlockDriver driver, List<BlockNode> children) {
        this.graph = graph;
        this.name = name;
        this.driver = driver;
        List<Edge> down = new ArrayList<>();
        for (int i = 0; i < children.size(); i++) {
            down.add(new Edge("child" + i, this, children.get(i)));
        }
        this.edges = List.copyOf(down);
        this.gate = new Gate("node " + name, graph.main());
        this.access = new DriverAccess(this);
        this.entered = driver.concurrent() ? driver : new SerialDriver(driver, access);
        this.component = new Component(startContext(), graph.nextGeneration());
        this.limits = BlockLimits.unlimited();
    }

    /**
     * The node's name, unique in its graph (GR-6). Any thread.
     *
     * @return the name
     */
    @Override
    public String name() {
        return name;
    }

    /**
     * The context of the node's component. Any thread; never null (CTX-20), and never asserted
     * against anybody else's (BB-44). It changes only inside a section that has settled the whole
     * component.
     *
     * @return the context at some instant of the call
     */
    public AioContext context() {
        return component().placementAcquire().context();
    }

    /**
     * The context together with its generation (CTX-19). Any thread.
     *
     * @return the placement at some instant of the call
     */
    public Placement placement() {
        return component().placementAcquire();
    }

    /**
     * The driver, which the node owns. Any thread.
     *
     * @return the driver
     */
    public BlockDriver driver() {
        return driver;
    }

    /**
     * The nodes its edges point at, in the order given to {@link BlockGraph#add}. Control; a hint
     * elsewhere.
     *
     * @return a copy
     */
    public List<BlockNode> children() {
        List<BlockNode> out = new ArrayList<>(edges.size());
        for (Edge edge : edges) {
            out.add(edge.node());
        }
        return out;
    }

    /**
     * The length a request may reach. Any thread.
     *
     * @return bytes
     */
    public long lengthBytes() {
        return driver.lengthBytes();
    }

    /**
     * The limits requests to this node should keep, as last computed by control. Any thread.
     *
     * @return the limits
     */
    public BlockLimits limits() {
        return (BlockLimits) LIMITS.getAcquire(this);
    }

    /**
     * The graph it belongs to. Any thread.
     *
     * @return the graph
     */
    public BlockGraph graph() {
        return graph;
    }

    /**
     * The graph's main context. Any thread.
     *
     * @return the main context
     */
    @Override
    public AioContext main() {
        return graph.main();
    }

    /**
     * Whether a section covers this node. Control; a hint elsewhere.
     *
     * @return true between the 0 to 1 and the 1 to 0 transition
     */
    public boolean isQuiesced() {
        return quiesceCount > 0;
    }

    /**
     * How many sections and quiesced children hold this node (DRAIN-1). Control; a hint elsewhere.
     *
     * @return the quiesce counter
     */
    public int quiesceCount() {
        return quiesceCount;
    }

    /**
     * Stops the sources: users first, then the driver's background work (DRAIN-7). If a user
     * throws, those that have stopped go again and the node is as it was. Control; never polls.
     */
    @Override
    public void quiesce() {
        graph.checkControl("BlockNode.quiesce");
        if (quiesceCount++ > 0) {
            return;
        }
        graph.enterHooks();
        try {
            gate.quiesce();
            parents.forEach(Edge::quiesceParent);
            tellDrained(true);
        } catch (RuntimeException | Error e) {
            quiesceCount--;
            RuntimeException more = resumeUsers();
            if (more != null) {
                e.addSuppressed(more);
            }
            gate.resume();
            throw e;
        } finally {
            graph.leaveHooks();
        }
    }

    /**
     * Lets the sources go again: driver first, then users (DRAIN-17). A user that throws keeps
     * nobody else quiesced. Control; never polls.
     */
    @Override
    public void resume() {
        graph.checkControl("BlockNode.resume");
        if (quiesceCount <= 0) {
            throw new IllegalStateException("node '" + name + "' is resumed but not quiesced");
        }
        if (--quiesceCount > 0) {
            return;
        }
        graph.enterHooks();
        try {
            tellDrained(false);
            RuntimeException refused = resumeUsers();
            gate.resume();
            if (refused != null) {
                throw refused;
            }
        } finally {
            graph.leaveHooks();
        }
    }

    /** Resumes every user that is quiesced through its edge; returns what they threw. */
    private @Nullable RuntimeException resumeUsers() {
        RuntimeException first = null;
        for (Edge edge : parents) {
            if (edge.isParentQuiesced()) {
                try {
                    edge.resumeParent();
                } catch (RuntimeException e) {
                    if (first == null) {
                        first = e;
                    } else {
                        first.addSuppressed(e);
                    }
                }
            }
        }
        return first;
    }

    /**
     * Whether any user, or the driver's own background work, is still at it (DRAIN-10, DRAIN-11).
     * Control.
     *
     * @return true if a section must go on waiting
     */
    @Override
    public boolean isBusy() {
        graph.checkControl("BlockNode.isBusy");
        return isBusy(ContextChange.orderedSet());
    }

    private boolean isBusy(Set<BlockNode> seen) {
        if (!seen.add(this)) {
            return false;
        }
        for (Edge edge : parents) {
            Drainable parent = edge.parent();
            if (parent instanceof BlockNode node ? node.isBusy(seen) : parent.isBusy()) {
                return true;
            }
        }
        return !gate.isSettled();
    }

    /** Refuses hooks of the graph (DRAIN-9). Control. */
    @Override
    public void checkMayWait() {
        graph.checkMayWait("a drained section of '" + name + "'");
    }

    /**
     * Adds whom a drain of this node waits for. Control.
     *
     * @param out where to report
     */
    @Override
    public void describe(WaitReport out) {
        graph.checkControl("BlockNode.describe");
        describe(out, ContextChange.orderedSet());
    }

    private void describe(WaitReport out, Set<BlockNode> seen) {
        if (!seen.add(this)) {
            return;
        }
        for (Edge edge : parents) {
            Drainable parent = edge.parent();
            if (parent instanceof BlockNode node) {
                node.describe(out, seen);
            } else {
                parent.describe(out);
            }
        }
        gate.describe(out);
    }

    /** Control: the driver meets its children; it may refuse them by throwing. */
    void open() {
        driver.opened(access);
        LIMITS.setRelease(this, driver.limits());
    }

    /** Control: the driver learns its context, and hooks reach it from now on. */
    void start() {
        componentRelease(new Component(startContext(), graph.nextGeneration()));
        open = true;
        attachDriver(context());
    }

    private AioContext startContext() {
        return edges.isEmpty() ? graph.main() : edges.get(0).node().context();
    }

    /**
     * Control: after this no hook reaches the driver; whoever opened it closes it when the section
     * is over.
     */
    void retire() {
        if (quiesceCount > 0) {
            tellDrained(false);
        }
        detachDriver();
        open = false;
    }

    /** Control; false once it is retired. */
    boolean isOpen() {
        return open;
    }

    /** Control; inside a settled section: the driver lets go of its old context. */
    void detachDriver() {
        if (open) {
            graph.callHook(() -> driver.detachContext(), "detachContext", name);
        }
    }

    /** Control; inside a settled section: the driver learns its new context. */
    void attachDriver(AioContext target) {
        if (open) {
            graph.callHook(() -> driver.attachContext(target), "attachContext", name);
        }
    }

    /** Control: the driver's hook, once per transition (DRAIN-38). */
    private void tellDrained(boolean drained) {
        if (!open) {
            return;
        }
        if (drained) {
            graph.callHook(driver::drainBegin, "drainBegin", name);
        } else {
            graph.callHook(driver::drainEnd, "drainEnd", name);
        }
    }

    /**
     * Control: asks the driver again, when something below has changed; the limits stay as they are
     * if it throws.
     */
    void refreshLimits() {
        graph.callHook(() -> LIMITS.setRelease(this, driver.limits()), "limits", name);
    }

    /** Any context: where requests enter, the driver itself or what lets one in at a time. */
    BlockDriver entered() {
        return entered;
    }

    /** Any context. */
    DriverAccess access() {
        return access;
    }

    /** Any thread. */
    Gate gate() {
        return gate;
    }

    /** Control. */
    List<Edge> edges() {
        return edges;
    }

    /** Control; a copy, because a change may move them while it walks. */
    List<Edge> parents() {
        return List.copyOf(parents);
    }

    /** Control: child nodes and parent nodes. */
    List<BlockNode> neighbours() {
        List<BlockNode> out = children();
        for (Edge edge : parents) {
            if (edge.parent() instanceof BlockNode node) {
                out.add(node);
            }
        }
        return out;
    }

    void addParent(Edge edge) {
        parents.addFirst(edge);
    }

    void removeParent(Edge edge) {
        boolean removed = parents.remove(edge);
        assert removed : edge + " is no parent edge of " + name;
    }

    Component component() {
        return (Component) COMPONENT.getAcquire(this);
    }

    /** Control: another holder of the same context. */
    void componentRelease(Component next) {
        COMPONENT.setRelease(this, next);
    }

    @Override
    public String toString() {
        return name;
    }
}
