package dev.quiesce.backend;

import dev.quiesce.block.BlockLimits;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** The limits of a node as they look through its backend. Any thread. */
final class PortLimits {
    /*
     * Users ask for limits once per request, so what was derived is kept with what it was derived
     * from: whoever finds another node's limits derives them again. Two may do so at once; they
     * derive the same.
     */
    private static final VarHandle LAST = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "last", VarHandle.class, PortLimits.class, Derived.class);

    /** The longest read or write: what fits an int, in whole sectors (REQ-8). */
    static final long TRANSFER_BYTES_MAX = Integer.MAX_VALUE / 512 * 512L;

    private record Derived(BlockLimits node, BlockLimits seen) {}

    private final boolean readOnly;

    /** Written release by any thread, read acquire by any. */
    @SuppressWarnings("UnusedVariable") // read through LAST
    private Derived last;

    PortLimits(boolean readOnly) {
        this.readOnly = readOnly;
        BlockLimits any = BlockLimits.unlimited();
        this.last = new Derived(any, derive(any));
    }

    @SuppressWarnings("ReferenceEquality") // the same object, not equal limits: asked per request
    BlockLimits of(BlockLimits node) {
        Derived known = (Derived) LAST.getAcquire(this);
        if (known.node() != node) {
            known = new Derived(node, derive(node));
            LAST.setRelease(this, known);
        }
        return known.seen();
    }

    private BlockLimits derive(BlockLimits node) {
        long most = Math.max(node.requestAlignmentBytes(),
                TRANSFER_BYTES_MAX & -node.requestAlignmentBytes());
        BlockLimits capped = node.maxTransferBytes() <= most ? node
                : node.withBounds(most, node.maxWriteZeroesBytes(), node.maxDiscardBytes());
        return readOnly ? capped.withReadOnly(true) : capped;
    }
}
