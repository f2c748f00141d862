package dev.quiesce.driver.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockDriverConformance;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.ScriptedDriver;
import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class RawDriverTest extends BlockDriverConformance {
    private static final long BEFORE = 1536;
    private static final long BEHIND = 2048;

    private TestNode below;

    @Override
    protected TestNode makeNode() {
        below = TestNode.of(new MemoryDriver(BEFORE + lengthBytes() + BEHIND));
        return TestNode.of(new RawDriver(BEFORE, lengthBytes()), below);
    }

    @Override
    protected boolean canTruncate() {
        return false;
    }

    @Test
    @Rule("REQ-47")
    void shouldEndWithItsChildWhenThatBecomesTooShort() {
        try (Rig whole = new Rig(below)) {
            whole.run(Operation.TRUNCATE, BEFORE + 4096, 0);
            assertThat(node().lengthBytes()).isEqualTo(4096);
            assertThat(rig().tryRead(4096, 512)).isEqualTo(BlockStatus.INVALID);

            whole.run(Operation.TRUNCATE, BEFORE + 2 * lengthBytes(), 0);
            assertThat(node().lengthBytes()).isEqualTo(lengthBytes());
        }
    }

    @Test
    void shouldNeverTouchWhatIsOutsideOfTheWindow() {
        try (Rig whole = new Rig(below)) {
            whole.write(0, bytes(1, (int) BEFORE));
            whole.write(BEFORE + lengthBytes(), bytes(2, (int) BEHIND));

            rig().run(Operation.WRITE_ZEROES, 0, lengthBytes());
            rig().run(Operation.WRITE_ZEROES, -BEFORE, BEFORE);
            rig().run(Operation.DISCARD, lengthBytes() - 512, 1024);

            assertThat(whole.read(0, (int) BEFORE)).isEqualTo(bytes(1, (int) BEFORE));
            assertThat(whole.read(BEFORE + lengthBytes(), (int) BEHIND))
                    .isEqualTo(bytes(2, (int) BEHIND));
        }
    }

    @Test
    void shouldShiftByItsOffset() {
        rig().write(512, bytes(3, 512));

        try (Rig whole = new Rig(below)) {
            assertThat(whole.read(BEFORE + 512, 512)).isEqualTo(bytes(3, 512));
        }
    }

    @Test
    void shouldReachToTheEndOfItsChildWhenAsked() {
        BlockDriver rest = new RawDriver(1024, RawDriver.REMAINDER);
        TestNode.of(rest, TestNode.of(new MemoryDriver(5000)));

        assertThat(rest.lengthBytes()).isEqualTo(3976);
    }

    @Test
    void shouldRefuseAWindowThatDoesNotFit() {
        TestNode small = TestNode.of(new MemoryDriver(4096));
        TestNode coarse = TestNode.of(new ScriptedDriver()
                .withLimits(BlockLimits.unlimited().withAlignment(4096, 1)));

        assertThatThrownBy(() -> TestNode.of(new RawDriver(4097, RawDriver.REMAINDER), small))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("4097");
        assertThatThrownBy(() -> TestNode.of(new RawDriver(1, 4096), small))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("4096");
        assertThatThrownBy(() -> TestNode.of(new RawDriver(512, 512), coarse))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("alignment 4096");
        assertThatThrownBy(() -> new RawDriver(-1, 5)).hasMessageContaining("-1");
        assertThatThrownBy(() -> TestNode.of(new RawDriver(0, 5)))
                .hasMessageContaining("exactly one child");
    }

    @Test
    void shouldSayThatItIsNotOpened() {
        assertThatThrownBy(() -> new RawDriver(0, 5).lengthBytes())
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldForwardTheRequestItself() {
        ScriptedDriver bottom = new ScriptedDriver()
                .onSubmit((r, node) -> r.complete(
                        r.offsetBytes() == 1024 ? BlockStatus.OK : BlockStatus.INVALID, null));
        TestNode raw = TestNode.of(new RawDriver(512, 4096), TestNode.of(bottom));

        try (Rig over = new Rig(raw)) {
            assertThat(over.run(Operation.DISCARD, 512, 512)).isEqualTo(BlockStatus.OK);
            assertThat(over.flush()).isEqualTo(BlockStatus.INVALID);
        }
    }
}
