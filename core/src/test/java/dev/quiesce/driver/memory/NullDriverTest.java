package dev.quiesce.driver.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;
import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;

class NullDriverTest extends TruncateConformance {
    @Override
    protected TestNode makeNode() {
        return TestNode.of(new NullDriver(lengthBytes()));
    }

    @Override
    protected boolean keepsData() {
        return false;
    }

    @Test
    @Rule("REQ-51")
    void shouldNeverLeakWhatThePayloadHeld() {
        rig().write(0, bytes(1, 4096));

        assertThat(rig().read(0, 4096)).containsOnly(0);
    }

    @Test
    void shouldRefuseANegativeLength() {
        assertThatThrownBy(() -> new NullDriver(-7)).hasMessageContaining("-7");
    }
}
