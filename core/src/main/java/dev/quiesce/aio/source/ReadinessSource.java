package dev.quiesce.aio.source;

import java.util.List;

/**
 * Something that a loop must look at in every turn and that tells nobody when it is ready, such as
 * a selector with its channels. The loop that has one sleeps in it instead of parking its thread.
 */
public interface ReadinessSource {
    /**
     * Sleeps until something is ready, {@link #wakeUp} is called or was called since the last
     * sleep, the time has passed, or for no reason at all; remembers what is ready. An interrupt of
     * the thread neither is lost nor keeps later sleeps from sleeping. Called in place of a park,
     * with nobody home.
     *
     * @param maxNanos the longest sleep; {@link Long#MAX_VALUE} means without bound; never 0
     */
    void sleep(long maxNanos);

    /** Ends the sleep, or the next one. Thread: any. */
    void wakeUp();

    /**
     * Queues a task for everything that is ready, having looked, unless the sleep just before has
     * done so. Called once in every turn (AIO-42), after what was posted meanwhile was taken, so
     * that it comes first. Thread: home context.
     */
    void deliver();

    /**
     * Adds the name of everything that is still attached. Thread: home context.
     *
     * @param out where to add
     */
    void describe(List<String> out);

    /**
     * Whether all that this finds comes from the seams of its loop, so that a simulation which
     * steps the loop can decide about it, and repeat it. Thread: any.
     *
     * @return false unless the source knows better
     */
    default boolean isRepeatable() {
        return false;
    }

    /** Lets go of everything: the context has ended. Thread: home context. */
    void close();
}
