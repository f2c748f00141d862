package dev.quiesce.examples.demo;

/**
 * A running hash of everything that happened in order, by which two runs of one seed are compared.
 * Several threads may add; only a machine with one thread adds in an order that repeats.
 */
final class EventHash {
    private static final long PRIME = 0x100_0000_01B3L;
    private long hash = 0xCBF2_9CE4_8422_2325L; // Guarded by this.
    private long events; // Guarded by this.

    synchronized void add(long what, long outcome) {
        hash = (hash ^ what) * PRIME;
        hash = (hash ^ outcome) * PRIME;
        events++;
    }

    synchronized long value() {
        return hash;
    }

    synchronized long events() {
        return events;
    }
}
