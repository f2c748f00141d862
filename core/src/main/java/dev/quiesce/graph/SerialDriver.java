package dev.quiesce.graph;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.AsyncLock;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Completion;
import dev.quiesce.driver.NodeAccess;
import dev.quiesce.driver.NodeEntry;

/** Lets one request at a time into a driver that is not made for several contexts. */
final class SerialDriver implements BlockDriver {
    /*
     * The lock is held from submit to completion, across threads and turns, so it is an AsyncLock:
     * whoever finds it taken gives it a task, which the lock posts to the waiter's home context, in
     * the order of arrival. Nobody hops to a context of the node, so a request needs no wake-up
     * unless it really waits.
     *
     * To see the completion the node sends a child request in the place of the one it was given,
     * with the same range and payload. The lock is released before the completion is passed on. The
     * child and the turn are made once per request and kept, so the way allocates nothing in the
     * steady state.
     *
     * A request that was cancelled while it waited for its turn takes it only to give it back.
     */
    private final BlockDriver driver;
    private final NodeAccess access;
    private final AsyncLock lock;
    private final Entry entry = new Entry();

    SerialDriver(BlockDriver driver, NodeAccess access) {
        this.driver = driver;
        this.access = access;
        this.lock = new AsyncLock("node " + access.name());
    }

    @Override
    public String type() {
        return driver.type();
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
    public boolean concurrent() {
        return true;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        Turn turn = turnOf(request);
        turn.at = this;
        if (lock.acquireOr(request.home(), turn)) {
            turn.takeTurn();
        }
    }

    @Override
    public void close() {
        driver.close();
    }

    private Turn turnOf(BlockRequest request) {
        if (request.driverState() instanceof Turn kept && kept.request == request) {
            return kept;
        }
        Turn made = new Turn(request, this);
        request.driverState(made);
        return made;
    }

    /**
     * Home context of its request: waits for the lock, holds it, and hears of the child's
     * completion.
     */
    private static final class Turn extends AsyncLock.Waiter implements Completion {
        private final BlockRequest request;
        private SerialDriver at;

        Turn(BlockRequest request, SerialDriver at) {
            this.request = request;
            this.at = at;
        }

        @Override
        protected void run() {
            takeTurn();
        }

        void takeTurn() {
            if (request.isCancelRequested()) {
                at.lock.release();
                request.complete(BlockStatus.CANCELLED, null);
                return;
            }
            BlockRequest child = request.child(this);
            child.prepare(
                    request.operation(),
                    request.offsetBytes(),
                    request.lengthBytes(),
                    request.operation().hasPayload() ? request.payload() : null,
                    request.flags());
            at.entry.submit(child);
        }

        @Override
        public void onComplete(BlockRequest child, BlockStatus status) {
            at.lock.release();
            request.complete(status, child.cause());
        }

        @Override
        public String describe() {
            return "turn of " + request + " on " + at.access.name();
        }
    }

    /** The way from the lock's holder into the driver. */
    private final class Entry extends NodeEntry {
        @Override
        public void submit(BlockRequest request) {
            enter(request, driver, access);
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
            return access.name();
        }
    }
}
