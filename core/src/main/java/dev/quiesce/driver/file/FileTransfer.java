package dev.quiesce.driver.file;

import dev.quiesce.aio.WorkItem;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.driver.BlockRequest;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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

    /**
     * Channels move a buffer's position, so each region of memory gets a duplicate. Kept until the
     * next collection only: a region that is mapped stays mapped for as long as it has a view, and
     * this object may be out of use for hours.
     */
    private final List<WeakReference<View>> views = new ArrayList<>(VIEWS);
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
            status = transfer(driver.image());
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

    /** {@code CANCELLED} if it was stopped half way, {@code INVALID} if its range was cut off. */
    private BlockStatus transfer(ImageFile image) throws IOException {
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
                return BlockStatus.OK;
            }
            case TRUNCATE -> {
                driver.truncate(request.offsetBytes());
                return BlockStatus.OK;
            }
            default -> throw new IllegalStateException("not a transfer: " + request);
        }
    }

    private BlockStatus read(ImageFile image) throws IOException {
        long offset = request.offsetBytes();
        long length = request.lengthBytes();
        long there = Math.max(0, Math.min(length, image.sizeBytes() - offset));
        BlockStatus moved = readBytes(image, request.payload(), there);
        if (!moved.isOk()) {
            return moved;
        }
        if (there < length && !request.isWithin(driver.lengthBytes())) {
            return BlockStatus.INVALID;
        }
        request.payload().fillZero(there, length - there);
        return BlockStatus.OK;
    }

    private BlockStatus write(ImageFile image) throws IOException {
        image.requireWhole();
        try {
            return writeBytes(image, request.payload()) ? written(image) : BlockStatus.CANCELLED;
        } finally {
            image.ended(endBytes());
        }
    }

    private BlockStatus writeZeroes(ImageFile image) throws IOException {
        image.requireWhole();
        try {
            return writeZeroBytes(image) ? written(image) : BlockStatus.CANCELLED;
        } finally {
            image.ended(endBytes());
        }
    }

    private BlockStatus written(ImageFile image) throws IOException {
        image.reached(endBytes());
        if (request.isFua()) {
            image.flush();
        }
        return BlockStatus.OK;
    }

    private long endBytes() {
        return request.offsetBytes() + request.lengthBytes();
    }

    /** False if stopped. */
    private boolean writeZeroBytes(ImageFile image) throws IOException {
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
        return true;
    }

    /** Fills the first bytes of the payload, segment by segment. */
    private BlockStatus readBytes(ImageFile image, IoVector payload, long bytes)
            throws IOException {
        long at = request.offsetBytes();
        long end = at + bytes;
        for (int i = 0; at < end; i++) {
            int length = (int) Math.min(payload.length(i), end - at);
            for (int done = 0; done < length; ) {
                if (stopping) {
                    return BlockStatus.CANCELLED;
                }
                int part = Math.min(CALL_BYTES_MAX, length - done);
                if (!image.read(viewOf(payload, i, done, part), at)) {
                    return BlockStatus.INVALID;
                }
                at += part;
                done += part;
            }
        }
        return BlockStatus.OK;
    }

    /** Stores the whole payload, segment by segment; false if stopped. */
    private boolean writeBytes(ImageFile image, IoVector payload) throws IOException {
        long at = request.offsetBytes();
        long end = endBytes();
        for (int i = 0; at < end; i++) {
            int length = (int) Math.min(payload.length(i), end - at);
            for (int done = 0; done < length; ) {
                if (stopping) {
                    return false;
                }
                int part = Math.min(CALL_BYTES_MAX, length - done);
                image.write(viewOf(payload, i, done, part), at);
                at += part;
                done += part;
            }
        }
        return true;
    }

    private ByteBuffer viewOf(IoVector payload, int segment, int skip, int bytes) {
        ByteBuffer view = viewOf(payload.base(segment));
        int from = payload.offset(segment) + skip;
        return view.limit(from + bytes).position(from);
    }

    /** The duplicate of a region, with position 0 and no limit. */
    @SuppressWarnings("ReferenceEquality") // the same region, not equal bytes
    private ByteBuffer viewOf(ByteBuffer base) {
        for (int i = 0; i < views.size(); i++) {
            View view = views.get(i).get();
            if (view != null && view.base == base) {
                return view.duplicate.clear();
            }
        }
        View view = new View(base, base.duplicate());
        if (views.size() < VIEWS) {
            views.add(new WeakReference<>(view));
        } else {
            views.set(nextView, new WeakReference<>(view));
            nextView = (nextView + 1) % VIEWS;
        }
        return view.duplicate.clear();
    }

    /**
     * A region of memory.
     *
     * @param base the region, never moved
     * @param duplicate the same memory, which has a position of its own
     */
    private record View(ByteBuffer base, ByteBuffer duplicate) {
    }
}
