package dev.quiesce.driver.memory;

import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;

class DirectMemoryDriverTest extends TruncateConformance {
    @Override
    protected TestNode makeNode() {
        return TestNode.of(new MemoryDriver(MemoryConfig.direct(lengthBytes())));
    }
}
