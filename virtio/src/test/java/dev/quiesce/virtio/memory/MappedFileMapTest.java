package dev.quiesce.virtio.memory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.io.TempDir;

/** RAM shared with another process through a file. */
final class MappedFileMapTest extends MemoryMapContract {

    @TempDir private Path directory;

    @Override
    MemoryMap newMap() throws IOException {
        try (FileChannel file = FileChannel.open(directory.resolve("ram"),
                StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(rom()), 0x3000);
            return RegionMap.builder()
                    .add(LOW, file.map(MapMode.READ_WRITE, 0, 0x1000))
                    .add(BORDER, file.map(MapMode.READ_WRITE, 0x1000, 0x1000))
                    .add(ROM, file.map(MapMode.READ_ONLY, 0x3000, ROM_BYTES))
                    .add(HIGH, file.map(MapMode.READ_WRITE, 0x4000, HIGH_BYTES))
                    .add(TOP, file.map(MapMode.READ_WRITE, 0x5000, 0x1000))
                    .mayBeTruncated(true)
                    .build();
        }
    }
}
