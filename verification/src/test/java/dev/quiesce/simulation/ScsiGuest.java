package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.IoVector;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.Simulation;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** Sends commands from one context, aborts some, and knows what each must bring. */
final class ScsiGuest {
    static final int SLOTS = 3;

    private static final int BLOCK_BYTES = 512;
    private static final byte READ_10 = 0x28;
    private static final byte WRITE_10 = 0x2A;
    private static final byte SYNCHRONIZE_CACHE_10 = 0x35;
    private static final byte WRITE_SAME_10 = 0x41;
    private static final byte TEST_UNIT_READY = 0;
    private static final byte[] OPCODES = {
        READ_10, WRITE_10, SYNCHRONIZE_CACHE_10, WRITE_SAME_10, TEST_UNIT_READY
    };

    private final Simulation sim;
    private final LogicalUnit unit;
    private final AioContext home;
    private final Slot[] slots = new Slot[SLOTS];

    ScsiGuest(Simulation sim, LogicalUnit unit, AioContext home, int firstBlock) {
        this.sim = sim;
        this.unit = unit;
        this.home = home;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Slot(firstBlock + i);
        }
    }

    /** Sends or aborts something, at random. Home context. */
    void move() {
        Slot slot = slots[sim.random().nextInt(SLOTS)];
        if (!slot.outstanding) {
            slot.send(OPCODES[sim.random().nextInt(OPCODES.length)]);
        } else if (slot.request.isListed() && sim.random().nextInt(3) == 0) {
            sim.note("aborts " + slot.request);
            slot.request.cancel(CancelCause.ABORT, null);
        }
    }

    /** {@return the commands that are not answered, each by a number of its own} */
    Set<Long> outstanding() {
        Set<Long> tags = new HashSet<>();
        for (Slot slot : slots) {
            if (slot.outstanding) {
                tags.add(slot.request.tag());
            }
        }
        return tags;
    }

    private final class Slot implements HostAdapter {
        private static final int UNKNOWN = -1;

        private final int block;
        private final byte[] bytes = new byte[BLOCK_BYTES];
        private final IoVector data = new IoVector();
        private final IoVector nothing = new IoVector();
        private final ScsiRequest request = new ScsiRequest(this);
        private byte opcode;
        private boolean outstanding;
        private byte pattern;
        private int expected;
        private long commands;

        Slot(int block) {
            this.block = block;
            data.add(ByteBuffer.wrap(bytes), 0, BLOCK_BYTES);
        }

        void send(byte code) {
            opcode = code;
            pattern = (byte) sim.random().nextInt(1, 127);
            boolean write = code == WRITE_10 || code == WRITE_SAME_10;
            Arrays.fill(bytes, write ? pattern : UNKNOWN);
            long tag = ++commands << Byte.SIZE | block;
            byte[] cdb = cdb();
            request.prepare(home, tag, cdb, cdb.length)
                    .withData(write ? data : nothing, code == READ_10 ? data : nothing);
            sim.note("sends " + request + ", block " + block);
            outstanding = true;
            unit.execute(request);
        }

        private byte[] cdb() {
            if (opcode == TEST_UNIT_READY) {
                return new byte[6];
            }
            return ByteBuffer.allocate(10)
                    .put(0, opcode).putInt(2, block).putShort(7, (short) 1).array();
        }

        @Override
        public void complete(ScsiRequest done) {
            answered();
            if (done.status() == ScsiStatus.GOOD) {
                succeeded();
                return;
            }
            Sense sense = done.sense();
            if (sense == null || !sense.isUnitAttention()) {
                sim.fail("unexpected status", done + ": " + done.status() + " " + sense);
            }
        }

        @Override
        public void cancelled(ScsiRequest done) {
            answered();
            if (opcode == WRITE_10 || opcode == WRITE_SAME_10) {
                expected = UNKNOWN;
            }
        }

        private void answered() {
            if (!outstanding) {
                sim.fail("answered twice", request.toString());
            }
            if (sim.current() != home) {
                sim.fail("answered elsewhere", request + " in " + sim.currentName());
            }
            outstanding = false;
        }

        private void succeeded() {
            if (opcode == WRITE_10 || opcode == WRITE_SAME_10) {
                expected = pattern;
            } else if (opcode == READ_10) {
                byte first = bytes[0];
                if (expected != UNKNOWN && first != expected) {
                    sim.fail("wrong data", "block " + block + ": read " + first + ", wrote "
                            + expected);
                }
                expected = first;
            }
        }
    }
}
