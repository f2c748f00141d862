package dev.quiesce.backend;

import dev.quiesce.aio.Task;
import dev.quiesce.drain.Hold;
import dev.quiesce.graph.BlockNode;

/**
 * Tells everybody in the main context of the length that a truncate left. Posted under a hold
 * before the truncate is counted out, so no section ends its wait in between (I1).
 */
final class TruncateNews extends Task {
    private final BlockBackend backend;
    private final BlockNode node;
    private final Hold hold;

    private TruncateNews(BlockBackend backend, BlockNode node) {
        this.backend = backend;
        this.node = node;
        this.hold = backend.gate().hold("news of a truncate", backend.main());
    }

    /**
     * Home context of the truncate, before its completion runs. Without a main context there is
     * nobody to tell.
     */
    static void post(BlockBackend backend) {
        BlockNode node = backend.root();
        if (node == null) {
            return;
        }
        TruncateNews news = new TruncateNews(backend, node);
        try {
            backend.main().post(news);
        } catch (IllegalStateException gone) {
            news.hold.close();
            backend.main().report(news.describe(), gone);
        }
    }

    @Override
    protected void run() {
        try {
            backend.graph().lengthsChanged(node);
        } finally {
            hold.close();
        }
    }

    @Override
    public String describe() {
        return "news of a truncate of '" + backend.name() + "'";
    }
}
