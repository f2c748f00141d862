package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.util.function.Consumer;

/**
 * Calls out from its life-cycle hooks, and passes all requests on to its child. With
 * {@code sim::interleave} it is a window in the middle of a drain or a context change, through
 * which others can look at a graph that is half way from one state to the next.
 */
public final class YieldingDriver extends Filter {
    private final Consumer<String> hook;

    /**
     * Makes a driver.
     *
     * @param hook told of each hook, by the control thread, while the change is under way
     */
    public YieldingDriver(Consumer<String> hook) {
        super("yielding");
        this.hook = hook;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        request.forward(node.child(0));
    }

    @Override
    public void drainBegin() {
        hook.accept("is in the hook drainBegin of node " + node().name());
    }

    @Override
    public void drainEnd() {
        hook.accept("is in the hook drainEnd of node " + node().name());
    }

    @Override
    public void detachContext() {
        hook.accept("is in the hook detachContext of node " + node().name());
    }

    @Override
    public void attachContext(AioContext context) {
        hook.accept("is in the hook attachContext(" + context.name() + ") of node "
                + node().name());
    }
}
