package dev.quiesce.driver;

import dev.quiesce.block.BlockStatus;

/**
 * Is told, exactly once for each submission, how a request ended.
 */
public interface Completion {
    /**
     * The request is done. It is idle again: it may be prepared and submitted at once, also from
     * here. {@link BlockRequest#cause()} tells why it failed, until it is prepared again.
     *
     * <p>Thread: home context of the request. For a request submitted through a boundary it runs
     * from the loop, never inside submit; for a child request it is a step of the driver that made
     * it and may run in any frame of that driver's own stack, but never inside a submit it called.
     *
     * @param request the request, idle
     * @param status how it ended
     */
    void onComplete(BlockRequest request, BlockStatus status);
}
