package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.graph.GraphParent;
import org.jspecify.annotations.Nullable;

/**
 * The backend as the graph sees it: a user of a node. Kept apart so that these hooks are not public
 * on it.
 */
final class BackendSeat implements GraphParent {
    private final BlockBackend backend;

    BackendSeat(BlockBackend backend) {
        this.backend = backend;
    }

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public AioContext main() {
        return backend.main();
    }

    @Override
    public AioContext context() {
        return backend.context();
    }

    @Override
    public void quiesce() {
        backend.quiesce();
    }

    @Override
    public boolean isBusy() {
        return backend.isBusy();
    }

    @Override
    public void checkMayWait() {
        backend.checkMayWait();
    }

    @Override
    public void resume() {
        backend.resume();
    }

    @Override
    public void describe(WaitReport out) {
        backend.describe(out);
    }

    @Override
    public @Nullable String refuseMove(AioContext target, boolean initiator) {
        return initiator || backend.config().allowContextChange()
                ? null
                : "an active backend that others may not move";
    }

    @Override
    public void moveTo(AioContext target) {
        if (backend.context() != target) {
            backend.contextRelease(target);
        }
    }

    @Override
    public void moved(AioContext target) {
        backend.announceContext(target);
    }

    @Override
    public void rootChanged() {
        backend.announceLength();
    }

    @Override
    public String toString() {
        return backend.toString();
    }
}
