package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One popped chain: a part the device may read, then a part it may write, each as host segments.
 *
 * <p>The chain is a private copy. Nothing the driver writes into descriptors or rings afterwards
 * changes it, and it keeps the memory map it was resolved against (VQ-12, VQ-42). The buffers'
 * bytes are the driver's own and may change at any time: copy what you judge.
 *
 * <p>Re-used: embed one per command record, pop into it again and again; its arrays grow to the
 * longest chain seen, then nothing allocates. Confined to the owner of its queue, except that
 * segments handed out may be read and written by whoever does the I/O until the chain is pushed.
 */
public final class Chain {

    /** Host segments a chain may have, both parts together (MAL-10). */
    public static final int SEGMENTS_MAX = 1024;

    private static final long BYTES_MAX = 1L << 32;

    private final SegmentList readable = new SegmentList();
    private final SegmentList writable = new SegmentList();
    private int head = Virtqueue.NOTHING;
    private @Nullable MemoryMap memory;

    /** Makes an empty chain. Any thread. */
    public Chain() {
    }

    /**
     * The chain's name on its queue.
     *
     * @return the head, or {@link Virtqueue#NOTHING} if empty
     */
    public int head() {
        return head;
    }

    /**
     * Length of the part the device may read.
     *
     * @return bytes, 0 to 2^32
     */
    public long readableBytes() {
        return readable.bytes();
    }

    /**
     * Length of the part the device may write.
     *
     * @return bytes, 0 to 2^32
     */
    public long writableBytes() {
        return writable.bytes();
    }

    /**
     * Host segments of the readable part.
     *
     * @return 0 to {@link #SEGMENTS_MAX}
     */
    public int readableSegments() {
        return readable.count();
    }

    /**
     * Host segments of the writable part.
     *
     * @return 0 to {@link #SEGMENTS_MAX}
     */
    public int writableSegments() {
        return writable.count();
    }

    /**
     * The memory map the segments belong to.
     *
     * @return the snapshot, or null if the chain is empty
     */
    public @Nullable MemoryMap memory() {
        return memory;
    }

    /**
     * Copies bytes out of the readable part, a header for example.
     *
     * @param offset where in the part
     * @param target receives the bytes
     * @param at index of the first in {@code target}
     * @param length how many
     * @return false if the part is shorter: nothing was copied
     * @throws GuestMemoryFault if guest memory failed
     */
    public boolean copyFromReadable(long offset, byte[] target, int at, int length) {
        Objects.checkFromIndexSize(at, length, target.length);
        if (!readable.contains(offset, length)) {
            return false;
        }
        try {
            readable.copyTo(offset, target, at, length);
            surfaceFaults();
        } catch (RuntimeException | InternalError failure) {
            throw new GuestMemoryFault("cannot read " + length + " bytes of a chain", failure);
        }
        return true;
    }

    /**
     * Copies bytes into the writable part, a response for example.
     *
     * @param offset where in the part
     * @param source has the bytes
     * @param at index of the first in {@code source}
     * @param length how many
     * @return false if the part is shorter: nothing was copied
     * @throws GuestMemoryFault if guest memory failed
     */
    public boolean copyToWritable(long offset, byte[] source, int at, int length) {
        Objects.checkFromIndexSize(at, length, source.length);
        if (!writable.contains(offset, length)) {
            return false;
        }
        try {
            writable.copyFrom(offset, source, at, length);
            surfaceFaults();
        } catch (RuntimeException | InternalError failure) {
            throw new GuestMemoryFault("cannot write " + length + " bytes of a chain", failure);
        }
        return true;
    }

    /**
     * Enumerates a sub-range of the readable part, for the caller's own I/O vector.
     *
     * @param offset where in the part
     * @param lengthBytes how many bytes; zero enumerates nothing
     * @param sink called once per segment, in order
     * @return false if the part is shorter (the sink was not called), or the sink said stop
     */
    public boolean readable(long offset, long lengthBytes, SegmentSink sink) {
        return readable.contains(offset, lengthBytes)
                && readable.forEach(offset, lengthBytes, sink);
    }

    /**
     * Enumerates a sub-range of the writable part, for the caller's own I/O vector.
     *
     * @param offset where in the part
     * @param lengthBytes how many bytes; zero enumerates nothing
     * @param sink called once per segment, in order
     * @return false if the part is shorter (the sink was not called), or the sink said stop
     */
    public boolean writable(long offset, long lengthBytes, SegmentSink sink) {
        return writable.contains(offset, lengthBytes)
                && writable.forEach(offset, lengthBytes, sink);
    }

    /** Forgets the chain, its segments and its memory map; the arrays stay for re-use. */
    public void clear() {
        head = Virtqueue.NOTHING;
        memory = null;
        readable.clear();
        writable.clear();
    }

    private void surfaceFaults() {
        if (memory != null) {
            memory.surfaceFaults();
        }
    }

    void begin(int newHead, MemoryMap map) {
        clear();
        head = newHead;
        memory = map;
    }

    /** Appends a buffer the driver described; the rules about order and size are judged here. */
    @Nullable QueueFault append(MemoryMap map, long address, long lengthBytes, boolean forWrite) {
        if (lengthBytes == 0) {
            return QueueFault.EMPTY_DESCRIPTOR;
        }
        if (!forWrite && writable.count() > 0) {
            return QueueFault.READABLE_AFTER_WRITABLE;
        }
        if (readable.bytes() + writable.bytes() + lengthBytes > BYTES_MAX) {
            return QueueFault.CHAIN_TOO_LONG;
        }
        SegmentList part = forWrite ? writable : readable;
        part.limitTo(SEGMENTS_MAX - (forWrite ? readable : writable).count());
        if (map.resolve(address, lengthBytes, forWrite, part)) {
            return null;
        }
        return part.isFull() ? QueueFault.TOO_MANY_SEGMENTS : QueueFault.BUFFER_UNMAPPED;
    }
}
