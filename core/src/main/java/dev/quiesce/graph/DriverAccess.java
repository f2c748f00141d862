package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Hold;
import dev.quiesce.driver.Background;
import dev.quiesce.driver.Child;
import dev.quiesce.driver.NodeAccess;

/** What a driver may see and do of its own node. */
final class DriverAccess implements NodeAccess {
    private final BlockNode node;

    DriverAccess(BlockNode node) {
        this.node = node;
    }

    @Override
    public Child child(int index) {
        return node.edges().get(index);
    }

    @Override
    public int children() {
        return node.edges().size();
    }

    @Override
    public String name() {
        return node.name();
    }

    @Override
    public AioContext main() {
        return node.main();
    }

    @Override
    public Background beginBackgroundWork(String what) {
        Hold hold = node.gate().hold(what, node.context());
        return hold::close;
    }
}
