package dev.quiesce.examples.daemon;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that holds the number of this process for as long as it runs, and is locked. */
final class PidFile implements AutoCloseable {
    /*
     * Who leaves deletes the file while it is locked. Somebody else may have opened it by then, and
     * gets the lock of a file that is no longer at its path. So whoever has the lock and has
     * written its number looks whether that is what the path shows, and else tries again.
     */
    private static final int TRIES_MAX = 100;

    private final Path path;
    private final FileChannel channel;
    private final String text = ProcessHandle.current().pid() + "\n";

    private PidFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Replaces what a process left there that runs no more; fails if one still runs. */
    static PidFile write(Path path) throws IOException {
        for (int i = 0; i < TRIES_MAX; i++) {
            PidFile file = new PidFile(path, FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.WRITE));
            if (file.take()) {
                return file;
            }
        }
        throw new IOException(path + ": is taken away again and again");
    }

    /** False if it is another file by now; closed then, and if it fails. */
    private boolean take() throws IOException {
        boolean taken = false;
        try {
            if (!lock()) {
                throw new IOException(path + ": another process holds it");
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
            taken = isAtItsPath();
            return taken;
        } finally {
            if (!taken) {
                channel.close();
            }
        }
    }

    private boolean lock() throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException ownProcess) {
            return false;
        }
    }

    /** A device that stands in for a file always is. */
    private boolean isAtItsPath() throws IOException {
        if (Files.isRegularFile(path)) {
            try {
                return Files.readString(path, ISO_8859_1).equals(text);
            } catch (NoSuchFileException goneMeanwhile) {
                return false;
            }
        }
        return Files.exists(path);
    }

    /**
     * Removes it, while it is still locked; a device that stands in for one stays, and so does a
     * file that somebody has put in its place.
     */
    @Override
    public void close() throws IOException {
        try (channel) {
            if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && isAtItsPath()) {
                Files.delete(path);
            }
        }
    }
}
