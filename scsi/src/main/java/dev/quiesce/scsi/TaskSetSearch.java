package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import java.util.ArrayList;
import java.util.List;
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
     *
     * A context that ends takes its requests with it. Those that the walk had not met there are
     * told by the walk (lost); those that were cancelled and not gone are given up by the end of
     * the context, which runs after everything else there, so their count is plain. Either way the
     * function has failed: somebody asked for tasks to be ended, and nobody can say that they were.
     */
    private final LogicalUnit unit;
    private final Predicate<ScsiRequest> which;
    private final @Nullable CancelCause cause;
    private final CompletableFuture<Integer> result = new CompletableFuture<>();
    private final AtomicInteger outstanding = new AtomicInteger(1);
    private final AtomicInteger found = new AtomicInteger();
    private final List<Part> parts = new ArrayList<>();

    /** Why the function has failed. Written before a decrement of "outstanding". */
    private volatile @Nullable String failure;

    private TaskSetSearch(
            LogicalUnit unit, Predicate<ScsiRequest> which, @Nullable CancelCause cause) {
        this.unit = unit;
        this.which = which;
        this.cause = cause;
    }

    /** Control: begins. The result completes in the main context. */
    static CompletableFuture<Integer> start(
            LogicalUnit unit, Predicate<ScsiRequest> which, @Nullable CancelCause cause) {
        RequestList[] lists = unit.lists().all();
        TaskSetSearch search = new TaskSetSearch(unit, which, cause);
        for (RequestList list : lists) {
            Part part = search.new Part(list.home());
            search.parts.add(part);
            list.home().watched().atEnd(part);
        }
        unit.startWalk(search, lists);
        return search.result;
    }

    @Override
    public void visit(ScsiRequest request) {
        if (!which.test(request)) {
            return;
        }
        found.incrementAndGet();
        if (cause != null) {
            Part part = partOf(request.home());
            part.cancelled++;
            outstanding.incrementAndGet();
            request.cancel(cause, new Gone(part));
        }
    }

    private Part partOf(AioContext context) {
        for (Part part : parts) {
            if (part.context == context) {
                return part;
            }
        }
        throw new AssertionError("walked in a context without a list: " + context.name());
    }

    @Override
    public void visitCancelling(ScsiRequest request) {
        visit(request);
    }

    @Override
    public void lost(AioContext context, int requests) {
        if (requests > 0) {
            failure = requests + " requests were lost with the loop of " + context.name();
        }
    }

    @Override
    public void ended() {
        endOne();
    }

    /** Main context: everybody has answered, or never will. */
    @Override
    protected void run() {
        for (Part part : parts) {
            part.context.watched().notAtEnd(part);
        }
        String why = failure;
        if (why == null) {
            result.complete(found.getAcquire());
        } else {
            result.completeExceptionally(new IllegalStateException(describe() + ": " + why));
        }
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

    /** The requests of one context that were cancelled and are not gone. Home context only. */
    private final class Part implements Runnable {
        private final AioContext context;
        private int cancelled;

        Part(AioContext context) {
            this.context = context;
        }

        /** The end of the context. */
        @Override
        public void run() {
            if (cancelled > 0) {
                lost(context, cancelled);
            }
            for (; cancelled > 0; cancelled--) {
                endOne();
            }
        }
    }

    private final class Gone extends Task {
        private final Part part;

        Gone(Part part) {
            this.part = part;
        }

        @Override
        protected void run() {
            part.cancelled--;
            endOne();
        }

        @Override
        public String describe() {
            return "cancelled request gone, task set of " + unit.name();
        }
    }
}
