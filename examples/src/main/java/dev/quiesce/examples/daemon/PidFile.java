package dev.quiesce.examples.daemon;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that holds the number of this process for as long as it runs, and is locked. */
final class PidFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;

    private PidFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Replaces what a process left there that runs no more; fails if one still runs. */
    static PidFile write(Path path) throws IOException {
        FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean written = false;
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new IOException(path + ": another process holds it");
            }
            channel.truncate(0);
            String text = ProcessHandle.current().pid() + "\n";
            channel.write(ByteBuffer.wrap(text.getBytes(US_ASCII)));
            written = true;
            return new PidFile(path, channel);
        } finally {
            if (!written) {
                channel.close();
            }
        }
    }

    /** Removes it, while it is still locked; a device that stands in for one stays. */
    @Override
    public void close() throws IOException {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.delete(path);
        }
        channel.close();
    }
}
