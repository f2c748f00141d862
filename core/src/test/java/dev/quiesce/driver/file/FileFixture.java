package dev.quiesce.driver.file;

import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A file of random bytes, opened through a hooked host and used by inline workers. */
class FileFixture {
    static final int LENGTH = 256 * 1024;

    @TempDir
    Path directory;

    final HookedHost host = new HookedHost();
    byte[] content;
    Path path;
    FileDriver driver;
    Rig rig;

    final void open(int length) throws IOException {
        create(length);
        reopen();
    }

    final void create(int length) throws IOException {
        content = bytes(length);
        path = directory.resolve("disk");
        Files.write(path, content);
    }

    final void reopen() throws IOException {
        close();
        driver = FileDriver.open(FileConfig.writable(path), host);
        rig = new Rig(TestNode.of(driver));
    }

    static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @AfterEach
    final void close() {
        if (rig != null) {
            rig.close();
            driver.close();
            rig = null;
        }
    }
}
