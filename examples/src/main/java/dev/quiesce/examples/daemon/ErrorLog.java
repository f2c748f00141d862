package dev.quiesce.examples.daemon;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ErrorHandler;
import dev.quiesce.examples.daemon.machine.Failures;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One line for each error, at most so many a second; then one that says how many there were. */
final class ErrorLog implements ErrorHandler {
    private static final Logger LOG = LoggerFactory.getLogger("quiesce");
    private static final int LINES_MAX = 10;
    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Guarded by this. */
    private long periodBeganNanos;

    /** Guarded by this. */
    private long reports;

    @Override
    public void onError(AioContext context, String site, Throwable cause) {
        long left = leftOut(context.clock().nanoTime());
        if (left > 0) {
            LOG.warn("{} more errors in the second before", left);
        }
        if (left >= 0) {
            LOG.warn("{}: {}: {}", context.name(), site, Failures.lineOf(cause));
        }
    }

    /** How many to mention first; -1 to say nothing. */
    private synchronized long leftOut(long nowNanos) {
        if (reports == 0 || nowNanos - periodBeganNanos >= PERIOD_NANOS) {
            long left = Math.max(0, reports - LINES_MAX);
            periodBeganNanos = nowNanos;
            reports = 1;
            return left;
        }
        reports++;
        return reports <= LINES_MAX ? 0 : -1;
    }
}
