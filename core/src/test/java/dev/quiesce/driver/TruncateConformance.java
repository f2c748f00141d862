package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.rules.Rule;
import java.util.Arrays;
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
