package dev.quiesce.driver;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;

/** Serves a request by flushes of its child, one after the other: as many as its length says. */
final class Fragments implements Completion {
    private final Child below;
    private BlockRequest parent;
    private long left;
    private int depth;
    private int deepest;

    Fragments(Child below) {
        this.below = below;
    }

    void serve(BlockRequest request) {
        parent = request;
        left = request.lengthBytes();
        next();
    }

    int deepest() {
        return deepest;
    }

    @Override
    public void onComplete(BlockRequest request, BlockStatus status) {
        if (status.isOk() && left > 0) {
            next();
        } else {
            parent.complete(status, request.cause());
        }
    }

    private void next() {
        depth++;
        deepest = Math.max(deepest, depth);
        left--;
        below.submit(parent.child(this).prepare(Operation.FLUSH, 0, 0, null, 0));
        depth--;
    }
}
