package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.rules.Rule;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What every driver promises besides whose end can be moved. */
public abstract class TruncateConformance extends BlockDriverConformance {
    @Override
    protected final boolean canTruncate() {
        return true;
    }

    @Test
    @Rule("REQ-44")
    void shouldReadZeroesWhereItWasCutAndMadeLongerAgain() {
        long cut = lengthBytes() / 2 - 512;
        byte[] across = bytes(7, 200_704);
        rig().write(cut - 4096, across);

        rig().run(Operation.TRUNCATE, cut, 0);
        long longer = lengthBytes() + 4096;
        assertThat(rig().run(Operation.TRUNCATE, longer, 0)).isEqualTo(BlockStatus.OK);

        assertThat(node().lengthBytes()).isEqualTo(longer);
        assertThat(rig().read(cut - 4096, 4096)).isEqualTo(expected(Arrays.copyOf(across, 4096)));
        assertThat(rig().read(cut, across.length)).containsOnly(0);
        assertThat(rig().read(longer - 8192, 8192)).containsOnly(0);
        assertThat(rig().write(longer - 4096, bytes(8, 4096))).isEqualTo(BlockStatus.OK);
        assertThat(rig().read(longer - 4096, 4096)).isEqualTo(expected(bytes(8, 4096)));
    }

    @Test
    @Rule("REQ-44")
    void shouldRefuseALengthThatThereCannotBe() {
        assertThat(rig().run(Operation.TRUNCATE, -512, 0)).isEqualTo(BlockStatus.INVALID);

        assertThat(node().lengthBytes()).isEqualTo(lengthBytes());
        assertThat(rig().read(lengthBytes() - 512, 512)).containsOnly(0);
    }

    @Test
    @Rule("REQ-44")
    void shouldAgreeWithAnArrayWhoseEndMoves() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int unit = 4096;
        byte[] model = new byte[(int) lengthBytes()];
        int end = model.length;
        for (int step = 0; step < 300; step++) {
            int at = random.nextInt(model.length / unit) * unit;
            int length = Math.min((1 + random.nextInt(40)) * unit, model.length - at);
            String what = "seed " + seed + ", step " + step;
            if (random.nextInt(4) == 0) {
                end = at;
                Arrays.fill(model, end, model.length, (byte) 0);
                assertThat(rig().run(Operation.TRUNCATE, end, 0)).as(what)
                        .isEqualTo(BlockStatus.OK);
            } else if (at + length > end) {
                assertThat(rig().write(at, new byte[length])).as(what)
                        .isEqualTo(BlockStatus.INVALID);
            } else if (random.nextBoolean()) {
                byte[] bytes = expected(bytes(random.nextLong(), length));
                System.arraycopy(bytes, 0, model, at, length);
                assertThat(rig().write(at, bytes)).as(what).isEqualTo(BlockStatus.OK);
            } else {
                assertThat(rig().read(at, length)).as(what)
                        .isEqualTo(Arrays.copyOfRange(model, at, at + length));
            }
        }
    }

    @Test
    @Rule("REQ-44")
    void shouldServeOthersWhileItsEndMoves() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try {
            Future<Boolean> below = threads.submit(() -> {
                boolean right = inAnotherContext(0).call();
                while (!stop.get()) {
                    right &= inAnotherContext(1).call();
                }
                return right;
            });
            for (int round = 0; round < 60; round++) {
                moveEnd(round);
            }
            stop.set(true);
            assertThat(below.get()).isTrue();
        } finally {
            stop.set(true);
            threads.shutdown();
        }
    }

    /** Every fourth end is a cut below what the three before it had written at their ends. */
    private void moveEnd(int round) {
        long end = lengthBytes() / 2 + round % 4 * 65_536L;

        assertThat(rig().run(Operation.TRUNCATE, end, 0)).isEqualTo(BlockStatus.OK);

        assertThat(node().lengthBytes()).isEqualTo(end);
        assertThat(rig().tryRead(end, 512)).isEqualTo(BlockStatus.INVALID);
        assertThat(rig().read(end - 512, 512)).containsOnly(0);
        if (round % 4 != 0) {
            assertThat(rig().write(end - 512, bytes(round, 512))).isEqualTo(BlockStatus.OK);
        }
    }
}
