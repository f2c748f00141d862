package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Random requests against a node and against an array, which must stay the same. */
public final class RandomRequests {
    private final Rig rig;
    private final BlockLimits limits;
    private final boolean keepsData;
    private final long seed;
    private final Random random;
    private byte[] model;

    public RandomRequests(Rig rig, BlockLimits limits, boolean keepsData, long seed) {
        this.rig = rig;
        this.limits = limits;
        this.keepsData = keepsData;
        this.seed = seed;
        this.random = new Random(seed);
    }

    public void run(int length, int steps) {
        run(new byte[length], steps);
    }

    /** Starts from what the node already holds. */
    public void run(byte[] initial, int steps) {
        model = initial;
        for (int i = 0; i < steps; i++) {
            step();
        }
        assertThat(rig.read(0, model.length)).as("seed %d", seed).isEqualTo(model);
    }

    private void step() {
        int unit = limits.requestAlignmentBytes();
        int units = model.length / unit;
        int first = random.nextInt(units);
        int most = random.nextInt(4) == 0 ? units - first : Math.min(units - first, 65536 / unit);
        int count = 1 + random.nextInt(most);
        int offset = first * unit;
        int length = count * unit;
        switch (random.nextInt(6)) {
            case 0, 1 -> write(offset, length);
            case 2, 3 -> read(offset, length);
            case 4 -> zero(Operation.WRITE_ZEROES, offset, length);
            default -> {
                if (limits.canDiscard() && limits.discardReadsZero()) {
                    zero(Operation.DISCARD, offset, length);
                } else {
                    check(rig.flush());
                }
            }
        }
    }

    private void write(int offset, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        check(rig.run(Operation.WRITE, offset, length, split(bytes), random.nextInt(2) * 2));
        if (keepsData) {
            System.arraycopy(bytes, 0, model, offset, length);
        }
    }

    private void read(int offset, int length) {
        byte[] ones = new byte[length];
        Arrays.fill(ones, (byte) 0xFF);
        IoVector payload = split(ones);
        check(rig.run(Operation.READ, offset, length, payload, 0));
        byte[] seen = new byte[length];
        payload.copyTo(0, seen, 0, length);
        assertThat(seen).as("seed %d, %d at %d", seed, length, offset)
                .isEqualTo(Arrays.copyOfRange(model, offset, offset + length));
    }

    private void zero(Operation op, int offset, int length) {
        check(rig.run(op, offset, length, null, random.nextInt(2)));
        Arrays.fill(model, offset, offset + length, (byte) 0);
    }

    private void check(BlockStatus status) {
        assertThat(status).as("seed %d, cause %s", seed, rig.cause()).isEqualTo(BlockStatus.OK);
    }

    /** In up to five segments of either kind of memory, not at their buffers' start. */
    private IoVector split(byte[] bytes) {
        IoVector vector = new IoVector();
        for (int at = 0; at < bytes.length; ) {
            boolean last = vector.segments() == 4;
            int part = last ? bytes.length - at : 1 + random.nextInt(bytes.length - at);
            ByteBuffer base = random.nextBoolean()
                    ? ByteBuffer.allocate(part + 7) : ByteBuffer.allocateDirect(part + 7);
            base.put(7, bytes, at, part);
            vector.add(base, 7, part);
            at += part;
        }
        return vector;
    }
}
