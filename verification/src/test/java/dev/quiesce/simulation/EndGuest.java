package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.Port;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.testkit.Simulation;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Writes and reads blocks that may be behind the end, and knows what each must bring. */
final class EndGuest {
    private static final int SLOTS = 4;

    private final Simulation sim;
    private final Port port;
    private final Lengths lengths;
    private final Slot[] slots = new Slot[SLOTS];
    private int outstanding;

    EndGuest(Simulation sim, Machine machine, AioContext home, Lengths lengths, int number) {
        this.sim = sim;
        this.port = machine.backend().port(home);
        this.lengths = lengths;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Slot(number + i * 3); // no two guests share a block
        }
    }

    void move() {
        Slot slot = slots[sim.random().nextInt(SLOTS)];
        if (slot.request.isIdle()) {
            slot.submit(sim.random().nextBoolean());
        }
    }

    boolean isAnswered() {
        return outstanding == 0;
    }

    private final class Slot {
        private final int block;
        private final byte[] bytes = new byte[Lengths.BLOCK_BYTES];
        private final IoVector payload = new IoVector();
        private final BlockRequest request = new BlockRequest(this::onComplete);
        private int begun;
        private byte pattern;

        /** What the last write left, and when it was over. */
        private byte written;
        private int writtenAt;
        private int writeBegun;

        Slot(int block) {
            this.block = block;
            payload.add(ByteBuffer.wrap(bytes), 0, bytes.length);
        }

        void submit(boolean writes) {
            pattern = (byte) (writes ? sim.random().nextInt(1, 127) : -1);
            Arrays.fill(bytes, pattern);
            request.prepare(writes ? Operation.WRITE : Operation.READ,
                    (long) block * Lengths.BLOCK_BYTES, bytes.length, payload, 0);
            sim.note("submits " + request);
            begun = lengths.moment();
            outstanding++;
            port.submit(request);
        }

        private void onComplete(BlockRequest done, BlockStatus status) {
            outstanding--;
            int ended = lengths.moment();
            if (status == BlockStatus.INVALID) {
                if (!lengths.mayBeShort(block, begun, ended)) {
                    sim.fail("refused inside of the disk", done.toString());
                }
            } else if (status != BlockStatus.OK) {
                sim.fail("unexpected status", done + ": " + status);
            } else if (done.operation() == Operation.WRITE) {
                written = pattern;
                writeBegun = begun;
                writtenAt = ended;
            } else {
                check(ended);
            }
        }

        private void check(int ended) {
            byte first = bytes[0];
            for (byte each : bytes) {
                if (each != first) {
                    sim.fail("torn read", "of block " + block);
                }
            }
            boolean mayBeGone = lengths.mayBeShort(block, writeBegun, ended);
            boolean mustBeGone = lengths.wasCut(block, writtenAt, begun);
            boolean isRight = first == 0 ? written == 0 || mayBeGone
                    : first == written && !mustBeGone;
            if (!isRight) {
                sim.fail("wrong data", "block " + block + " is " + first + ", was written "
                        + written + (mustBeGone ? ", and cut off since" : ""));
            }
        }
    }
}
