package dev.quiesce.testkit;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.Child;
import dev.quiesce.driver.NodeAccess;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the drivers of this package have in common: one child, whose size and limits they show. */
abstract class Filter implements BlockDriver {
    private final String type;

    /** Written by control before the first request, read by any. */
    private volatile @Nullable NodeAccess opened;

    Filter(String type) {
        this.type = type;
    }

    @Override
    public final String type() {
        return type;
    }

    @Override
    public final BlockLimits limits() {
        return child().limits();
    }

    @Override
    public final long lengthBytes() {
        return child().lengthBytes();
    }

    @Override
    public final boolean concurrent() {
        return true;
    }

    @Override
    public final void opened(NodeAccess node) {
        if (node.children() != 1) {
            throw new IllegalArgumentException("node " + node.name() + ": a " + type
                    + " driver has exactly one child, not " + node.children());
        }
        opened = node;
    }

    @Override
    public void close() {
        // Nothing is held once nothing is in flight.
    }

    final Child child() {
        return node().child(0);
    }

    final NodeAccess node() {
        return Objects.requireNonNull(opened, "the " + type + " driver is not part of a node yet");
    }
}
