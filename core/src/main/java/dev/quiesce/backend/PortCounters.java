package dev.quiesce.backend;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Counters with one writer, which any thread may read. */
final class PortCounters {
    /*
     * Written by the port's home context only, so a plain read and an opaque write count exactly;
     * opaque because a reader on another thread must see whole values that grow. Nothing is
     * concluded from two of them together, so no stronger order is needed.
     */
    static final int REQUESTS = 0;
    static final int READ_BYTES = 1;
    static final int WRITTEN_BYTES = 2;
    static final int FAILED = 3;
    static final int PARKED = 4;
    static final int REPLAYED = 5;
    static final int CANCELLED = 6;
    static final int CANCELLED_WHILE_PARKED = 7;
    /** Parked now. */
    static final int WAITING = 8;
    /** Clock time at which the port went from none to some parked. */
    static final int WAITING_SINCE = 9;

    private static final int SIZE = 10;
    private static final VarHandle ELEMENT = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] values = new long[SIZE];

    /** Home context. */
    void add(int counter, long amount) {
        ELEMENT.setOpaque(values, counter, values[counter] + amount);
    }

    /** Home context. */
    void set(int counter, long value) {
        ELEMENT.setOpaque(values, counter, value);
    }

    /** Any thread. */
    long readOpaque(int counter) {
        return (long) ELEMENT.getOpaque(values, counter);
    }
}
