package dev.quiesce.scsi;

/**
 * What a logical unit asks of the adapter that brought it a request: deliver the answer.
 *
 * <p>For every request that was given to {@link LogicalUnit#execute} exactly one of the two methods
 * is called, exactly once (SCSI-30), in the request's home context, possibly before {@code execute}
 * returns. At that moment the request is off its unit's list (SCSI-22), belongs to the adapter
 * again and may be prepared anew.
 *
 * <p>An adapter that batches must publish its answers with {@link
 * dev.quiesce.aio.AioContext#deferCall}: counts, walks and cancel notifiers end in the settle phase
 * of the same slice, that is after what was published there (I1, VSCSI-33).
 */
public interface HostAdapter {
    /**
     * Takes the answer of a request that ran to its end. Home context of the request.
     *
     * @param request the request: its status, sense and residual are set
     */
    void complete(ScsiRequest request);

    /**
     * Takes a request that was cancelled. Home context of the request. The unit no longer touches
     * the request's buffers; a cancelled write may have been applied in part.
     *
     * @param request the request: its {@linkplain ScsiRequest#cancelCause() cause} is set
     */
    void cancelled(ScsiRequest request);
}
