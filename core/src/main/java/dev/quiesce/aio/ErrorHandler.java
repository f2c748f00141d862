package dev.quiesce.aio;

/**
 * Where a loop reports what went wrong in code that it runs for others, and the causes of failed
 * host operations. Rare by design: nothing on the data path reports in normal operation.
 */
@FunctionalInterface
public interface ErrorHandler {
    /**
     * Takes a report. It should return soon and not throw. An exception that it throws is logged
     * and dropped. An {@link Error} goes where one of a callback does, so that it ends the loop;
     * the cause that it was told is suppressed in it. It should not poll the loop: told of a poll
     * hook or a condition that has failed, it is called while the loop goes through the others, and
     * is refused like these (AIO-39). Thread: any.
     *
     * @param context the loop concerned
     * @param site what was running, such as a task's description
     * @param cause what it threw
     */
    void onError(AioContext context, String site, Throwable cause);
}
