package dev.quiesce.driver;

/**
 * The capability to let a request into a driver. The graph's edge extends it; nobody else needs to.
 *
 * <p>It keeps the record of which driver holds the request (for cancellation), starts child
 * requests, fails a request whose driver throws, and keeps the stack flat: see the note in
 * {@link BlockRequest}.
 */
public abstract class NodeEntry implements Child {
    /** Makes an entry. */
    protected NodeEntry() {
    }

    /**
     * Gives a request to a driver.
     *
     * <p>Thread: home context of the request; throws elsewhere.
     *
     * @param request a request under way, or a prepared child request, which starts by this
     * @param driver the driver that holds it from now on
     * @param node the node of that driver
     * @throws IllegalStateException if the request is neither, or the caller is not at home
     */
    protected final void enter(BlockRequest request, BlockDriver driver, NodeAccess node) {
        request.enter(driver, node);
    }
}
