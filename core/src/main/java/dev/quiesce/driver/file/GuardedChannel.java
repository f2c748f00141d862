package dev.quiesce.driver.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file channel that survives the interruption of a thread that uses it. Any thread that may
 * block.
 */
final class GuardedChannel implements AutoCloseable {
    /*
     * A FileChannel closes itself, for everybody, when a thread is interrupted in it or enters it
     * interrupted. So each operation takes the thread's interrupt away first and gives it back at
     * the end, and one that finds the channel closed opens the file again and repeats itself. The
     * first to notice re-opens, under the monitor; the others find a channel that is not the one
     * that failed them, and use it. Repeating is safe: positions are absolute, a read fills
     * the same bytes, a write stores the same bytes. The buffer's position is put back first, for
     * a channel may move it and then throw.
     *
     * The path may meanwhile name another file; its key (device and inode) tells. Where the host
     * has no keys this is not noticed.
     */

    /** How often one operation may be interrupted; then it fails. */
    private static final int INTERRUPTS_MAX = 1000;

    private final ImageHost host;
    private final Path path;
    private final boolean readOnly;
    private final @Nullable Object key;

    /** Written under the monitor, read by any: a stale one is closed, which its reader notices. */
    private volatile FileChannel current;
    /** Guarded by the monitor. */
    private boolean closed;

    GuardedChannel(ImageHost host, Path path, boolean readOnly) throws IOException {
        this.host = host;
        this.path = path;
        this.readOnly = readOnly;
        this.current = host.openChannel(path, readOnly);
        this.key = keyOf(path, current);
    }

    /** Reads at an absolute position; returns the bytes read, at least 1, or -1 at the end. */
    int read(ByteBuffer target, long position) throws IOException {
        return (int) perform(Act.READ, target, position);
    }

    /** Writes at an absolute position; returns the bytes written. */
    int write(ByteBuffer source, long position) throws IOException {
        return (int) perform(Act.WRITE, source, position);
    }

    long size() throws IOException {
        return perform(Act.SIZE, null, 0);
    }

    /**
     * Makes the file durable. Not repeated: when the channel closes under it, its verdict is lost.
     *
     * @throws ClosedChannelException if an interrupt closed the channel before or during this
     */
    void force(boolean metadata) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            current.force(metadata);
        } catch (ClosedChannelException e) {
            interrupted |= Thread.interrupted();
            throw e;
        } finally {
            giveBack(interrupted);
        }
    }

    /** Closes for good: nothing re-opens it. Idempotent. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            closed = true;
        }
        current.close();
    }

    /** Ends an operation before which {@link Thread#interrupted} was asked. */
    static void giveBack(boolean interrupted) {
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes what a failure would otherwise leave open. */
    static void closeBecauseOf(Exception failure, @Nullable AutoCloseable open) {
        if (open == null) {
            return;
        }
        try {
            open.close();
        } catch (Exception more) {
            failure.addSuppressed(more);
        }
    }

    private enum Act { READ, WRITE, SIZE }

    private long perform(Act act, @Nullable ByteBuffer buffer, long position) throws IOException {
        int start = buffer == null ? 0 : buffer.position();
        boolean interrupted = Thread.interrupted();
        try {
            for (int interrupts = 0; ; interrupts++) {
                FileChannel channel = current;
                try {
                    return performOnce(act, channel, buffer, position);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    if (interrupts == INTERRUPTS_MAX) {
                        throw e;
                    }
                    reopen(channel);
                }
                if (buffer != null) {
                    buffer.position(start);
                }
            }
        } finally {
            giveBack(interrupted);
        }
    }

    private static long performOnce(
            Act act, FileChannel channel, @Nullable ByteBuffer buffer, long position)
            throws IOException {
        return switch (act) {
            case READ -> channel.read(Objects.requireNonNull(buffer), position);
            case WRITE -> channel.write(Objects.requireNonNull(buffer), position);
            case SIZE -> channel.size();
        };
    }

    private synchronized void reopen(FileChannel failed) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (current != failed) {
            return;
        }
        FileChannel fresh = host.openChannel(path, readOnly);
        if (!Objects.equals(key, keyOf(path, fresh))) {
            fresh.close();
            throw new IOException(path + " was replaced by another file while in use");
        }
        current = fresh;
    }

    /** The key of what the path names; if it cannot be told, the channel just opened goes. */
    private static @Nullable Object keyOf(Path path, FileChannel opened) throws IOException {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        } catch (IOException e) {
            closeBecauseOf(e, opened);
            throw e;
        }
    }
}
