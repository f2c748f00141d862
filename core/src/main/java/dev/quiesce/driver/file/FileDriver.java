package dev.quiesce.driver.file;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockOpenException;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A host file, or block device, read and written in place by positional I/O. Concurrent. The file
 * is touched only by the workers of the request's home context, never inside submit; each request
 * is at work at most once, and in the steady state allocates nothing of ours.
 *
 * <p>Length: the file's size when opened, rounded up to the configured alignment. The tail beyond
 * the file's end reads as zeroes; a write there makes the file longer. A truncate makes the file as
 * long as it asks, rounded up likewise; a block device has the length it has. If the file is
 * truncated from outside, reads of what is lost, all writes and all truncates complete with
 * {@code IO_ERROR}. A read that a truncate overtakes completes with {@code INVALID}.
 *
 * <p>A write is whole or fails; one that failed or was cancelled may have been applied in part. A
 * full file system is {@code NO_SPACE}. Write-zeroes writes zeroes; discard is not supported.
 *
 * <p>Durability: a flush, and a write with {@code FUA}, completes OK only after the host confirmed
 * that every write which was complete when the flush was submitted is on stable storage. Once the
 * host reported that this failed, the data may be gone and nobody will be told again: so from then
 * on every flush completes with {@code IO_ERROR} (or {@code NO_SPACE}), until the image is closed
 * and opened anew.
 *
 * <p>Interrupts: a thread that is interrupted while it does file I/O for us keeps its interrupt,
 * and the request is carried through; the file is opened again by its path for that, and requests
 * fail if the path names another file by then.
 */
public final class FileDriver implements BlockDriver {
    private static final int ZEROES_BYTES = 64 * 1024;
    private static final int UNIX_TYPE_MASK = 0170000;
    private static final int UNIX_BLOCK_DEVICE = 0060000;

    private final ImageFile image;
    private final boolean readOnly;
    private final int alignmentBytes;
    private final boolean resizable;
    private final BlockLimits limits;
    private final ByteBuffer zeroes;

    /** Written by workers under the monitor, read by any. */
    private volatile long lengthBytes;

    private FileDriver(ImageFile image, FileConfig config, boolean resizable) {
        this.image = image;
        this.readOnly = config.readOnly();
        this.alignmentBytes = config.alignmentBytes();
        this.resizable = resizable;
        this.lengthBytes = roundUp(image.sizeBytes());
        this.limits = BlockLimits.unlimited().withReadOnly(readOnly);
        this.zeroes = ByteBuffer.allocateDirect(readOnly ? 0 : ZEROES_BYTES).asReadOnlyBuffer();
    }

    /**
     * Opens an image. Blocks for as long as the host takes.
     *
     * <p>Thread: any that may block.
     *
     * @param config which file, and how
     * @return the driver
     * @throws BlockOpenException if there is no such file, it may not be read or written, it is a
     *     directory or another special file, or it is empty and must not be
     */
    public static FileDriver open(FileConfig config) throws BlockOpenException {
        return open(config, ImageHost.system());
    }

    static FileDriver open(FileConfig config, ImageHost host) throws BlockOpenException {
        Path path = config.path();
        boolean interrupted = Thread.interrupted();
        try {
            requireFile(path);
            ImageFile image = new ImageFile(host, path, config.readOnly());
            if (image.sizeBytes() == 0 && !config.emptyAllowed()) {
                image.close();
                throw new BlockOpenException(path.toString(), "the file is empty", null);
            }
            return new FileDriver(image, config, Files.isRegularFile(path));
        } catch (BlockOpenException e) {
            throw e;
        } catch (IOException e) {
            throw new BlockOpenException(path.toString(), FileErrors.reasonOf(e), e);
        } finally {
            GuardedChannel.giveBack(interrupted);
        }
    }

    @Override
    public String type() {
        return "file";
    }

    @Override
    public BlockLimits limits() {
        return limits;
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    /**
     * How many bytes the file holds.
     *
     * <p>Thread: any.
     *
     * @return its size when opened, or how far writes have reached since
     */
    public long fileBytes() {
        return image.sizeBytes();
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        Operation operation = request.operation();
        if (!request.isWithin(lengthBytes)) {
            request.complete(BlockStatus.INVALID, null);
            return;
        }
        switch (operation) {
            case READ -> transferOf(request).begin();
            case WRITE, WRITE_ZEROES -> {
                if (readOnly) {
                    request.complete(BlockStatus.READ_ONLY, null);
                } else {
                    transferOf(request).begin();
                }
            }
            case FLUSH -> {
                if (readOnly) {
                    request.complete(BlockStatus.OK, null);
                } else {
                    transferOf(request).begin();
                }
            }
            case TRUNCATE -> beginTruncate(request);
            case DISCARD, STATUS, COPY -> request.complete(BlockStatus.NOT_SUPPORTED, null);
        }
    }

    private void beginTruncate(BlockRequest request) {
        long bytes = request.offsetBytes();
        if (readOnly) {
            request.complete(BlockStatus.READ_ONLY, null);
        } else if (!resizable) {
            request.complete(BlockStatus.NOT_SUPPORTED, null);
        } else if (bytes < 0 || bytes > Long.MAX_VALUE - alignmentBytes) {
            request.complete(BlockStatus.INVALID, null);
        } else {
            transferOf(request).begin();
        }
    }

    /**
     * Worker: makes the file this long, rounded up. To cut, requests are refused before the bytes
     * go; to add, they are let in when the bytes are there.
     */
    synchronized void truncate(long bytes) throws IOException {
        long before = lengthBytes;
        long after = roundUp(bytes);
        lengthBytes = Math.min(before, after);
        boolean done = false;
        try {
            image.resize(after, before);
            done = true;
        } finally {
            lengthBytes = done ? after : before;
        }
    }

    private long roundUp(long bytes) {
        return (bytes + alignmentBytes - 1) & -alignmentBytes;
    }

    /** Withdraws a request that no worker has begun; stops another between two host calls. */
    @Override
    public void cancel(BlockRequest request) {
        if (request.driverState() instanceof FileTransfer transfer && transfer.isOf(this)) {
            transfer.stop();
        }
    }

    /**
     * Closes the file. Does not flush: what no flush acknowledged is the host's to write.
     *
     * @throws UncheckedIOException if the host reports an error
     */
    @Override
    public void close() {
        try {
            image.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ImageFile image() {
        return image;
    }

    /** Read-only; transfers use duplicates of it. */
    ByteBuffer zeroes() {
        return zeroes;
    }

    private FileTransfer transferOf(BlockRequest request) {
        if (request.driverState() instanceof FileTransfer transfer && transfer.isOf(this)) {
            return transfer;
        }
        FileTransfer fresh = new FileTransfer(this, request);
        request.driverState(fresh);
        return fresh;
    }

    /** Refuses what cannot be read at a position, before opening it could wait (a pipe's would). */
    private static void requireFile(Path path) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
        if (attributes.isDirectory()) {
            throw new BlockOpenException(path.toString(), "it is a directory", null);
        }
        if (!attributes.isRegularFile() && !isBlockDevice(path)) {
            throw new BlockOpenException(
                    path.toString(), "it is neither a file nor a block device", null);
        }
    }

    private static boolean isBlockDevice(Path path) throws IOException {
        if (!path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return false;
        }
        Object mode = Files.getAttribute(path, "unix:mode");
        return mode instanceof Integer bits && (bits & UNIX_TYPE_MASK) == UNIX_BLOCK_DEVICE;
    }
}
