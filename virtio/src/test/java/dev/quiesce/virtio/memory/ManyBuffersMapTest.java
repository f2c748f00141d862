package dev.quiesce.virtio.memory;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** RAM larger than a buffer may be, in small: consecutive parts, heap and direct in turn. */
final class ManyBuffersMapTest extends MemoryMapContract {

    @Override
    MemoryMap newMap() {
        List<ByteBuffer> parts = new ArrayList<>();
        for (int part = 0; part < 8; part++) {
            ByteBuffer buffer = part % 2 == 0
                    ? ByteBuffer.allocate(0x200)
                    : ByteBuffer.allocateDirect(0x200);
            parts.add(buffer);
        }
        return RegionMap.builder()
                .add(LOW, ByteBuffer.allocate(0x800))
                .add(LOW + 0x800, ByteBuffer.allocate(0x800))
                .add(BORDER, parts)
                .add(ROM, ByteBuffer.wrap(rom()).asReadOnlyBuffer())
                .add(HIGH, ByteBuffer.allocateDirect(HIGH_BYTES))
                .add(TOP, ByteBuffer.allocateDirect(0x1000))
                .build();
    }
}
