package dev.quiesce.examples.daemon.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sockets that only their owner may use, and what is at their place before and after. */
class UnixSocketsTest {
    @TempDir private Path directory;

    @Test
    void shouldListenForTheOwnerOnlyAndLeaveNothingElseBehind() throws Exception {
        Path socket = directory.resolve("s");

        try (ServerSocketChannel listener = UnixSockets.listen(socket);
                SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                SocketChannel accepted = listener.accept()) {
            assertThat(client.isConnected()).isTrue();
            assertThat(accepted.isConnected()).isTrue();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                    .isEqualTo("rw-------");
            assertThat(entries()).containsExactly(socket);
        }
    }

    /** Longer than a path of a socket may be by less than the detour by another name takes. */
    @Test
    void shouldListenAtAnyPathThatASocketMayHave() throws Exception {
        int missing = 107 - directory.resolve("x").toString().length();
        Path socket = directory.resolve("x".repeat(missing + 1));
        assertThat(socket.toString()).hasSize(107);

        UnixSockets.listen(socket).close();

        assertThat(socket).exists();
    }

    @Test
    void shouldReplaceASocketThatNobodyServesAndDeleteNothingElse() throws Exception {
        Path socket = directory.resolve("s");
        abandon(socket);
        UnixSockets.listen(socket).close();
        Path file = Files.createFile(directory.resolve("file"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), socket);

        for (Path wrong : List.of(file, link, directory)) {
            assertThatThrownBy(() -> UnixSockets.listen(wrong))
                    .isInstanceOf(FileAlreadyExistsException.class)
                    .hasMessageContaining("it is not a socket");
        }

        assertThat(entries()).containsExactlyInAnyOrder(socket, file, link);
    }

    /** Whoever serves it need not accept anybody for that to be found out. */
    @Test
    @Timeout(60)
    void shouldNotWaitForWhoeverServesTheSocketAlready() throws Exception {
        Path socket = directory.resolve("s");
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocketChannel deaf = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            deaf.bind(UnixDomainSocketAddress.of(socket), 1);
            assertThatThrownBy(() -> connectWithoutEnd(socket, queue))
                    .isInstanceOf(SocketException.class);

            assertThatThrownBy(() -> UnixSockets.listen(socket))
                    .isInstanceOf(FileAlreadyExistsException.class)
                    .hasMessageContaining("another process listens there");
        } finally {
            for (SocketChannel each : queue) {
                each.close();
            }
        }
    }

    private static void connectWithoutEnd(Path socket, List<SocketChannel> queue)
            throws IOException {
        while (true) {
            SocketChannel next = SocketChannel.open(StandardProtocolFamily.UNIX);
            queue.add(next);
            next.configureBlocking(false);
            next.connect(UnixDomainSocketAddress.of(socket));
        }
    }

    @Test
    void shouldRemoveItsOwnSocketOnly() throws Exception {
        Path socket = directory.resolve("s");
        try (ServerSocketChannel first = UnixSockets.listen(socket)) {
            Object key = UnixSockets.keyOf(socket);
            Files.delete(socket);
            abandon(socket);
            Files.setLastModifiedTime(socket, FileTime.fromMillis(1));

            UnixSockets.remove(socket, key);

            assertThat(first.isOpen()).isTrue();
            assertThat(socket).exists();
            UnixSockets.remove(socket, UnixSockets.keyOf(socket));
            assertThat(socket).doesNotExist();
        }
    }

    private static void abandon(Path socket) throws Exception {
        try (ServerSocketChannel listener =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(socket));
        }
    }

    private List<Path> entries() throws Exception {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        }
    }
}
