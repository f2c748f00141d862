package dev.quiesce.driver.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriverConformance;
import dev.quiesce.driver.TestNode;
import org.junit.jupiter.api.Test;

class MemoryDriverTest extends BlockDriverConformance {
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
    void shouldBeAllowedToHoldNothing() {
        assertThat(new MemoryDriver(0).lengthBytes()).isZero();
    }
}
