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
    private final List<ByteBuffer> parts;
    private final Unmapping mapping;

    private MappedRegion(Payload.Region region, List<ByteBuffer> parts, Unmapping mapping) {
        this.region = region;
        this.parts = parts;
        this.mapping = mapping;
    }

    /**
     * Maps a region. The descriptor stays the caller's, and may be closed afterwards (VHU-9).
     *
     * @throws Violation if the region is empty, passes the end of an address space, or the file is
     *     shorter than the region or cannot be mapped
     */
    static MappedRegion map(FileDescriptor descriptor, Payload.Region region) throws Violation {
        checkArithmetic(region);
        Unmapping mapping = Unmapping.begin();
        try (FileChannel file = PassedFile.open(descriptor)) {
            long size = file.size();
            if (size < region.fileOffset() + region.sizeBytes()) {
                throw Violation.ofRequest("a file of " + size + " bytes for " + region);
            }
            return new MappedRegion(region, parts(file, region, mapping), mapping);
        } catch (IOException | RuntimeException e) {
            mapping.release();
            throw Violation.ofRequest(region + " cannot be mapped: " + e);
        } catch (Violation e) {
            mapping.release();
            throw e;
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

    private static void checkArithmetic(Payload.Region region) throws Violation {
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

    private static List<ByteBuffer> parts(
            FileChannel file, Payload.Region region, Unmapping mapping) throws IOException {
        List<ByteBuffer> parts = new ArrayList<>();
        long done = 0;
        while (done < region.sizeBytes()) {
            long address = region.guestAddress() + done;
            long toBorder = PART_BYTES - (address & (PART_BYTES - 1));
            long length = Math.min(toBorder, region.sizeBytes() - done);
            parts.add(mapping.map(file, region.fileOffset() + done, length));
            done += length;
        }
        return parts;
    }
}
