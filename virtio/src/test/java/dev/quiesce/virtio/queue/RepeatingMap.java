package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;
import java.nio.ByteBuffer;

/** A map with one more region, too large for any test to allocate: it has segments but no bytes. */
final class RepeatingMap extends ForwardingMap {

    private static final int PART = 1 << 30;

    private final long first;
    private final long bytes;
    private final ByteBuffer none = ByteBuffer.allocate(0);

    RepeatingMap(MemoryMap map, long first, long bytes) {
        super(map);
        this.first = first;
        this.bytes = bytes;
    }

    @Override
    public boolean covers(long address, long lengthBytes, boolean forWrite) {
        return isVast(address, lengthBytes) || super.covers(address, lengthBytes, forWrite);
    }

    @Override
    public boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
        if (!isVast(address, lengthBytes)) {
            return super.resolve(address, lengthBytes, forWrite, sink);
        }
        for (long left = lengthBytes; left > 0; left -= PART) {
            if (!sink.accept(none, 0, (int) Math.min(left, PART))) {
                return false;
            }
        }
        return true;
    }

    private boolean isVast(long address, long lengthBytes) {
        return address >= first && address + lengthBytes <= first + bytes;
    }
}
