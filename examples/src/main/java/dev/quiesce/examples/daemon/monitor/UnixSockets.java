package dev.quiesce.examples.daemon.monitor;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/** Sockets in the file system: those that somebody left behind, and those of ours. */
final class UnixSockets {
    private static final int TYPE_MASK = 0170000;
    private static final int SOCKET = 0140000;
    private static final int HOMES_MAX = 100;
    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rw-------");
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

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

    /**
     * Listens where only the owner may connect, from the first moment on: the socket is made where
     * nobody else can look, and gets its name when it is private.
     */
    static ServerSocketChannel listen(Path path) throws IOException {
        clear(path);
        Path home = makeHome(path);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Path made = home.resolve("s");
        try {
            listener.bind(UnixDomainSocketAddress.of(made));
            Files.setPosixFilePermissions(made, OWNER_ONLY);
            Files.createLink(path, made); // Fails if somebody has been faster.
            return listener;
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        } finally {
            Files.deleteIfExists(made);
            Files.delete(home);
        }
    }

    /** A directory of ours beside a socket; its name is short, as those of sockets have to be. */
    private static Path makeHome(Path path) throws IOException {
        IOException taken = null;
        for (int i = 0; i < HOMES_MAX; i++) {
            Path home = path.resolveSibling(".q" + i);
            try {
                return Files.createDirectory(home, OWNER_ONLY_DIRECTORY);
            } catch (FileAlreadyExistsException e) {
                taken = e;
            }
        }
        throw taken != null ? taken : new FileAlreadyExistsException(path.toString());
    }

    /** Removes a socket if it is still the one that was made; before the listener is closed. */
    static void remove(Path path, Object made) throws IOException {
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && keyOf(path).equals(made)) {
            Files.delete(path);
        }
    }

    /** What tells a file from others: hosts give the numbers of files out again. */
    static Object keyOf(Path path) throws IOException {
        BasicFileAttributes file = Files.readAttributes(
                path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return List.of(file.fileKey(), file.lastModifiedTime());
    }

    /** Does not wait: whoever listens may have a full queue, and accept nobody. */
    private static boolean isServed(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException nobody) {
            return false;
        } catch (SocketException full) { // or not for us: then it is not ours to replace either
            return true;
        }
    }
}
