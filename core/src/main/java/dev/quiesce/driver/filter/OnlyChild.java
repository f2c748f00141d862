package dev.quiesce.driver.filter;

import dev.quiesce.driver.NodeAccess;
import org.jspecify.annotations.Nullable;

/** The conditions that every filter has in common: it is opened, and above exactly one child. */
final class OnlyChild {
    private OnlyChild() {
    }

    static NodeAccess require(String type, NodeAccess node) {
        if (node.children() != 1) {
            throw new IllegalArgumentException("node " + node.name() + ": a " + type
                    + " driver has exactly one child, not " + node.children());
        }
        return node;
    }

    static NodeAccess opened(String type, @Nullable NodeAccess node) {
        if (node == null) {
            throw new IllegalStateException("the " + type + " driver is not part of a node yet");
        }
        return node;
    }
}
