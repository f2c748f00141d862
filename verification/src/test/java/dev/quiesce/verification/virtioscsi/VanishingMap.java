package dev.quiesce.verification.virtioscsi;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.SegmentSink;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Guest memory that fails: one page whose buffer refuses to be written, or, without a page, every
 * access throws.
 */
final class VanishingMap implements MemoryMap {
    private final MemoryMap rest;
    private final long pageAddress;
    private final @Nullable ByteBuffer page;

    VanishingMap(MemoryMap rest, long pageAddress, @Nullable ByteBuffer page) {
        this.rest = rest;
        this.pageAddress = pageAddress;
        this.page = page;
    }

    @Override
    public boolean covers(long address, long lengthBytes, boolean forWrite) {
        return isPage(address) || live().covers(address, lengthBytes, forWrite);
    }

    @Override
    public boolean holdsRing(long address, long lengthBytes, boolean forWrite) {
        return live().holdsRing(address, lengthBytes, forWrite);
    }

    @Override
    public int load16(long address) {
        return live().load16(address);
    }

    @Override
    public int load32(long address) {
        return live().load32(address);
    }

    @Override
    public long load64(long address) {
        return live().load64(address);
    }

    @Override
    public void store16(long address, int value) {
        live().store16(address, value);
    }

    @Override
    public void store32(long address, int value) {
        live().store32(address, value);
    }

    @Override
    public void store64(long address, long value) {
        live().store64(address, value);
    }

    @Override
    public int loadAcquire16(long address) {
        return live().loadAcquire16(address);
    }

    @Override
    public void storeRelease16(long address, int value) {
        live().storeRelease16(address, value);
    }

    @Override
    public void fullFence() {
        rest.fullFence();
    }

    @Override
    public boolean copyFromGuest(long address, byte[] target, int offset, int length) {
        return live().copyFromGuest(address, target, offset, length);
    }

    @Override
    public boolean copyToGuest(long address, byte[] source, int offset, int length) {
        return live().copyToGuest(address, source, offset, length);
    }

    @Override
    public boolean resolve(long address, long lengthBytes, boolean forWrite, SegmentSink sink) {
        ByteBuffer base = page;
        if (base != null && isPage(address)) {
            return sink.accept(base, (int) (address - pageAddress), (int) lengthBytes);
        }
        return live().resolve(address, lengthBytes, forWrite, sink);
    }

    @Override
    public boolean guestStoresOrdered() {
        return rest.guestStoresOrdered();
    }

    private boolean isPage(long address) {
        ByteBuffer base = page;
        return base != null && address >= pageAddress && address < pageAddress + base.capacity();
    }

    private MemoryMap live() {
        if (page == null) {
            throw new IllegalStateException("the embedder's memory is gone");
        }
        return rest;
    }
}
