package dev.quiesce.driver.filter;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Forwards every request to its only child as it is, and counts. The node to insert into a running
 * graph when the insertion itself is the point. Concurrent.
 */
public final class PassthroughDriver implements BlockDriver {
    private final LongAdder requests = new LongAdder();
    private final LongAdder bytes = new LongAdder();

    /** Written by control before the first request, read by any. */
    private volatile @Nullable NodeAccess opened;

    /** Makes a driver. */
    public PassthroughDriver() {
    }

    /**
     * How many requests were forwarded.
     *
     * <p>Thread: any. Exact while nothing is submitted.
     *
     * @return the number of requests
     */
    public long requests() {
        return requests.sum();
    }

    /**
     * How long the forwarded requests were together.
     *
     * <p>Thread: any. Exact while nothing is submitted.
     *
     * @return the sum of their lengths in bytes
     */
    public long bytes() {
        return bytes.sum();
    }

    @Override
    public String type() {
        return "passthrough";
    }

    @Override
    public BlockLimits limits() {
        return node().child(0).limits();
    }

    @Override
    public long lengthBytes() {
        return node().child(0).lengthBytes();
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    @Override
    public void opened(NodeAccess node) {
        opened = OnlyChild.require(type(), node);
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        requests.increment();
        bytes.add(request.lengthBytes());
        request.forward(node.child(0));
    }

    @Override
    public void close() {
        // Nothing is held.
    }

    private NodeAccess node() {
        return OnlyChild.opened(type(), opened);
    }
}
