package dev.quiesce.virtio.memory;

import java.nio.ByteBuffer;

final class HeapMapTest extends MemoryMapContract {

    @Override
    MemoryMap newMap() {
        return RegionMap.builder()
                .add(LOW, ByteBuffer.allocate(0x1000))
                .add(BORDER, ByteBuffer.allocate(0x1000))
                .addReadOnly(ROM, ByteBuffer.wrap(rom()))
                .add(HIGH, ByteBuffer.allocate(HIGH_BYTES))
                .add(TOP, ByteBuffer.allocate(0x1000))
                .build();
    }
}
