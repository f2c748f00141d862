package dev.quiesce.virtio.memory;

import java.nio.ByteBuffer;

final class DirectMapTest extends MemoryMapContract {

    @Override
    MemoryMap newMap() {
        return RegionMap.builder()
                .add(TOP, ByteBuffer.allocateDirect(0x1000))
                .add(HIGH, ByteBuffer.allocateDirect(HIGH_BYTES))
                .add(LOW, ByteBuffer.allocateDirect(0x1000))
                .add(BORDER, ByteBuffer.allocateDirect(0x1000))
                .addReadOnly(ROM, ByteBuffer.allocateDirect(ROM_BYTES).put(rom()).flip())
                .build();
    }
}
