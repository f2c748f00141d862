package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Drainable;
import dev.quiesce.graph.ContextChange;
import dev.quiesce.graph.GraphChange;
import dev.quiesce.graph.GraphCommit;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Moves a backend and everything connected with it, on the backend's own request. */
final class BackendMove implements GraphChange {
    private final BlockBackend backend;
    private final AioContext target;
    private @Nullable ContextChange move;

    BackendMove(BlockBackend backend, AioContext target) {
        this.backend = backend;
        this.target = target;
    }

    @Override
    public String describe() {
        return "BlockBackend.setContext(" + backend.name() + ", " + target.name() + ")";
    }

    @Override
    public Collection<? extends Drainable> plan() {
        backend.checkOpen();
        ContextChange next =
                backend.graph().planMove(backend.root(), target, backend.seat());
        move = next;
        return next.drained();
    }

    @Override
    public void commit(GraphCommit commit) {
        if (move != null) {
            commit.move(move);
        }
    }
}
