package dev.quiesce.driver.filter;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Child;
import dev.quiesce.driver.Completion;
import org.jspecify.annotations.Nullable;

/**
 * A read of an overlay: what is held in memory is copied, what is not is read from the base, one
 * run after the other. Kept in the request it serves. Home context of that request.
 */
final class OverlayRead implements Completion {
    /*
     * SCAN --(a run of the base begins)--> READ_BASE --(the child request completes)--> SCAN
     *   +--(nothing left, cancelled, or the base failed)--> the request is complete
     *
     * Steps never nest: the step of a child request runs after the submit that started it has
     * returned (BlockRequest's trampoline), so run() is one loop however many runs there are.
     */
    private enum Step {
        /** Copies what memory holds, up to the next run of the base. */
        SCAN,
        /** Asks the base for the run that was found. */
        READ_BASE
    }

    private final OverlayDriver overlay;
    private final BlockRequest request;
    private final IoVector basePayload = new IoVector();
    private @Nullable Child base;
    private Step step = Step.SCAN;

    /** Everything before this, counted from the request's start, is in the payload. */
    private long doneBytes;
    /** Where the run of the base ends that is being read. */
    private long runEndBytes;
    /** Where the base ended when that run was found. */
    private long baseEndBytes;

    OverlayRead(OverlayDriver overlay, BlockRequest request) {
        this.overlay = overlay;
        this.request = request;
    }

    boolean isOf(OverlayDriver driver) {
        return overlay == driver;
    }

    void start(Child from) {
        base = from;
        doneBytes = 0;
        step = Step.SCAN;
        run(from);
    }

    @Override
    public void onComplete(BlockRequest child, BlockStatus status) {
        Child from = base;
        if (!status.isOk() || from == null) {
            finish(status, child.cause());
            return;
        }
        doneBytes = runEndBytes;
        step = Step.SCAN;
        run(from);
    }

    private void run(Child from) {
        while (true) {
            switch (step) {
                case SCAN -> {
                    if (request.isCancelRequested()) {
                        finish(BlockStatus.CANCELLED, null);
                        return;
                    }
                    scan(from);
                    if (doneBytes == request.lengthBytes()) {
                        finish(BlockStatus.OK, null);
                        return;
                    }
                    step = Step.READ_BASE;
                }
                case READ_BASE -> {
                    readBase(from);
                    return;
                }
            }
        }
    }

    /** Copies until everything is done or a run of the base that the base really has begins. */
    private void scan(Child from) {
        long left = request.lengthBytes() - doneBytes;
        while (left > 0) {
            long at = request.offsetBytes() + doneBytes;
            long copied = overlay.copyRun(at, left, request.payload(), doneBytes);
            if (copied == 0) {
                long run = overlay.baseRun(at, left);
                baseEndBytes = overlay.baseEnd(from);
                if (at < baseEndBytes) {
                    runEndBytes = doneBytes + run;
                    return;
                }
                request.payload().fillZero(doneBytes, run);
                copied = run;
            }
            doneBytes += copied;
            left -= copied;
        }
    }

    /** Reads the run as far as the base goes and its transfers allow; zeroes are beyond its end. */
    private void readBase(Child from) {
        long at = request.offsetBytes() + doneBytes;
        int alignment = overlay.limits().requestAlignmentBytes();
        long most = Math.max(alignment, from.limits().maxTransferBytes() & -alignment);
        long run = Math.min(runEndBytes - doneBytes, most);
        runEndBytes = doneBytes + run;
        long there = Math.min(run, baseEndBytes - at);
        request.payload().fillZero(doneBytes + there, run - there);
        basePayload.clear();
        basePayload.addSlice(request.payload(), doneBytes, there);
        BlockRequest child = request.child(this)
                .prepare(Operation.READ, at, there, basePayload, 0);
        from.submit(child);
    }

    private void finish(BlockStatus status, @Nullable Throwable cause) {
        base = null;
        basePayload.clear();
        request.complete(status, cause);
    }
}
