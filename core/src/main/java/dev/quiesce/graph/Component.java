package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The one place where the nodes of a connected component keep their common context. */
final class Component {
    /*
     * All nodes connected by edges share one Component, and the Component holds one immutable
     * Placement. A change of context is therefore a single store, and no reader can see some nodes
     * of the component moved and others not (CTX-19). The store is a release and the load an
     * acquire: a reader that sees the new placement sees all that was written before it. When edges
     * are attached or detached the graph hands new Components to the nodes concerned; their
     * contexts were made equal before, so a reader that still holds the old one reads the same
     * context.
     */
    private static final VarHandle PLACEMENT = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "placement", VarHandle.class, Component.class, Placement.class);

    /** Written by control, read acquire by any thread; never null (CTX-20). */
    @SuppressWarnings("UnusedVariable") // read through PLACEMENT
    private Placement placement;

    Component(AioContext context, long generation) {
        this.placement = new Placement(context, generation);
    }

    Placement placementAcquire() {
        return (Placement) PLACEMENT.getAcquire(this);
    }

    /** Control; inside a settled section. */
    void moveRelease(AioContext target, long generation) {
        PLACEMENT.setRelease(this, new Placement(target, generation));
    }
}
