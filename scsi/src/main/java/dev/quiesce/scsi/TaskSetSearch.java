package dev.quiesce.scsi;

import dev.quiesce.aio.Task;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A task management function over one unit: finds the requests that match and, if there is a cause,
 * cancels them and waits until they are gone. The visits run in the requests' contexts.
 */
final class TaskSetSearch extends Task implements RequestVisitor {
    /*
     * "outstanding" starts at one, for the walk (VSCSI-32); each cancelled request adds one before
     * it is cancelled. The decrement that reaches zero posts this task to main, which completes the
     * result: by then every response was published, since both the walk's end and a notifier come
     * after their slice's publish (VSCSI-33). A request that is being cancelled already only gets a
     * notifier more (SCSI-54).
     */
    private final LogicalUnit unit;
    private final Predicate<ScsiRequest> which;
    private final @Nullable CancelCause cause;
    private final CompletableFuture<Integer> result = new CompletableFuture<>();
    private final AtomicInteger outstanding = new AtomicInteger(1);
    private final AtomicInteger found = new AtomicInteger();

    TaskSetSearch(LogicalUnit unit, Predicate<ScsiRequest> which, @Nullable CancelCause cause) {
        this.unit = unit;
        this.which = which;
        this.cause = cause;
    }

    CompletableFuture<Integer> result() {
        return result;
    }

    @Override
    public void visit(ScsiRequest request) {
        if (!which.test(request)) {
            return;
        }
        found.incrementAndGet();
        if (cause != null) {
            outstanding.incrementAndGet();
            request.cancel(cause, new Gone());
        }
    }

    @Override
    public void visitCancelling(ScsiRequest request) {
        visit(request);
    }

    @Override
    public void ended() {
        endOne();
    }

    @Override
    protected void run() {
        result.complete(found.getAcquire());
    }

    @Override
    public String describe() {
        return "task set of " + unit.name();
    }

    private void endOne() {
        if (outstanding.decrementAndGet() == 0) {
            unit.main().post(this);
        }
    }

    private final class Gone extends Task {
        @Override
        protected void run() {
            endOne();
        }

        @Override
        public String describe() {
            return "cancelled request gone, task set of " + unit.name();
        }
    }
}
