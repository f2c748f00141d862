package dev.quiesce.driver;

import dev.quiesce.block.BlockLimits;

/**
 * A way down: the edge from a node, or from a boundary, to the node below it.
 */
public interface Child {
    /**
     * Hands a request to the driver of the node below: a request that is already under way, or a
     * prepared child request, which starts by this. It may be completed before this returns; its
     * completion step runs later all the same.
     *
     * <p>Thread: home context of the request.
     *
     * @param request the request
     */
    void submit(BlockRequest request);

    /**
     * What the node below accepts.
     *
     * <p>Thread: any.
     *
     * @return its limits
     */
    BlockLimits limits();

    /**
     * How long the node below is.
     *
     * <p>Thread: any.
     *
     * @return its length in bytes
     */
    long lengthBytes();

    /**
     * What the node below is called.
     *
     * <p>Thread: any.
     *
     * @return its name
     */
    String name();
}
