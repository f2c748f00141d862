package dev.quiesce.verification.virtioscsi;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Guest memory that fails: one page whose buffer refuses to be written, or, without a page, every
 * access throws.
 */
class VanishingMap extends ForwardingMap {
    private final long pageAddress;
    private final @Nullable ByteBuffer page;

    VanishingMap(MemoryMap rest, long pageAddress, @Nullable ByteBuffer page) {
        super(rest);
        this.pageAddress = pageAddress;
        this.page = page;
    }

    @Override
    public boolean covers(long address, long lengthBytes, boolean forWrite) {
        return isPage(address) || super.covers(address, lengthBytes, forWrite);
    }

    @Override
    public boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
        ByteBuffer base = page;
        if (base != null && isPage(address)) {
            return sink.accept(base, (int) (address - pageAddress), (int) lengthBytes);
        }
        return super.resolve(address, lengthBytes, forWrite, sink);
    }

    @Override
    public void fullFence() {
        // Even memory that is gone has an order.
    }

    @Override
    public boolean guestStoresOrdered() {
        return true;
    }

    private boolean isPage(long address) {
        ByteBuffer base = page;
        return base != null && address >= pageAddress && address < pageAddress + base.capacity();
    }

    @Override
    MemoryMap live() {
        if (page == null) {
            throw new IllegalStateException("the embedder's memory is gone");
        }
        return super.live();
    }
}
