package dev.quiesce.graph;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.drain.Drainable;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeEntry;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The way from a user to a node: a request goes down, a drained section climbs up.
 *
 * <p>Any context may submit. The node it points at is changed by control only, inside a section
 * that covers everything that could come this way.
 */
public final class Edge extends NodeEntry {
    /*
     * The target is written with release by control while no request of this parent is in flight,
     * and read with acquire once per request and edge. A request that entered after the section has
     * read the quiesce counter (sequentially consistent) which control lowered after the write, so
     * it sees the new target anyway; the acquire and release cover the first insertion into a
     * backend, where a submit may race with the publication of the edge itself.
     *
     * parentQuiesced is the edge's share in the parent's quiesce counter: true exactly while the
     * target is quiesced (DRAIN-2), so an edge counts at most once however often its node was
     * drained.
     */
    private static final VarHandle TARGET = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "target", VarHandle.class, Edge.class, BlockNode.class);

    private final String name;
    private final Drainable parent;

    /** Written release by control, read acquire by any context. */
    private BlockNode target;

    /** Control only. */
    private boolean parentQuiesced;

    Edge(String name, Drainable parent, BlockNode target) {
        this.name = name;
        this.parent = parent;
        this.target = target;
    }

    /**
     * Runs a request on the node below. Home context of the request.
     *
     * @param request a started request, owned by the node until it completes
     */
    @Override
    public void submit(BlockRequest request) {
        BlockNode node = targetAcquire();
        enter(request, node.entered(), node.access());
    }

    /**
     * The limits of the node below. Any thread.
     *
     * @return the limits
     */
    @Override
    public BlockLimits limits() {
        return targetAcquire().limits();
    }

    /**
     * The length of the node below. Any thread.
     *
     * @return bytes
     */
    @Override
    public long lengthBytes() {
        return targetAcquire().lengthBytes();
    }

    /**
     * The name of the node below. Any thread.
     *
     * @return the name
     */
    @Override
    public String name() {
        return targetAcquire().name();
    }

    /**
     * The node below. Any thread; a hint unless read by control.
     *
     * @return the node
     */
    public BlockNode node() {
        return targetAcquire();
    }

    /**
     * What this edge is to its parent, such as {@code child0} or {@code root}. Any thread.
     *
     * @return the edge's own name
     */
    public String role() {
        return name;
    }

    /** Control: the user at the upper end, a node or a {@link GraphParent}. */
    Drainable parent() {
        return parent;
    }

    /** Control. */
    boolean isParentQuiesced() {
        return parentQuiesced;
    }

    /** Control: counts the parent's quiesce through this edge, unless the parent throws. */
    void quiesceParent() {
        assert !parentQuiesced : this + " already quiesces its parent";
        parent.quiesce();
        parentQuiesced = true;
    }

    /** Control: takes that count back. */
    void resumeParent() {
        assert parentQuiesced : this + " does not quiesce its parent";
        parentQuiesced = false;
        parent.resume();
    }

    /**
     * Control: enters the target's list of parents; the parent becomes quiesced if the target is
     * (GR-31). If it throws then, nothing is linked.
     */
    void link() {
        if (target.isQuiesced()) {
            quiesceParent();
        }
        target.addParent(this);
    }

    /**
     * Control: leaves the target's list of parents; a parent quiesced through this edge is resumed
     * (DRAIN-41).
     */
    void unlink() {
        target.removeParent(this);
        if (parentQuiesced) {
            resumeParent();
        }
    }

    /**
     * Control: points at another node. The parent sees no end and begin in a row when both nodes
     * are drained (DRAIN-40, DRAIN-42): its count is adjusted only if the two differ, after the new
     * node is attached. A parent that throws when it is quiesced is left where it was.
     */
    void retarget(BlockNode next) {
        BlockNode before = target;
        point(next);
        if (next.isQuiesced() && !parentQuiesced) {
            try {
                quiesceParent();
            } catch (RuntimeException | Error e) {
                point(before);
                throw e;
            }
        } else if (!next.isQuiesced() && parentQuiesced) {
            resumeParent();
        }
    }

    private void point(BlockNode next) {
        target.removeParent(this);
        TARGET.setRelease(this, next);
        next.addParent(this);
    }

    private BlockNode targetAcquire() {
        return (BlockNode) TARGET.getAcquire(this);
    }

    @Override
    public String toString() {
        return parent.name() + "." + name + " -> " + targetAcquire().name();
    }
}
