package dev.quiesce.driver.file;

import dev.quiesce.aio.Workers;
import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.TruncateConformance;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class FilePoolConformanceTest extends TruncateConformance {
    @TempDir
    Path directory;

    @Override
    protected Workers makeWorkers() {
        return Workers.pool(Thread::new, 1, 4);
    }

    @Override
    protected TestNode makeNode() throws Exception {
        Path path = directory.resolve("disk");
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(lengthBytes());
        }
        return TestNode.of(FileDriver.open(FileConfig.writable(path)));
    }
}
