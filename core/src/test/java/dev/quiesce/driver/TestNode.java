package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockLimits;
import java.util.List;

/** A node without a graph: a driver, its children, and the edge that leads to it. */
public final class TestNode extends NodeEntry implements NodeAccess {
    private final String name;
    private final BlockDriver driver;
    private final List<TestNode> children;

    private TestNode(String name, BlockDriver driver, List<TestNode> children) {
        this.name = name;
        this.driver = driver;
        this.children = children;
    }

    public static TestNode of(BlockDriver driver, TestNode... children) {
        TestNode node = new TestNode(driver.type(), driver, List.of(children));
        driver.opened(node);
        return node;
    }

    public BlockDriver driver() {
        return driver;
    }

    public void close() {
        driver.close();
        children.forEach(TestNode::close);
    }

    @Override
    public void submit(BlockRequest request) {
        enter(request, driver, this);
    }

    @Override
    public BlockLimits limits() {
        return driver.limits();
    }

    @Override
    public long lengthBytes() {
        return driver.lengthBytes();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Child child(int index) {
        return children.get(index);
    }

    @Override
    public int children() {
        return children.size();
    }

    @Override
    public AioContext main() {
        throw new UnsupportedOperationException("no main context here");
    }

    @Override
    public Background beginBackgroundWork(String what) {
        throw new UnsupportedOperationException("no background work here");
    }
}
