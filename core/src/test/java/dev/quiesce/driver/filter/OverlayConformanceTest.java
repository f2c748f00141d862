package dev.quiesce.driver.filter;

import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;
import dev.quiesce.driver.memory.MemoryDriver;

class OverlayConformanceTest extends TruncateConformance {
    @Override
    protected TestNode makeNode() {
        return TestNode.of(new OverlayDriver(new OverlayConfig(1 << 30)),
                TestNode.of(new MemoryDriver(lengthBytes())));
    }
}
