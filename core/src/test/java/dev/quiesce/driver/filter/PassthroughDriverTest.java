package dev.quiesce.driver.filter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;
import dev.quiesce.driver.memory.MemoryDriver;
import org.junit.jupiter.api.Test;

class PassthroughDriverTest extends TruncateConformance {
    private final PassthroughDriver driver = new PassthroughDriver();

    @Override
    protected TestNode makeNode() {
        return TestNode.of(driver, TestNode.of(new MemoryDriver(lengthBytes())));
    }

    @Test
    void shouldCountWhatItForwards() {
        rig().write(0, new byte[512]);
        rig().read(0, 1024);
        rig().flush();

        assertThat(driver.requests()).isEqualTo(3);
        assertThat(driver.bytes()).isEqualTo(1536);
    }
}
