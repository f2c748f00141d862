package dev.quiesce.benchmarks.loop;

import java.util.concurrent.locks.LockSupport;

/** By which a loop tells the measuring thread that it is done. Allocates nothing. */
final class Signal {
    private volatile Thread waiter;
    private volatile boolean given;

    /** Makes the calling thread the one that will wait. */
    void prepare() {
        waiter = Thread.currentThread();
        given = false;
    }

    /** Ends the wait. */
    void give() {
        given = true;
        LockSupport.unpark(waiter);
    }

    /** Waits for {@link #give}. */
    void await() {
        while (!given) {
            LockSupport.park(this);
        }
    }
}
