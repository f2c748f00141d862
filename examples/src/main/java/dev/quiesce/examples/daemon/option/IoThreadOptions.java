package dev.quiesce.examples.daemon.option;

import dev.quiesce.aio.IoThread;

/**
 * An IOThread to be made.
 *
 * @param id its name
 * @param pollMaxNanos for how long it may look for work before it sleeps, as asked for
 * @param properties what it does besides
 */
public record IoThreadOptions(String id, long pollMaxNanos, IoThread.Properties properties) {
    private static final String KIND = "iothread";
    private static final int POOL_MAX = 1024;

    /**
     * Reads the arguments of an object.
     *
     * @param arguments all of them
     * @return the thread
     * @throws WrongOptionException if one is wrong
     */
    public static IoThreadOptions read(Arguments arguments) {
        String kind = arguments.string("qom-type");
        if (!kind.equals(KIND)) {
            throw arguments.unsuitable("qom-type", KIND);
        }
        IoThread.Properties usual = IoThread.Properties.defaults();
        String id = arguments.string("id");
        long pollMaxNanos = arguments.integer("poll-max-ns", 0, Long.MAX_VALUE, 0);
        int batchMax = (int) arguments.integer("aio-max-batch", 0, Integer.MAX_VALUE, 0);
        int poolMax = (int) arguments.integer("thread-pool-max", 1, POOL_MAX, usual.poolMax());
        int poolMin = (int) arguments.integer("thread-pool-min", 0, poolMax, usual.poolMin());
        arguments.finish();
        return new IoThreadOptions(
                id, pollMaxNanos, usual.withBatchMax(batchMax).withPool(poolMin, poolMax));
    }
}
