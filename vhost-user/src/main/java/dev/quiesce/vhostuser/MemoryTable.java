package dev.quiesce.vhostuser;

import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.io.FileDescriptor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory that a front end shares: its regions, mapped, and the translation of the addresses
 * that its rings are given in. Session thread.
 *
 * <p>Changes come in two steps, so that nothing is unmapped under a running queue: make the new
 * table's {@link #map}, let everybody change over, then {@link #releaseRemoved}.
 */
final class MemoryTable {
    /** How many regions a front end may have; never less in a later answer (VHU-13). */
    static final int SLOTS = 509;

    /** The most memory that is mapped at once: a mapping per GiB, of which a process has few. */
    static final long BYTES_MAX = 1L << 42;

    private List<MappedRegion> regions = new ArrayList<>();
    private final List<MappedRegion> removed = new ArrayList<>();

    /** The map of no memory at all. */
    static MemoryMap empty() {
        return RegionMap.builder().build();
    }

    /** What devices see: every region, each of which its owner may truncate (VHU-14). */
    MemoryMap map() {
        RegionMap.Builder builder = RegionMap.builder().mayBeTruncated(true);
        for (MappedRegion each : regions) {
            builder.add(each.region().guestAddress(), each.parts());
        }
        return builder.build();
    }

    /**
     * Replaces all regions (SET_MEM_TABLE). After a violation the table is as before.
     *
     * @param next the new regions, one to eight
     * @param descriptors a file for each; the caller closes them
     */
    void replace(List<Payload.Region> next, List<FileDescriptor> descriptors) throws Violation {
        if (next.isEmpty() || next.size() != descriptors.size()) {
            throw Violation.ofRequest(
                    next.size() + " regions with " + descriptors.size() + " descriptors");
        }
        List<MappedRegion> mapped = new ArrayList<>();
        try {
            for (int i = 0; i < next.size(); i++) {
                checkRoom(next.get(i), mapped);
                mapped.add(MappedRegion.map(descriptors.get(i), next.get(i)));
            }
        } catch (Violation e) {
            mapped.forEach(MappedRegion::release);
            throw e;
        }
        removed.addAll(regions);
        regions = mapped;
    }

    /** Adds one region (ADD_MEM_REG). After a violation the table is as before. */
    void add(Payload.Region region, FileDescriptor descriptor) throws Violation {
        if (regions.size() >= SLOTS) {
            throw Violation.ofRequest("more than " + SLOTS + " regions");
        }
        checkRoom(region, regions);
        regions.add(MappedRegion.map(descriptor, region));
    }

    /** Takes one region out (REM_MEM_REG); it must be there (VHU-13). */
    void remove(Payload.Region region) throws Violation {
        for (MappedRegion each : regions) {
            if (each.region().isSameMemory(region)) {
                regions.remove(each);
                removed.add(each);
                return;
            }
        }
        throw Violation.ofRequest("no region is " + region);
    }

    /** Takes all regions out. */
    void clear() {
        removed.addAll(regions);
        regions = new ArrayList<>();
    }

    /** Unmaps what was taken out. Nobody uses a map any more that was made before. */
    void releaseRemoved() {
        if (!removed.isEmpty()) {
            removed.forEach(MappedRegion::release);
            removed.clear();
            Unmapping.collectReleased();
        }
    }

    int count() {
        return regions.size();
    }

    long bytes() {
        return bytes(regions);
    }

    /**
     * The guest-physical address of a stretch that a ring is given in (VHU-10).
     *
     * @param userAddress address in the front end's process
     * @param lengthBytes its length, above zero
     * @return the address, or null if no region has the whole stretch
     */
    @Nullable Long guestAddress(long userAddress, long lengthBytes) {
        for (MappedRegion each : regions) {
            long offset = userAddress - each.region().userAddress();
            if (offset >= 0 && offset <= each.region().sizeBytes() - lengthBytes) {
                return each.region().guestAddress() + offset;
            }
        }
        return null;
    }

    private static long bytes(List<MappedRegion> regions) {
        long sum = 0;
        for (MappedRegion each : regions) {
            sum += each.region().sizeBytes();
        }
        return sum;
    }

    /** Overlap in either address space, or too much memory. */
    private static void checkRoom(Payload.Region region, List<MappedRegion> others)
            throws Violation {
        long limit = BYTES_MAX - bytes(others);
        if (Long.compareUnsigned(region.sizeBytes(), limit) > 0) {
            throw Violation.ofRequest(region + " passes the limit of 4 TiB");
        }
        for (MappedRegion each : others) {
            Payload.Region other = each.region();
            if (meet(region.guestAddress(), region.sizeBytes(),
                            other.guestAddress(), other.sizeBytes())
                    || meet(region.userAddress(), region.sizeBytes(),
                            other.userAddress(), other.sizeBytes())) {
                throw Violation.ofRequest(region + " overlaps " + other);
            }
        }
    }

    /** Whether two stretches have a byte in common; neither is judged yet, so both ways round. */
    private static boolean meet(long a, long aBytes, long b, long bBytes) {
        return Long.compareUnsigned(b - a, aBytes) < 0 || Long.compareUnsigned(a - b, bBytes) < 0;
    }
}
