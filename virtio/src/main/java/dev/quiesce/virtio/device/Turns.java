package dev.quiesce.virtio.device;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The order in which a device's status is written and its queues are started and stopped: that of
 * the calls. Any thread asks; everything is done on the main context, and nothing waits there.
 */
final class Turns {
    /*
     * A write of the status begins when the one before has ended: a driver sees them one by one.
     * An operation on one queue begins in turn too, but those behind it do not wait for its end: a
     * stop may wait for a command that only a reset will cancel.
     */
    private final String device;
    private final AioContext main;
    private CompletionStage<Void> last = CompletableFuture.completedStage(null); // Main only.

    Turns(String device, AioContext main) {
        this.device = device;
        this.main = main;
    }

    /** Makes a change that those behind it wait for. */
    CompletionStage<Void> change(String what, Supplier<CompletionStage<Void>> change) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        main.postOuter(new Turn(what, () -> {
            CompletionStage<Void> previous = last;
            last = done;
            previous.whenComplete((ok, failed) -> begin(change).whenComplete(
                    (nothing, failure) -> {
                        if (failure != null) {
                            done.completeExceptionally(failure);
                        } else {
                            done.complete(null);
                        }
                    }));
        }));
        return done.minimalCompletionStage();
    }

    /** Begins an operation in turn; those behind it may begin as soon as it has begun. */
    <T> CompletionStage<T> operation(String what, Supplier<CompletionStage<T>> operation) {
        CompletableFuture<T> done = new CompletableFuture<>();
        main.postOuter(new Turn(what, () -> {
            CompletionStage<Void> previous = last;
            CompletableFuture<Void> begun = new CompletableFuture<>();
            last = begun;
            previous.whenComplete((ok, failed) -> {
                CompletionStage<T> running = begin(operation);
                begun.complete(null);
                running.whenComplete((value, failure) -> {
                    if (failure != null) {
                        done.completeExceptionally(failure);
                    } else {
                        done.complete(value);
                    }
                });
            });
        }));
        return done.minimalCompletionStage();
    }

    /** What throws has failed; those behind it must not wait for it for ever. */
    private static <T> CompletionStage<T> begin(Supplier<CompletionStage<T>> operation) {
        try {
            return operation.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** A task of main, allocated per operation, which control may do. */
    private final class Turn extends Task {
        private final String what;
        private final Runnable action;

        Turn(String what, Runnable action) {
            this.what = what;
            this.action = action;
        }

        @Override
        protected void run() {
            action.run();
        }

        @Override
        public String describe() {
            return device + ": " + what;
        }
    }
}
