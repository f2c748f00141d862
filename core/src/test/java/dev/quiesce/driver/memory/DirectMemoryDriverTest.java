package dev.quiesce.driver.memory;

import dev.quiesce.driver.BlockDriverConformance;
import dev.quiesce.driver.TestNode;

class DirectMemoryDriverTest extends BlockDriverConformance {
    @Override
    protected TestNode makeNode() {
        return TestNode.of(new MemoryDriver(MemoryConfig.direct(lengthBytes())));
    }
}
