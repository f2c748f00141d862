package dev.quiesce.driver.file;

import dev.quiesce.aio.WorkItem;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.driver.BlockRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The work of one request on an image. Kept in the request it serves.
 *
 * <p>Threads: home context, except {@link #work} and what it calls, which runs on a worker. The
 * hand-over there and back orders the two; only the wish to stop crosses in between.
 */
final class FileTransfer extends WorkItem {
    /** Most bytes of one call to the host: the grain in which a request can be stopped. */
    private static final int CALL_BYTES_MAX = 1 << 20;
    private static final int VIEWS = 4;

    private final FileDriver driver;
    private final BlockRequest request;

    /** Channels move a buffer's position, so each region of memory gets a duplicate, kept. */
    private final @Nullable ByteBuffer[] bases = new @Nullable ByteBuffer[VIEWS];
    private final @Nullable ByteBuffer[] views = new @Nullable ByteBuffer[VIEWS];
    private int nextView;

    private int generation;
    private BlockStatus status = BlockStatus.OK;
    private @Nullable Throwable cause;

    /** Set by home, read by the worker between two calls to the host. */
    private volatile boolean stopping;

    FileTransfer(FileDriver driver, BlockRequest request) {
        this.driver = driver;
        this.request = request;
    }

    boolean isOf(FileDriver of) {
        return driver == of;
    }

    void begin() {
        generation = request.generation();
        stopping = false;
        status = BlockStatus.OK;
        cause = null;
        request.home().workers().submit(request.home(), this);
    }

    void stop() {
        if (!request.home().workers().cancel(this)) {
            stopping = true;
        }
    }

    @Override
    protected void work() {
        try {
            status = transfer(driver.image()) ? BlockStatus.OK : BlockStatus.CANCELLED;
        } catch (IOException e) {
            status = FileErrors.statusOf(e, driver.image().path(), request);
            cause = e;
        }
    }

    @Override
    protected void run() {
        assert generation == request.generation() : "completed meanwhile: " + request;
        if (isCancelled()) {
            request.complete(BlockStatus.CANCELLED, null);
        } else if (failure() != null) {
            request.complete(BlockStatus.IO_ERROR, failure());
        } else {
            request.complete(status, cause);
        }
    }

    @Override
    public String describe() {
        return "file transfer for " + request.describe();
    }

    /** False if it was stopped half way. */
    private boolean transfer(ImageFile image) throws IOException {
        switch (request.operation()) {
            case READ -> {
                return read(image);
            }
            case WRITE -> {
                return write(image);
            }
            case WRITE_ZEROES -> {
                return writeZeroes(image);
            }
            case FLUSH -> {
                image.flush();
                return true;
            }
            case TRUNCATE -> {
                driver.truncate(request.offsetBytes());
                return true;
            }
            default -> throw new IllegalStateException("not a transfer: " + request);
        }
    }

    private boolean read(ImageFile image) throws IOException {
        long offset = request.offsetBytes();
        long length = request.lengthBytes();
        long there = Math.max(0, Math.min(length, image.sizeBytes() - offset));
        IoVector payload = request.payload();
        if (!move(image, payload, there, false)) {
            return false;
        }
        payload.fillZero(there, length - there);
        return true;
    }

    private boolean write(ImageFile image) throws IOException {
        image.requireWhole();
        return move(image, request.payload(), request.lengthBytes(), true) && written(image);
    }

    private boolean writeZeroes(ImageFile image) throws IOException {
        image.requireWhole();
        ByteBuffer zeroes = viewOf(driver.zeroes());
        long length = request.lengthBytes();
        for (long done = 0; done < length; ) {
            if (stopping) {
                return false;
            }
            int part = (int) Math.min(zeroes.capacity(), length - done);
            zeroes.limit(part).position(0);
            image.write(zeroes, request.offsetBytes() + done);
            done += part;
        }
        return written(image);
    }

    private boolean written(ImageFile image) throws IOException {
        image.reached(request.offsetBytes() + request.lengthBytes());
        if (request.isFua()) {
            image.flush();
        }
        return true;
    }

    /** Moves the first bytes of the payload, segment by segment; false if stopped. */
    private boolean move(ImageFile image, IoVector payload, long bytes, boolean toImage)
            throws IOException {
        long at = request.offsetBytes();
        long end = at + bytes;
        for (int i = 0; at < end; i++) {
            int length = (int) Math.min(payload.length(i), end - at);
            for (int done = 0; done < length; ) {
                if (stopping) {
                    return false;
                }
                int part = Math.min(CALL_BYTES_MAX, length - done);
                ByteBuffer view = viewOf(payload.base(i));
                int from = payload.offset(i) + done;
                view.limit(from + part).position(from);
                if (toImage) {
                    image.write(view, at);
                } else {
                    image.read(view, at);
                }
                at += part;
                done += part;
            }
        }
        return true;
    }

    /** The duplicate of a region, with position 0 and no limit. */
    @SuppressWarnings("ReferenceEquality") // the same region, not equal bytes
    private ByteBuffer viewOf(ByteBuffer base) {
        for (int i = 0; i < VIEWS; i++) {
            ByteBuffer view = views[i];
            if (bases[i] == base && view != null) {
                return view.clear();
            }
        }
        ByteBuffer view = base.duplicate().clear();
        bases[nextView] = base;
        views[nextView] = view;
        nextView = (nextView + 1) % VIEWS;
        return view;
    }
}
