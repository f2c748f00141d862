package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;

/**
 * What a walk does with the requests it meets. See {@link LogicalUnit#forEachRequestAsync}.
 *
 * <p>The walk visits each request in the request's own home context. Contexts run at the same time,
 * so a visitor is thread-safe; per request, and per context, it is single-threaded (WALK-19).
 * Between contexts there is no order (WALK-3).
 */
public interface RequestVisitor {
    /**
     * Sees a request that is still on the list at this moment (WALK-20), oldest first (WALK-22).
     * Home context of the request. The visitor may cancel or complete it, and any other request of
     * the same context (WALK-2); it must not wait.
     *
     * @param request the request
     */
    void visit(ScsiRequest request);

    /**
     * Sees a request that was cancelled earlier but is not gone yet: its driver may still write to
     * its buffers (SCSI-54). Home context of the request. A visitor that must outlast the request
     * calls {@link ScsiRequest#cancel} again, which only adds a notifier.
     *
     * @param request the request
     */
    default void visitCancelling(ScsiRequest request) {}

    /**
     * Tells that a context has ended before its part of the walk had: requests that were not shown
     * by then never will be, nor answered. Reported to the error handler too. Called at most once
     * per context, before {@link #ended}, by whoever ends the context, or by the caller of the walk
     * if it had ended before.
     *
     * @param context the context
     * @param requests how many requests it had, shown or not
     */
    default void lost(AioContext context, int requests) {}

    /**
     * Tells that every context has been walked and what the visits caused there was published.
     * Called exactly once: in the context that finished last, before its hold is given back; or in
     * the calling thread when there was no context to walk; or where {@link #lost} is.
     */
    default void ended() {}
}
