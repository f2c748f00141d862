package dev.quiesce.testkit.channel;

/** Who runs a loop that sleeps in a {@link SimulatedSelector}. */
public interface SelectorHost {
    /**
     * Lets time pass, and others move, in place of a sleep in the operating system.
     *
     * @param maxNanos the longest sleep; {@link Long#MAX_VALUE} means without bound; never 0
     */
    void sleep(long maxNanos);

    /**
     * Decides what the operating system decides: which of several channels that are ready is
     * named first.
     *
     * @param ready how many there are, 2 or more
     * @return from 0 to {@code ready - 1}
     */
    int first(int ready);
}
