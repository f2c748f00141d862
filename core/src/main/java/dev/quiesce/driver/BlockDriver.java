package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockLimits;

/**
 * Serves the requests of one node. This is the SPI for an embedder's own storage as well.
 *
 * <p>Duties. Each request given to {@link #submit} is completed exactly once, or forwarded to
 * exactly one child, whatever happens; completing inside submit is allowed and cheap. Submit never
 * blocks: file I/O goes to the workers of the request's home. After completing or forwarding a
 * request the driver does not touch it. What goes wrong is a status with a cause, not an exception;
 * a {@code RuntimeException} that leaves submit nevertheless fails the request with
 * {@code IO_ERROR}. No driver calls out while it holds a lock.
 *
 * <p>Life cycle, on the control thread: {@link #opened} once the node stands; context and drain
 * hooks while nothing is in flight respectively at the edges of a drained section; {@link #close}
 * last, with nothing in flight.
 */
public interface BlockDriver extends AutoCloseable {
    /**
     * What kind of driver this is, as a short lower-case word.
     *
     * <p>Thread: any.
     *
     * @return the driver's type, such as {@code file}
     */
    String type();

    /**
     * What requests this driver accepts. Larger or misaligned requests may be refused with
     * {@code INVALID}.
     *
     * <p>Thread: any.
     *
     * @return the limits
     */
    BlockLimits limits();

    /**
     * How many bytes there are.
     *
     * <p>Thread: any.
     *
     * @return the length in bytes
     */
    long lengthBytes();

    /**
     * Whether several contexts may be in {@link #submit} at the same time. If not, the node lets
     * one request in at a time, from submit to completion.
     *
     * <p>Thread: any.
     *
     * @return true if it is safe for concurrent use
     */
    boolean concurrent();

    /**
     * Serves a request.
     *
     * <p>Thread: home context of the request.
     *
     * @param request the request, held by this driver from now on
     * @param node the node it came through
     */
    void submit(BlockRequest request, NodeAccess node);

    /**
     * The submitter no longer wants the result of a request that this driver holds. The driver may
     * complete it early, usually with {@code CANCELLED}, or take no notice. Its child requests are
     * cancelled besides.
     *
     * <p>Thread: home context of the request.
     *
     * @param request a request that this driver holds, or just completed on another thread
     */
    default void cancel(BlockRequest request) {
    }

    /**
     * A drained section of the node begins: requests of the driver's own stop coming. Never waits.
     *
     * <p>Thread: control.
     */
    default void drainBegin() {
    }

    /**
     * The last drained section of the node ends.
     *
     * <p>Thread: control.
     */
    default void drainEnd() {
    }

    /**
     * The node leaves its context; nothing is in flight. Timers and notifiers there stop.
     *
     * <p>Thread: control.
     */
    default void detachContext() {
    }

    /**
     * The node comes into a context; nothing is in flight.
     *
     * <p>Thread: control.
     *
     * @param context the node's context from now on
     */
    default void attachContext(AioContext context) {
    }

    /**
     * The node stands and its children are attached. A driver that cannot work with them throws
     * {@link IllegalArgumentException} here.
     *
     * <p>Thread: control.
     *
     * @param node the node this driver serves from now on
     */
    default void opened(NodeAccess node) {
    }

    /**
     * Lets go of everything. Nothing is in flight, and nothing comes after it. A second call does
     * nothing.
     *
     * <p>Thread: control.
     */
    @Override
    void close();
}
