package dev.quiesce.vhostuser;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * One region of a front end's memory, mapped. Session thread; the buffers may be used by any
 * thread until {@link #release}.
 */
final class MappedRegion {
    /**
     * Where regions are cut into buffers: at multiples of this in guest-physical space, where a
     * guest whose allocator aligns blocks to their size has nothing that lies across.
     */
    static final long PART_BYTES = 1L << 30;

    private final Payload.Region region;
    private final List<ByteBuffer> parts = new ArrayList<>();
    private final Unmapping mapping = Unmapping.begin();

    /** A region of which nothing is mapped yet. Its numbers are in order. */
    MappedRegion(Payload.Region region) {
        this.region = region;
    }

    /**
     * Maps the region. The descriptor stays the caller's, and may be closed afterwards (VHU-9).
     * Whatever comes of it, {@link #release} is the caller's duty.
     *
     * @throws Violation if the file is shorter than the region or cannot be mapped
     */
    void map(FileDescriptor descriptor) throws Violation {
        try (FileChannel file = PassedFile.open(descriptor)) {
            long size = file.size();
            if (size < region.fileOffset() + region.sizeBytes()) {
                throw Violation.ofRequest("a file of " + size + " bytes for " + region);
            }
            mapParts(file);
        } catch (IOException | RuntimeException e) {
            throw Violation.ofRequest(region + " cannot be mapped: " + e);
        }
    }

    Payload.Region region() {
        return region;
    }

    /** The bytes, one buffer after the other without a gap. */
    List<ByteBuffer> parts() {
        return parts;
    }

    /** Unmaps. The caller has settled whoever used the buffers. */
    void release() {
        mapping.release();
    }

    /**
     * Looks at the numbers of a region.
     *
     * @throws Violation if it is empty, or passes the end of an address space
     */
    static void checkArithmetic(Payload.Region region) throws Violation {
        long size = region.sizeBytes();
        boolean sane = size > 0
                && region.fileOffset() >= 0
                && region.fileOffset() <= Long.MAX_VALUE - size
                && !wraps(region.guestAddress(), size)
                && !wraps(region.userAddress(), size);
        if (!sane) {
            throw Violation.ofRequest("a region of " + region);
        }
    }

    private static boolean wraps(long address, long sizeBytes) {
        return Long.compareUnsigned(address + sizeBytes - 1, address) < 0;
    }

    private void mapParts(FileChannel file) throws IOException {
        long done = 0;
        while (done < region.sizeBytes()) {
            long address = region.guestAddress() + done;
            long toBorder = PART_BYTES - (address & (PART_BYTES - 1));
            long length = Math.min(toBorder, region.sizeBytes() - done);
            parts.add(mapping.map(file, region.fileOffset() + done, length));
            done += length;
        }
    }
}
