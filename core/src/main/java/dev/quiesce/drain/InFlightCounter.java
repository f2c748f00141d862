package dev.quiesce.drain;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Keeps what comes before an object away from its counters.
 */
abstract sealed class InFlightLeadingPad permits InFlightCounts {
    long pad00, pad01, pad02, pad03, pad04, pad05, pad06, pad07;
    long pad08, pad09, pad10, pad11, pad12, pad13, pad14;
}

/**
 * The two monotone counts.
 */
abstract sealed class InFlightCounts extends InFlightLeadingPad permits InFlightCounter {
    /** How many ever came in. Any thread, by VarHandle, sequentially consistent. */
    volatile long entered;

    /** How many of them went out again. Any thread, by VarHandle, sequentially consistent. */
    volatile long left;
}

/**
 * How many came in and how many went out again: a pair of counts that only grow.
 *
 * <p>Any thread may call any method. What is in flight is the difference, but nobody may compute it
 * from one counter alone and conclude anything about a whole gate: see the note in {@link Gate}.
 */
final class InFlightCounter extends InFlightCounts {
    /*
     * Every access is sequentially consistent. It has to be on the side of the requests, because
     * "count, then look at the quiesce counter" is one half of a Dekker pair (DRAIN-49); release
     * and acquire would let the look move before the count. getAndAdd and not a single-writer
     * store: measured on x86 the store followed by a full fence is dearer (20 ns against 13), and
     * the control thread counts replays on lanes that it does not own.
     *
     * Padding. Two lanes are written by two threads for every request; on one cache line they cost
     * as much as one shared counter does (LaneBenchmark; measured first: 113 ns for count, check
     * and leave with two threads, against 13 with lanes apart). 15 longs on either side keep the
     * pair alone in its line and in the neighbour that x86 prefetches with it. The two counts share
     * a line on purpose: they have the same writer. @Contended is not available outside the JDK,
     * hence fields, and a chain of classes because the JVM may reorder the fields within one class
     * but never across the classes of a chain.
     */
    private static final VarHandle ENTERED;
    private static final VarHandle LEFT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            ENTERED = lookup.findVarHandle(InFlightCounts.class, "entered", long.class);
            LEFT = lookup.findVarHandle(InFlightCounts.class, "left", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    long pad20, pad21, pad22, pad23, pad24, pad25, pad26, pad27;
    long pad28, pad29, pad30, pad31, pad32, pad33, pad34;

    /** Counts one in. */
    void enterSeqCst() {
        // SC: must not be overtaken by the read of the quiesce counter that follows (I2).
        ENTERED.getAndAdd(this, 1L);
    }

    /** Counts {@code n} out. */
    void leaveSeqCst(long n) {
        // SC: publishes all effects of the request to the drainer that reads it, and must not be
        // overtaken by the read of the quiesce counter that decides about the kick (DRAIN-50).
        LEFT.getAndAdd(this, n);
    }

    /** Reads how many came in. */
    long enteredSeqCst() {
        return entered;
    }

    /** Reads how many went out. */
    long leftSeqCst() {
        return left;
    }

    /**
     * Tells how many are in flight, for reports: never too few, because what left is read first,
     * and too many by those who enter and leave between the two reads.
     */
    long inFlight() {
        long out = leftSeqCst();
        return enteredSeqCst() - out;
    }
}
