package dev.quiesce.driver.memory;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the bytes in memory, in chunks that exist from their first write until they are zeroed or
 * discarded whole. Every request completes inside submit. A flush has nothing to do: the content
 * ends with the driver. When the JVM has no memory left a write fails with {@code NO_SPACE}.
 *
 * <p>Concurrent. Requests that overlap in time and range leave each byte as one of them wanted it.
 */
public final class MemoryDriver implements BlockDriver {
    /*
     * A slot of the table is null (reads as zeroes) or a chunk. Writers that find null race to
     * publish a zeroed chunk by compare-and-set; the losers use the winner's. Zeroing a whole chunk
     * stores null. A writer that still holds the dropped chunk overlaps that zeroing in time and
     * in range, so "zeroed last" is a right outcome for every byte of it. The bytes themselves are
     * plain: two requests are ordered by whoever waited for the first before sending the second.
     */
    private final MemoryConfig config;
    private final BlockLimits limits;
    private final AtomicReferenceArray<@Nullable ByteBuffer> chunks;

    /**
     * Makes a driver on the Java heap, all zeroes.
     *
     * <p>Thread: any.
     *
     * @param lengthBytes how long it is
     */
    public MemoryDriver(long lengthBytes) {
        this(MemoryConfig.heap(lengthBytes));
    }

    /**
     * Makes a driver, all zeroes.
     *
     * <p>Thread: any.
     *
     * @param config how it keeps its bytes
     */
    public MemoryDriver(MemoryConfig config) {
        this.config = config;
        this.limits = BlockLimits.unlimited().withDiscard(config.chunkBytes(), true);
        long count = (config.lengthBytes() + config.chunkBytes() - 1) / config.chunkBytes();
        this.chunks = new AtomicReferenceArray<>((int) count);
    }

    @Override
    public String type() {
        return "memory";
    }

    @Override
    public BlockLimits limits() {
        return limits;
    }

    @Override
    public long lengthBytes() {
        return config.lengthBytes();
    }

    @Override
    public boolean concurrent() {
        return true;
    }

    /**
     * How much memory the chunks take.
     *
     * <p>Thread: any.
     *
     * @return the bytes of all chunks that exist now
     */
    public long allocatedBytes() {
        long bytes = 0;
        for (int i = 0; i < chunks.length(); i++) {
            bytes += chunks.get(i) == null ? 0 : config.chunkBytes();
        }
        return bytes;
    }

    @Override
    public void submit(BlockRequest request, NodeAccess node) {
        BlockStatus status;
        Throwable cause = null;
        try {
            status = serve(request);
        } catch (OutOfMemoryError e) {
            status = BlockStatus.NO_SPACE;
            cause = e;
        }
        request.complete(status, cause);
    }

    @Override
    public void close() {
        for (int i = 0; i < chunks.length(); i++) {
            chunks.set(i, null);
        }
    }

    private BlockStatus serve(BlockRequest request) {
        if (!request.isWithin(config.lengthBytes())) {
            return BlockStatus.INVALID;
        }
        long offset = request.offsetBytes();
        long length = request.lengthBytes();
        switch (request.operation()) {
            case READ -> read(offset, length, request.payload());
            case WRITE -> write(offset, length, request.payload());
            case WRITE_ZEROES, DISCARD -> zero(offset, length);
            case FLUSH -> { }
            case TRUNCATE, STATUS, COPY -> {
                return BlockStatus.NOT_SUPPORTED;
            }
        }
        return BlockStatus.OK;
    }

    private void read(long offset, long length, IoVector payload) {
        for (long done = 0; done < length; ) {
            long at = offset + done;
            int part = partBytes(at, length - done);
            ByteBuffer chunk = chunks.get(indexOf(at));
            if (chunk == null) {
                payload.fillZero(done, part);
            } else {
                payload.copyFrom(done, chunk, withinChunk(at), part);
            }
            done += part;
        }
    }

    private void write(long offset, long length, IoVector payload) {
        for (long done = 0; done < length; ) {
            long at = offset + done;
            int part = partBytes(at, length - done);
            payload.copyTo(done, chunkFor(indexOf(at)), withinChunk(at), part);
            done += part;
        }
    }

    private void zero(long offset, long length) {
        for (long done = 0; done < length; ) {
            long at = offset + done;
            int part = partBytes(at, length - done);
            ByteBuffer chunk = chunks.get(indexOf(at));
            if (chunk != null && part == config.chunkBytes()) {
                chunks.set(indexOf(at), null);
            } else if (chunk != null) {
                IoVector.zero(chunk, withinChunk(at), part);
            }
            done += part;
        }
    }

    private ByteBuffer chunkFor(int index) {
        ByteBuffer chunk = chunks.get(index);
        if (chunk != null) {
            return chunk;
        }
        ByteBuffer fresh = config.direct()
                ? ByteBuffer.allocateDirect(config.chunkBytes())
                : ByteBuffer.allocate(config.chunkBytes());
        // Sequentially consistent: publishes the zeroed chunk; of two writers one wins.
        ByteBuffer winner = chunks.compareAndExchange(index, null, fresh);
        return winner == null ? fresh : winner;
    }

    private int indexOf(long offset) {
        return (int) (offset / config.chunkBytes());
    }

    private int withinChunk(long offset) {
        return (int) (offset & (config.chunkBytes() - 1));
    }

    private int partBytes(long offset, long left) {
        return (int) Math.min(left, config.chunkBytes() - withinChunk(offset));
    }
}
