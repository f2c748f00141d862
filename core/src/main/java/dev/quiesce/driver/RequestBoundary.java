package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockStatus;
import org.jspecify.annotations.Nullable;

/**
 * The capability through which a boundary (a backend's port) admits requests to the nodes below it
 * and delivers their completions. It gives the boundary what {@link BlockRequest} shows nobody
 * else.
 *
 * <p>The order of calls for one submission: {@link #admit}; {@link #markParked} on and off as often
 * as it takes; then either {@link #startAt} or {@link #finish}; later the loop calls
 * {@link #deliver}, which calls {@link #conclude}. Each throws {@link IllegalStateException} with
 * the request's state when it is out of order.
 */
public abstract class RequestBoundary {
    /** Makes a boundary. */
    protected RequestBoundary() {
    }

    /**
     * Takes a prepared request on: it belongs to a home context and to this boundary until it is
     * concluded.
     *
     * <p>Thread: home context; throws elsewhere.
     *
     * @param request an idle, prepared root request
     * @param home the context in which it is submitted and completed
     */
    protected final void admit(BlockRequest request, AioContext home) {
        request.admit(this, home);
    }

    /**
     * Notes that the request waits at the boundary, or no longer does. While it is parked,
     * {@link BlockRequest#cancel} asks this boundary and no driver.
     *
     * <p>Thread: home context.
     *
     * @param request an admitted request
     * @param parked whether it waits from now on
     */
    protected final void markParked(BlockRequest request, boolean parked) {
        request.markParked(parked);
    }

    /**
     * Sends the request down, or completes it with {@code CANCELLED} if it was cancelled meanwhile.
     * It may be complete when this returns, but it is not yet delivered.
     *
     * <p>Thread: home context.
     *
     * @param request an admitted request that is not parked
     * @param root the way down; null completes the request with {@code NO_MEDIUM}
     */
    protected final void startAt(BlockRequest request, @Nullable Child root) {
        request.startAt(root);
    }

    /**
     * Completes a request that never reached a driver (out of bounds, read-only, cancelled while
     * parked), through the loop like any other.
     *
     * <p>Thread: home context.
     *
     * @param request an admitted request that is not parked
     * @param status how it ended
     */
    protected final void finish(BlockRequest request, BlockStatus status) {
        request.finishAtBoundary(status);
    }

    /**
     * The request is done. Must call {@link #conclude} and then {@link #notifyCompletion}.
     *
     * <p>Thread: home context, from the loop, never inside submit.
     *
     * @param request the request
     * @param status how it ended
     * @param cause why it failed, if the host knows; also {@link BlockRequest#cause()}
     */
    protected abstract void deliver(
            BlockRequest request, BlockStatus status, @Nullable Throwable cause);

    /**
     * Makes a delivered request idle, so that its completion may submit it again.
     *
     * <p>Thread: home context.
     *
     * @param request a request that is being delivered
     */
    protected final void conclude(BlockRequest request) {
        request.conclude();
    }

    /**
     * Calls the request's own completion.
     *
     * <p>Thread: home context.
     *
     * @param request a concluded request
     * @param status how it ended
     */
    protected final void notifyCompletion(BlockRequest request, BlockStatus status) {
        request.notifyCompletion(status);
    }

    /**
     * The submitter cancelled a request that this boundary admitted, for the first time in this
     * submission. If it is parked the boundary takes it out and calls {@link #finish} with
     * {@code CANCELLED}; if not, this is for the statistics only: the driver that holds it is told
     * next.
     *
     * <p>Thread: home context.
     *
     * @param request the request, not yet done
     */
    protected abstract void cancelRequested(BlockRequest request);
}
