package dev.quiesce.examples.daemon.option;

import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.source.PollParameters;

/**
 * An IOThread to be made.
 *
 * @param id its name
 * @param properties what it does
 */
public record IoThreadOptions(String id, IoThread.Properties properties) {
    private static final String KIND = "iothread";
    private static final String POLL_MAX = "poll-max-ns";
    private static final String POLL_GROW = "poll-grow";
    private static final String POLL_SHRINK = "poll-shrink";
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
        boolean polls = arguments.has(POLL_MAX) || arguments.has(POLL_GROW)
                || arguments.has(POLL_SHRINK);
        PollParameters polling = new PollParameters(
                arguments.integer(POLL_MAX, 0, Long.MAX_VALUE, PollParameters.DEFAULT.maxNanos()),
                arguments.integer(POLL_GROW, 0, Long.MAX_VALUE, 0),
                arguments.integer(POLL_SHRINK, 0, Long.MAX_VALUE, 0));
        int batchMax = (int) arguments.integer("aio-max-batch", 0, Integer.MAX_VALUE, 0);
        int poolMax = (int) arguments.integer("thread-pool-max", 1, POOL_MAX, usual.poolMax());
        int poolMin = (int) arguments.integer("thread-pool-min", 0, poolMax, usual.poolMin());
        arguments.finish();
        IoThread.Properties asked = usual.withBatchMax(batchMax).withPool(poolMin, poolMax);
        return new IoThreadOptions(id, polls ? asked.withPolling(polling) : asked);
    }

    /**
     * One property of an IOThread, and perhaps what it is to be.
     *
     * @param id the thread
     * @param name the property, one of those that {@link #of} tells
     * @param value the number, not negative
     */
    public record Property(String id, String name, long value) {
        private static final String PATH = "/objects/";

        /**
         * Reads what is to be changed.
         *
         * @param arguments path, property and value
         * @return the property as it is to be
         * @throws WrongOptionException if one is wrong
         */
        public static Property readChange(Arguments arguments) {
            String id = id(arguments);
            String name = name(arguments);
            long most = switch (name) {
                case "aio-max-batch" -> Integer.MAX_VALUE;
                case "thread-pool-min", "thread-pool-max" -> POOL_MAX;
                default -> Long.MAX_VALUE;
            };
            if (!arguments.has("value")) {
                throw new WrongOptionException("parameter 'value' is missing");
            }
            long value = arguments.integer("value", 0, most, 0);
            arguments.finish();
            return new Property(id, name, value);
        }

        /**
         * Reads what is asked for.
         *
         * @param arguments path and property
         * @return the property, without a value
         * @throws WrongOptionException if one is wrong
         */
        public static Property readQuestion(Arguments arguments) {
            Property asked = new Property(id(arguments), name(arguments), 0);
            arguments.finish();
            return asked;
        }

        /**
         * The property of a thread that runs.
         *
         * @param thread the thread
         * @return its value
         */
        public long of(IoThread thread) {
            IoThread.Properties now = thread.properties();
            PollParameters polling = thread.context().polling();
            return switch (name) {
                case POLL_MAX -> polling.maxNanos();
                case POLL_GROW -> polling.grow();
                case POLL_SHRINK -> polling.shrink();
                case "thread-pool-min" -> now.poolMin();
                case "thread-pool-max" -> now.poolMax();
                default -> now.batchMax();
            };
        }

        /**
         * What a thread is to have with this change.
         *
         * @param thread the thread
         * @return all its properties
         * @throws IllegalArgumentException if they make no sense together
         */
        public IoThread.Properties changed(IoThread thread) {
            IoThread.Properties now = thread.properties();
            PollParameters polling = thread.context().polling();
            return switch (name) {
                case POLL_MAX -> now.withPolling(
                        new PollParameters(value, polling.grow(), polling.shrink()));
                case POLL_GROW -> now.withPolling(
                        new PollParameters(polling.maxNanos(), value, polling.shrink()));
                case POLL_SHRINK -> now.withPolling(
                        new PollParameters(polling.maxNanos(), polling.grow(), value));
                case "thread-pool-min" -> now.withPool((int) value, now.poolMax());
                case "thread-pool-max" -> now.withPool(now.poolMin(), (int) value);
                default -> now.withBatchMax((int) value);
            };
        }

        private static String id(Arguments arguments) {
            String path = arguments.string("path");
            return path.startsWith(PATH) ? path.substring(PATH.length()) : path;
        }

        private static String name(Arguments arguments) {
            String name = arguments.string("property");
            return switch (name) {
                case POLL_MAX, POLL_GROW, POLL_SHRINK, "aio-max-batch", "thread-pool-min",
                        "thread-pool-max" -> name;
                default -> throw arguments.unsuitable("property", "one of poll-max-ns, poll-grow,"
                        + " poll-shrink, aio-max-batch, thread-pool-min, thread-pool-max");
            };
        }
    }
}
