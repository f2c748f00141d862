package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WorkItem;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Something that blocks, done by a worker for the main context, which goes on meanwhile.
 *
 * @param <T> what comes of it
 */
final class HostWork<T> extends WorkItem {
    private final String what;
    private final Callable<T> work;
    private final CompletableFuture<T> result = new CompletableFuture<>();

    /** Written by the worker, read by home after it. */
    private @Nullable T value;

    /** Written by the worker, read by home after it. */
    private @Nullable Exception thrown;

    private HostWork(String what, Callable<T> work) {
        this.what = what;
        this.work = work;
    }

    /** Home context; the stage completes there. */
    static <T> CompletionStage<T> run(AioContext home, String what, Callable<T> work) {
        HostWork<T> item = new HostWork<>(what, work);
        home.workers().submit(home, item);
        return item.result;
    }

    @Override
    protected void work() {
        try {
            value = work.call();
        } catch (Exception e) {
            thrown = e;
        }
    }

    @Override
    protected void run() {
        Throwable cause = thrown == null ? failure() : thrown;
        if (cause != null) {
            result.completeExceptionally(cause);
        } else {
            result.complete(value);
        }
    }

    @Override
    public String describe() {
        return what;
    }
}
