package dev.quiesce.aio;

/**
 * Where a loop reports what went wrong in code that it runs for others, and the causes of failed
 * host operations. Rare by design: nothing on the data path reports in normal operation.
 */
@FunctionalInterface
public interface ErrorHandler {
    /**
     * Takes a report. It should return soon and not throw; what it throws is logged and dropped.
     * Thread: any.
     *
     * @param context the loop concerned
     * @param site what was running, such as a task's description
     * @param cause what it threw
     */
    void onError(AioContext context, String site, Throwable cause);
}
