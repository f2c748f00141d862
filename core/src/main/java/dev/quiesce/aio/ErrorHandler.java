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
     * the cause that it was told is suppressed in it. Thread: any.
     *
     * @param context the loop concerned
     * @param site what was running, such as a task's description
     * @param cause what it threw
     */
    void onError(AioContext context, String site, Throwable cause);
}
