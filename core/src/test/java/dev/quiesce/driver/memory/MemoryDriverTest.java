package dev.quiesce.driver.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;
import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class MemoryDriverTest extends TruncateConformance {
    private static final int CHUNK = 65_536;

    private MemoryDriver driver;

    @Override
    protected TestNode makeNode() {
        driver = new MemoryDriver(new MemoryConfig(lengthBytes(), CHUNK, false));
        return TestNode.of(driver);
    }

    @Test
    void shouldTakeMemoryForWrittenChunksOnly() {
        assertThat(driver.allocatedBytes()).isZero();

        rig().write(CHUNK - 512, new byte[1024]);
        rig().run(Operation.WRITE_ZEROES, 0, lengthBytes() / 2);

        assertThat(driver.allocatedBytes()).isZero();
        rig().write(5, new byte[1]);
        assertThat(driver.allocatedBytes()).isEqualTo(CHUNK);
    }

    @Test
    void shouldLetGoOfAChunkThatIsDiscardedWhole() {
        byte[] bytes = bytes(1, 2 * CHUNK);
        rig().write(0, bytes);

        rig().run(Operation.DISCARD, 0, CHUNK);
        rig().run(Operation.DISCARD, CHUNK, CHUNK - 1);

        assertThat(driver.allocatedBytes()).isEqualTo(CHUNK);
        assertThat(rig().read(2 * CHUNK - 1, 1)).containsExactly(bytes[2 * CHUNK - 1]);
    }

    @Test
    void shouldRefuseNonsenseByValue() {
        assertThatThrownBy(() -> new MemoryDriver(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> new MemoryConfig(1, 1000, false)).hasMessageContaining("1000");
        assertThatThrownBy(() -> MemoryConfig.heap(Long.MAX_VALUE))
                .hasMessageContaining(Long.toString(Long.MAX_VALUE));
    }

    @Test
    @Rule("REQ-44")
    void shouldLetGoOfTheChunksThatAreCutOff() {
        rig().write(0, bytes(2, 4 * CHUNK));

        rig().run(Operation.TRUNCATE, CHUNK + 1, 0);

        assertThat(driver.allocatedBytes()).isEqualTo(2 * CHUNK);
    }

    @Test
    @Rule("REQ-46")
    void shouldRefuseALengthThatItsChunksCannotHold() {
        assertThat(rig().run(Operation.TRUNCATE, Long.MAX_VALUE, 0))
                .isEqualTo(BlockStatus.INVALID);

        assertThat(driver.lengthBytes()).isEqualTo(lengthBytes());
    }

    @Test
    @Rule("REQ-44")
    void shouldGrowFarBeyondTheTableItBeganWith() {
        long far = 3000L * CHUNK;
        rig().write(0, bytes(3, 512));

        rig().run(Operation.TRUNCATE, far, 0);
        rig().write(far - 512, bytes(4, 512));

        assertThat(rig().read(far - 512, 512)).isEqualTo(bytes(4, 512));
        assertThat(rig().read(0, 512)).isEqualTo(bytes(3, 512));
        assertThat(driver.allocatedBytes()).isEqualTo(2 * CHUNK);
    }

    @Test
    void shouldBeAllowedToHoldNothing() {
        assertThat(new MemoryDriver(0).lengthBytes()).isZero();
    }
}
