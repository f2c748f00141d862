package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Drainable;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.graph.ContextChange;
import dev.quiesce.graph.Edge;
import dev.quiesce.graph.GraphChange;
import dev.quiesce.graph.GraphCommit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Changes what a backend stands on, inside one section of the backend (BB-11, BB-13, BB-15). */
final class RootChange implements GraphChange {
    /*
     * Only the backend itself has to be settled: its requests are the only ones that come through
     * its root edge; a new one has none. If contexts have to be aligned, what moves is drained as
     * well.
     *
     * The pointer is cleared before the edge is detached, and set after the edge is attached, so
     * whoever reads it gets an edge that is linked (BB-13). Requests read it once.
     */
    private enum Kind {
        CREATE,
        INSERT,
        REMOVE,
        REPLACE,
        CLOSE
    }

    private final BlockBackend backend;
    private final Kind kind;
    private final @Nullable BlockNode node;
    private @Nullable ContextChange move;

    private RootChange(BlockBackend backend, Kind kind, @Nullable BlockNode node) {
        this.backend = backend;
        this.kind = kind;
        this.node = node;
    }

    static RootChange create(BlockBackend backend, @Nullable BlockNode node) {
        return new RootChange(backend, Kind.CREATE, node);
    }

    static RootChange insert(BlockBackend backend, BlockNode node) {
        return new RootChange(backend, Kind.INSERT, node);
    }

    static RootChange remove(BlockBackend backend) {
        return new RootChange(backend, Kind.REMOVE, null);
    }

    static RootChange replace(BlockBackend backend, BlockNode node) {
        return new RootChange(backend, Kind.REPLACE, node);
    }

    static RootChange close(BlockBackend backend) {
        return new RootChange(backend, Kind.CLOSE, null);
    }

    @Override
    public String describe() {
        return "BlockBackend." + kind.name().toLowerCase(Locale.ROOT) + "(" + backend.name() + ")";
    }

    @Override
    public Collection<? extends Drainable> plan() {
        check();
        move = node == null ? null : align(node);
        List<Drainable> drained = new ArrayList<>();
        if (kind != Kind.CREATE) {
            drained.add(backend.seat());
        }
        if (move != null) {
            drained.addAll(move.drained());
        }
        return drained;
    }

    private void check() {
        if (kind == Kind.CREATE) {
            backend.graph().checkUser(backend.seat());
            checkAlive(backend.context());
        } else if (kind != Kind.CLOSE) {
            backend.checkOpen();
            boolean full = backend.root() != null;
            if (full != (kind != Kind.INSERT)) {
                throw new BlockLayerException(describe() + ": "
                        + (full ? "something is inserted already" : "nothing is inserted"));
            }
        }
    }

    private void checkAlive(AioContext context) {
        try {
            context.checkOpen();
        } catch (IllegalStateException gone) {
            throw new BlockLayerException("cannot make '" + backend.name() + "' in context '"
                    + context.name() + "': " + gone.getMessage());
        }
    }

    @Override
    public void commit(GraphCommit commit) {
        if (kind == Kind.CREATE) {
            backend.graph().register(backend.seat());
        }
        if (move != null) {
            commit.move(move);
        }
        switch (kind) {
            case CREATE, INSERT -> insert(commit);
            case REPLACE -> replace(commit);
            case REMOVE -> remove(commit);
            case CLOSE -> {
                remove(commit);
                backend.noteClosed();
            }
        }
        backend.announceLength();
    }

    private void insert(GraphCommit commit) {
        if (node != null) {
            backend.rootRelease(commit.attach("root", backend.seat(), node));
        }
    }

    private void replace(GraphCommit commit) {
        Edge edge = backend.rootAcquire();
        if (edge != null && node != null) {
            commit.retarget(edge, node);
        }
    }

    private void remove(GraphCommit commit) {
        Edge edge = backend.rootAcquire();
        if (edge != null) {
            backend.rootRelease(null);
            commit.detach(edge);
        }
    }

    /**
     * The node comes to the backend if it can, else the backend goes to the node if it may (BB-12,
     * CTX-8).
     */
    private ContextChange align(BlockNode with) {
        BlockGraph graph = backend.graph();
        try {
            return graph.planMove(with, backend.context(), null);
        } catch (BlockLayerException refused) {
            if (!backend.config().allowContextChange()) {
                throw refused;
            }
            return graph.planMove(null, with.context(), backend.seat());
        }
    }
}
