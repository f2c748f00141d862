package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import java.util.Arrays;

/** The ports of one backend, one for each context that submits to it. */
final class PortTable {
    private final BlockBackend backend;
    private final Object lock = new Object();

    /** Replaced by a longer one under the lock; read volatile by any thread. */
    private volatile Port[] ports = {};

    /** Guarded by the lock. */
    private boolean closed;

    PortTable(BlockBackend backend) {
        this.backend = backend;
    }

    /** Any thread: finds or makes. */
    Port port(AioContext home) {
        synchronized (lock) {
            for (Port port : ports) {
                if (port.home() == home) {
                    return port;
                }
            }
            Port made = new Port(backend, home, closed);
            Port[] grown = Arrays.copyOf(ports, ports.length + 1);
            grown[grown.length - 1] = made;
            // Volatile: a reader of statistics on any thread finds the port whole.
            ports = grown;
            return made;
        }
    }

    /** Any thread: the backend has no root any more; what is parked completes, nothing parks. */
    void close() {
        Port[] made;
        synchronized (lock) {
            closed = true;
            made = ports;
        }
        for (Port port : made) {
            port.close();
        }
    }

    /** Any thread. */
    BackendStats stats(long contextChanges) {
        long whileParked = sum(PortCounters.CANCELLED_WHILE_PARKED);
        return new BackendStats(
                sum(PortCounters.REQUESTS),
                sum(PortCounters.READ_BYTES),
                sum(PortCounters.WRITTEN_BYTES),
                sum(PortCounters.FAILED),
                sum(PortCounters.PARKED),
                sum(PortCounters.REPLAYED),
                whileParked,
                Math.max(0, sum(PortCounters.CANCELLED) - whileParked),
                contextChanges);
    }

    private long sum(int counter) {
        long total = 0;
        for (Port port : ports) {
            total += port.counters().readOpaque(counter);
        }
        return total;
    }
}
