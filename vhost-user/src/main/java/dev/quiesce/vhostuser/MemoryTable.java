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
     * Replaces all regions (SET_MEM_TABLE). After a violation the table is as before; what was
     * mapped until then counts as removed.
     *
     * @param next the new regions, one to eight
     * @param descriptors a file for each; the caller closes them
     */
    void replace(List<Payload.Region> next, List<FileDescriptor> descriptors) throws Violation {
        if (next.isEmpty() || next.size() != descriptors.size()) {
            throw Violation.ofRequest(
                    next.size() + " regions with " + descriptors.size() + " descriptors");
        }
        for (int i = 0; i < next.size(); i++) { // all of them, before the first is mapped
            check(next.get(i), next.subList(0, i));
        }
        List<MappedRegion> mapped = new ArrayList<>();
        try {
            for (int i = 0; i < next.size(); i++) {
                mapped.add(new MappedRegion(next.get(i)));
                mapped.get(i).map(descriptors.get(i));
            }
        } catch (Violation e) {
            removed.addAll(mapped);
            throw e;
        }
        removed.addAll(regions);
        regions = mapped;
    }

    /**
     * Adds one region (ADD_MEM_REG). After a violation the table is as before; what was mapped
     * until then counts as removed.
     */
    void add(Payload.Region region, FileDescriptor descriptor) throws Violation {
        if (regions.size() >= SLOTS) {
            throw Violation.ofRequest("more than " + SLOTS + " regions");
        }
        check(region, regions.stream().map(MappedRegion::region).toList());
        MappedRegion next = new MappedRegion(region);
        try {
            next.map(descriptor);
        } catch (Violation e) {
            removed.add(next);
            throw e;
        }
        regions.add(next);
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

    /** Something else that was mapped goes with what was taken out. */
    void discard(MappedRegion region) {
        removed.add(region);
    }

    /** Unmaps what was taken out. Nobody uses a map any more that was made before. */
    void releaseRemoved() {
        if (!removed.isEmpty()) {
            long mappings = 0;
            for (MappedRegion each : removed) {
                mappings += each.parts().size();
                each.release();
            }
            removed.clear(); // before anybody looks for what can be unmapped
            Unmapping.collectReleased(mappings);
        }
    }

    int count() {
        return regions.size();
    }

    long bytes() {
        return bytes(regions.stream().map(MappedRegion::region).toList());
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

    private static long bytes(List<Payload.Region> regions) {
        long sum = 0;
        for (Payload.Region each : regions) {
            sum += each.sizeBytes();
        }
        return sum;
    }

    /** Numbers that cannot be, overlap in either address space, or too much memory. */
    private static void check(Payload.Region region, List<Payload.Region> others)
            throws Violation {
        MappedRegion.checkArithmetic(region);
        long limit = BYTES_MAX - bytes(others);
        if (Long.compareUnsigned(region.sizeBytes(), limit) > 0) {
            throw Violation.ofRequest(region + " passes the limit of 4 TiB");
        }
        for (Payload.Region other : others) {
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
