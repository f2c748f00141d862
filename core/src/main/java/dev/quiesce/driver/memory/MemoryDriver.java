package dev.quiesce.driver.memory;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.NodeAccess;
import java.nio.ByteBuffer;

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
     *
     * A truncate to less lowers the length first, then drops what is behind it. A writer that had
     * seen the old length may still store there afterwards; so a truncate to more drops everything
     * behind the old end once more before it raises the length. Truncates exclude each other.
     */
    private final MemoryConfig config;
    private final BlockLimits limits;
    private final ChunkTable chunks = new ChunkTable();

    /** Written under the monitor, read by any. */
    private volatile long lengthBytes;

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
        this.lengthBytes = config.lengthBytes();
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
        return lengthBytes;
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
        return chunks.count() * config.chunkBytes();
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
        chunks.dropFrom(0);
    }

    private BlockStatus serve(BlockRequest request) {
        if (!request.isWithin(lengthBytes)) {
            return BlockStatus.INVALID;
        }
        long offset = request.offsetBytes();
        long length = request.lengthBytes();
        switch (request.operation()) {
            case READ -> read(offset, length, request.payload());
            case WRITE -> write(offset, length, request.payload());
            case WRITE_ZEROES, DISCARD -> zero(offset, length);
            case FLUSH -> { }
            case TRUNCATE -> {
                return truncate(offset);
            }
            case STATUS, COPY -> {
                return BlockStatus.NOT_SUPPORTED;
            }
        }
        return BlockStatus.OK;
    }

    private synchronized BlockStatus truncate(long bytes) {
        if (!config.canHold(bytes)) {
            return BlockStatus.INVALID;
        }
        long before = lengthBytes;
        if (bytes < before) {
            lengthBytes = bytes;
        }
        forgetFrom(Math.min(before, bytes));
        lengthBytes = bytes;
        return BlockStatus.OK;
    }

    /** Everything from here on reads as zeroes, whatever the length is. */
    private void forgetFrom(long offset) {
        int within = withinChunk(offset);
        if (within > 0) {
            zero(offset, config.chunkBytes() - within);
        }
        chunks.dropFrom((int) ((offset + config.chunkBytes() - 1) / config.chunkBytes()));
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
                chunks.drop(indexOf(at));
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
        return chunks.publish(index, fresh);
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
