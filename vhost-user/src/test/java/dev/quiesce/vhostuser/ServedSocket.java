package dev.quiesce.vhostuser;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** What tests of a host that serves one socket begin and end with. */
abstract class ServedSocket {
    @TempDir Path directory;
    Path socket;
    Host host;

    @BeforeEach
    final void listen() throws Exception {
        socket = directory.resolve("s");
        host = newHost();
    }

    /** Serves the socket. */
    abstract Host newHost() throws Exception;

    @AfterEach
    final void stop() throws Exception {
        host.close();
    }
}
