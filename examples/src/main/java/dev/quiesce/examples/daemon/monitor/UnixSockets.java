package dev.quiesce.examples.daemon.monitor;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** Sockets in the file system that somebody left behind. */
final class UnixSockets {
    private static final int TYPE_MASK = 0170000;
    private static final int SOCKET = 0140000;

    private UnixSockets() {
    }

    /** Removes a socket that nobody listens on; anything else that is there is in the way. */
    static void clear(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!(Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) instanceof Integer
                mode) || (mode & TYPE_MASK) != SOCKET) {
            throw new FileAlreadyExistsException(path.toString(), null, "it is not a socket");
        }
        if (isServed(path)) {
            throw new FileAlreadyExistsException(
                    path.toString(), null, "another process listens there");
        }
        Files.delete(path);
    }

    private static boolean isServed(Path path) {
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return probe.isConnected();
        } catch (IOException nobody) {
            return false;
        }
    }
}
