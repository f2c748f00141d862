package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Completion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps a backend busy from one context: every slot writes its own sector, reads it back, compares,
 * and goes on with the next pattern, until it is stopped. Every submission is checked to complete
 * exactly once, in its context.
 */
final class VerifiedLoad {
    private final Port port;
    private final AioContext home;
    private final List<Slot> slots = new ArrayList<>();
    private final CountDownLatch running;
    private final AtomicLong completed = new AtomicLong();
    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private volatile boolean stopping;

    VerifiedLoad(BlockBackend backend, AioContext home, int firstSector, int depth) {
        this.port = backend.port(home);
        this.home = home;
        this.running = new CountDownLatch(depth);
        for (int i = 0; i < depth; i++) {
            slots.add(new Slot((firstSector + i) * (long) Machine.SECTOR));
        }
    }

    /** Any thread. */
    void start() {
        home.execute(() -> slots.forEach(Slot::next));
    }

    /** Any thread: no slot submits any more. */
    void stop() {
        stopping = true;
    }

    /** Any thread. */
    boolean isStopped() {
        return running.getCount() == 0;
    }

    /** Any thread. */
    long completed() {
        return completed.get();
    }

    /** Any thread; empty if all is well. */
    Queue<String> faults() {
        return faults;
    }

    private final class Slot implements Completion {
        private final long offset;
        private final ByteBuffer bytes = ByteBuffer.allocate(Machine.SECTOR);
        private final IoVector vector = new IoVector();
        private final BlockRequest request = new BlockRequest(this);
        private byte pattern;
        private boolean writing;
        private boolean pending;

        Slot(long offset) {
            this.offset = offset;
            vector.add(bytes, 0, Machine.SECTOR);
        }

        void next() {
            writing = !writing;
            if (writing) {
                pattern++;
                fill(pattern);
            } else {
                fill((byte) ~pattern);
            }
            Operation op = writing ? Operation.WRITE : Operation.READ;
            request.prepare(op, offset, Machine.SECTOR, vector, 0);
            pending = true;
            port.submit(request);
        }

        @Override
        public void onComplete(BlockRequest done, BlockStatus status) {
            check(status);
            completed.incrementAndGet();
            if (stopping) {
                running.countDown();
            } else {
                next();
            }
        }

        private void check(BlockStatus status) {
            if (!pending) {
                faults.add("completed twice at " + offset);
            }
            pending = false;
            if (!home.isHome()) {
                faults.add("completed on " + Thread.currentThread());
            }
            if (status != BlockStatus.OK) {
                faults.add(status + " at " + offset + ": " + request.cause());
            } else if (!writing && !isFilledWith(pattern)) {
                faults.add("mismatch at " + offset);
            }
        }

        private void fill(byte value) {
            for (int i = 0; i < Machine.SECTOR; i++) {
                bytes.put(i, value);
            }
        }

        private boolean isFilledWith(byte value) {
            for (int i = 0; i < Machine.SECTOR; i++) {
                if (bytes.get(i) != value) {
                    return false;
                }
            }
            return true;
        }
    }
}
