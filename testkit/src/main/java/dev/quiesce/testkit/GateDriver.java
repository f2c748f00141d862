package dev.quiesce.testkit;

import dev.quiesce.aio.Task;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Holds requests until somebody lets them go on to its child: for a test that needs a request to be
 * in flight at a certain moment. Open, it lets everything pass; it begins open. A request that is
 * cancelled while held completes with {@code CANCELLED}, unless cancelling is disabled, which is
 * what a driver does that has handed the request to the host already.
 *
 * <p>Thread: any, for all that is not of the SPI.
 */
public final class GateDriver extends Filter {
    /*
     * The lock guards the list and the two switches; it is never held while calling out. A request
     * leaves the list exactly once, by release or by cancel, and whoever took it goes on with it:
     * cancel is in its home already, release posts it there.
     */
    private final Object lock = new Object();
    private final List<BlockRequest> held = new ArrayList<>();
    private boolean closed;
    private boolean deaf;

    /** Makes an open gate. */
    public GateDriver() {
        super("gate");
    }

    /** Holds what comes from now on. */
    public void shut() {
        synchronized (lock) {
            closed = true;
        }
    }

    /** Lets everything pass, also what is held. */
    public void open() {
        synchronized (lock) {
            closed = false;
        }
        release(Integer.MAX_VALUE);
    }

    /**
     * Lets the oldest requests go on, in their home contexts.
     *
     * @param count how many at most
     * @return how many
     */
    public int release(int count) {
        return release(count, request -> true);
    }

    /**
     * Lets the oldest of certain requests go on, in their home contexts.
     *
     * @param count how many at most
     * @param which which ones; called with a lock held
     * @return how many
     */
    public int release(int count, Predicate<BlockRequest> which) {
        List<BlockRequest> out = new ArrayList<>();
        synchronized (lock) {
            for (BlockRequest request : held) {
                if (out.size() < count && which.test(request)) {
                    out.add(request);
                }
            }
            held.removeAll(out);
        }
        for (BlockRequest request : out) {
            request.home().post(new Release(request));
        }
        return out.size();
    }

    /** {@return how many requests are held} */
    public int heldCount() {
        synchronized (lock) {
            return held.size();
        }
    }

    /**
     * {@return how many of certain requests are held}
     *
     * @param which which ones; called with a lock held
     */
    public int heldCount(Predicate<BlockRequest> which) {
        synchronized (lock) {
            return (int) held.stream().filter(which).count();
        }
    }

    /**
     * Says whether a held request can be cancelled; it can unless this is called.
     *
     * @param can false to take no notice of cancellations
     */
    public void cancellable(boolean can) {
        synchronized (lock) {
            deaf = !can;
        }
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        if (!hold(request)) {
            request.forward(node.child(0));
        }
    }

    @Override
    public void cancel(BlockRequest request) {
        boolean mine;
        synchronized (lock) {
            mine = !deaf && held.remove(request);
        }
        if (mine) {
            request.complete(BlockStatus.CANCELLED, null);
        }
    }

    private boolean hold(BlockRequest request) {
        synchronized (lock) {
            if (closed) {
                held.add(request);
            }
            return closed;
        }
    }

    private final class Release extends Task {
        private final BlockRequest request;

        Release(BlockRequest request) {
            this.request = request;
        }

        @Override
        protected void run() {
            request.forward(child());
        }

        @Override
        public String describe() {
            return "the gate lets go of " + request;
        }
    }
}
