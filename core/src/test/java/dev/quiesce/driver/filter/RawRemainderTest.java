package dev.quiesce.driver.filter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

/** A window that reaches to the end of its child, wherever that is. */
class RawRemainderTest extends TruncateConformance {
    private static final long BEFORE = 1536;

    private TestNode below;

    @Override
    protected TestNode makeNode() {
        below = TestNode.of(new MemoryDriver(BEFORE + lengthBytes()));
        return TestNode.of(new RawDriver(BEFORE, RawDriver.REMAINDER), below);
    }

    @Test
    @Rule("REQ-44")
    void shouldEndItsChildWhereItEndsItself() {
        rig().run(Operation.TRUNCATE, 8192, 0);

        assertThat(below.lengthBytes()).isEqualTo(BEFORE + 8192);
    }

    @Test
    @Rule("REQ-47")
    void shouldFollowItsChild() {
        try (Rig whole = new Rig(below)) {
            whole.run(Operation.TRUNCATE, BEFORE + 4096, 0);
            assertThat(node().lengthBytes()).isEqualTo(4096);

            whole.run(Operation.TRUNCATE, BEFORE - 512, 0);
            assertThat(node().lengthBytes()).isZero();
            assertThat(rig().tryRead(0, 512)).isEqualTo(BlockStatus.INVALID);
        }
    }

    @Test
    @Rule("REQ-44")
    void shouldRefuseAnEndThatItsOffsetPushesOutOfRange() {
        assertThat(rig().run(Operation.TRUNCATE, Long.MAX_VALUE - 1, 0))
                .isEqualTo(BlockStatus.INVALID);
    }
}
