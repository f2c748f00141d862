package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.Port;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.testkit.Simulation;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Submits requests from one context, cancels some, and knows what each must bring. */
final class BlockGuest {
    static final int BLOCK_BYTES = 512;
    static final int SLOTS = 3;

    private static final Operation[] OPERATIONS = {
        Operation.READ, Operation.WRITE, Operation.WRITE_ZEROES, Operation.DISCARD, Operation.FLUSH
    };

    private final Simulation sim;
    private final Port port;
    private final Slot[] slots = new Slot[SLOTS];
    private int submitted;
    private int completed;

    /** A guest whose blocks begin at the given one. */
    BlockGuest(Simulation sim, BlockBackend backend, AioContext home, int firstBlock) {
        this.sim = sim;
        this.port = backend.port(home);
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Slot((long) (firstBlock + i) * BLOCK_BYTES);
        }
    }

    /** Submits or cancels something, at random. Home context. */
    void move() {
        Slot slot = slots[sim.random().nextInt(SLOTS)];
        if (slot.request.isIdle()) {
            slot.submit(OPERATIONS[sim.random().nextInt(OPERATIONS.length)]);
        } else if (sim.random().nextInt(3) == 0) {
            sim.note("cancels " + slot.request);
            slot.onItsWayBack |= slot.request.isParked();
            slot.request.cancel();
        }
    }

    /**
     * {@return whether none of its requests is past the gate} One that was cancelled while it was
     * parked never goes past it, but is on its way back for a while.
     */
    boolean isQuiet() {
        return Arrays.stream(slots).allMatch(
                s -> s.request.isIdle() || s.request.isParked() || s.onItsWayBack);
    }

    /** {@return whether every request it submitted has come back} */
    boolean isAnswered() {
        return submitted == completed && Arrays.stream(slots).allMatch(s -> s.request.isIdle());
    }

    private final class Slot {
        private static final int UNKNOWN = -1;

        private final long offsetBytes;
        private final byte[] bytes = new byte[BLOCK_BYTES];
        private final IoVector payload = new IoVector();
        private final BlockRequest request = new BlockRequest(this::onComplete);
        private boolean outstanding;
        private boolean onItsWayBack;
        private byte pattern;
        private int expected;

        Slot(long offsetBytes) {
            this.offsetBytes = offsetBytes;
            payload.add(ByteBuffer.wrap(bytes), 0, BLOCK_BYTES);
        }

        void submit(Operation operation) {
            boolean range = operation != Operation.FLUSH;
            pattern = (byte) sim.random().nextInt(1, 127);
            Arrays.fill(bytes, operation == Operation.WRITE ? pattern : UNKNOWN);
            request.prepare(operation, range ? offsetBytes : 0, range ? BLOCK_BYTES : 0,
                    operation.hasPayload() ? payload : null, 0);
            sim.note("submits " + request);
            outstanding = true;
            onItsWayBack = false;
            submitted++;
            port.submit(request);
            if (!outstanding) {
                sim.fail("completed inside submit", request.toString());
            }
        }

        private void onComplete(BlockRequest done, BlockStatus status) {
            if (!outstanding) {
                sim.fail("completed twice", done.toString());
            }
            if (sim.current() != port.home()) {
                sim.fail("completed elsewhere", done + " in " + sim.currentName());
            }
            outstanding = false;
            completed++;
            if (status != BlockStatus.OK && status != BlockStatus.CANCELLED) {
                sim.fail("unexpected status", done + ": " + status);
            }
            check(done.operation(), status == BlockStatus.OK);
        }

        private void check(Operation operation, boolean ok) {
            switch (operation) {
                case WRITE -> expected = ok ? pattern : UNKNOWN;
                case WRITE_ZEROES -> expected = ok ? 0 : UNKNOWN;
                case DISCARD -> expected = UNKNOWN;
                case READ -> checkRead(ok);
                default -> { }
            }
        }

        private void checkRead(boolean ok) {
            if (!ok) {
                return;
            }
            byte first = bytes[0];
            for (byte each : bytes) {
                if (each != first) {
                    sim.fail("torn read", "at " + offsetBytes);
                }
            }
            if (expected != UNKNOWN && first != expected) {
                sim.fail("wrong data", "read " + first + ", wrote " + expected);
            }
            expected = first;
        }
    }
}
