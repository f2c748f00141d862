package dev.quiesce.aio;

import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything by which a loop touches the world outside: time, sleep, blocking work, and where
 * errors go. Given to a context at construction; nothing else in this package has a default.
 *
 * @param clock the time of timers and waits
 * @param parker how the loop sleeps
 * @param workers where work that blocks is done
 * @param errors who hears of failures
 */
public record LoopSeams(Clock clock, Parker parker, Workers workers, ErrorHandler errors) {
    private static final Logger LOG = LoggerFactory.getLogger(LoopSeams.class);

    /**
     * Checks that no seam is missing.
     *
     * @param clock the time of timers and waits
     * @param parker how the loop sleeps
     * @param workers where work that blocks is done
     * @param errors who hears of failures
     */
    public LoopSeams {
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(parker, "parker");
        Objects.requireNonNull(workers, "workers");
        Objects.requireNonNull(errors, "errors");
    }

    /**
     * The seams of a real machine: its monotonic clock, threads that block in
     * {@link LockSupport}, blocking work in the next turn of the loop itself, errors in the log.
     * Thread: any.
     *
     * @return seams for a context that needs nothing special
     */
    public static LoopSeams system() {
        return new LoopSeams(
                Clock.system(), new ThreadParker(), Workers.inline(), LoopSeams::log);
    }

    /**
     * These seams with another clock. Thread: any.
     *
     * @param other the clock to use
     * @return a copy
     */
    public LoopSeams withClock(Clock other) {
        return new LoopSeams(other, parker, workers, errors);
    }

    /**
     * These seams with another parker. Thread: any.
     *
     * @param other the parker to use
     * @return a copy
     */
    public LoopSeams withParker(Parker other) {
        return new LoopSeams(clock, other, workers, errors);
    }

    /**
     * These seams with other workers. Thread: any.
     *
     * @param other the workers to use
     * @return a copy
     */
    public LoopSeams withWorkers(Workers other) {
        return new LoopSeams(clock, parker, other, errors);
    }

    /**
     * These seams with another error handler. Thread: any.
     *
     * @param other the error handler to use
     * @return a copy
     */
    public LoopSeams withErrors(ErrorHandler other) {
        return new LoopSeams(clock, parker, workers, other);
    }

    static void log(AioContext context, String site, Throwable cause) {
        LOG.error("{}: {} failed", context.name(), site, cause);
    }

    /** Sleeps as threads do. Keeps nothing, so one serves any number of loops. */
    private static final class ThreadParker implements Parker {
        @Override
        public void park(AioContext context, long maxNanos) {
            // A pending interrupt would end every sleep at once: hide it, and give it back after.
            // One that comes meanwhile ends this sleep and is hidden from the next.
            boolean interrupted = Thread.interrupted();
            try {
                if (maxNanos == Long.MAX_VALUE) {
                    LockSupport.park(context);
                } else {
                    LockSupport.parkNanos(context, maxNanos);
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            LockSupport.unpark(owner);
        }
    }
}
