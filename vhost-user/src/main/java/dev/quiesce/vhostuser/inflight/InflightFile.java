package dev.quiesce.vhostuser.inflight;

import java.io.FileDescriptor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Zeroed memory to be shared with a front end, for a new buffer. Session thread.
 */
public final class InflightFile implements AutoCloseable {
    /*
     * A memfd would be the thing, but Java 17 cannot make one without native code of ours. A file
     * in a memory file system that only its owner may open, and that loses its name before anybody
     * else hears of it, is the same to whoever gets the descriptor. Written, not only stretched: a
     * host without room says so here, as an error, and not later by taking pages away.
     */
    private static final Path MEMORY = Path.of("/dev/shm");
    private static final int CHUNK_BYTES = 1 << 16;

    private final RandomAccessFile file;
    private final long bytes;

    private InflightFile(RandomAccessFile file, long bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /**
     * Makes such a file.
     *
     * @param bytes its length
     * @return the file, the caller's to close
     * @throws IOException if the host has no room
     */
    public static InflightFile create(long bytes) throws IOException {
        if (Files.isDirectory(MEMORY)) {
            try {
                return createIn(MEMORY, bytes);
            } catch (IOException noRoom) {
                return createElsewhere(bytes, noRoom);
            }
        }
        return createElsewhere(bytes, null);
    }

    private static InflightFile createElsewhere(long bytes, @Nullable IOException before)
            throws IOException {
        try {
            return createIn(Path.of(System.getProperty("java.io.tmpdir")), bytes);
        } catch (IOException e) {
            if (before != null) {
                e.addSuppressed(before);
            }
            throw e;
        }
    }

    private static InflightFile createIn(Path directory, long bytes) throws IOException {
        Path path = Files.createTempFile(directory, "quiesce-inflight", null); // 0600
        RandomAccessFile file;
        try {
            file = new RandomAccessFile(path.toFile(), "rw");
        } finally {
            Files.delete(path);
        }
        try {
            InflightFile made = new InflightFile(file, bytes);
            made.clear();
            return made;
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Makes it zeroes again, for a front end that begins anew. Session thread.
     *
     * @throws IOException if the host has no room
     */
    public void clear() throws IOException {
        ByteBuffer zeroes = ByteBuffer.allocate(CHUNK_BYTES);
        for (long at = 0; at < bytes;) {
            zeroes.clear().limit((int) Math.min(bytes - at, CHUNK_BYTES));
            at += file.getChannel().write(zeroes, at);
        }
    }

    /**
     * What is sent to the front end.
     *
     * @return the descriptor, this object's
     * @throws IOException if it is closed
     */
    public FileDescriptor descriptor() throws IOException {
        return file.getFD();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
