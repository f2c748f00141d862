package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;
import org.jspecify.annotations.Nullable;

/**
 * What a driver wrote into a queue's registers, and the features it negotiated.
 *
 * <p>The values are the guest's, so making a configuration never fails; {@link #defect} judges it.
 *
 * @param size number of entries, chosen by the driver
 * @param descriptorAddress guest address of the descriptor table
 * @param availAddress guest address of the available ring (driver area)
 * @param usedAddress guest address of the used ring (device area)
 * @param features the negotiated feature bits of the device; bits that do not concern rings are
 *     ignored
 */
public record QueueConfig(
        int size, long descriptorAddress, long availAddress, long usedAddress, long features) {

    /** The largest size that the standard allows. */
    public static final int SIZE_MAX = 32768;

    /**
     * Feature bit 24, legacy: interrupt when the ring ran empty, whatever the driver suppressed.
     */
    public static final long NOTIFY_ON_EMPTY = 1L << 24;

    /** Feature bit 28: descriptors may refer to tables of descriptors. */
    public static final long INDIRECT_DESC = 1L << 28;

    /** Feature bit 29: each side says at which index it wants to be told. */
    public static final long EVENT_IDX = 1L << 29;

    /**
     * Whether indirect tables were negotiated. Any thread.
     *
     * @return whether indirect tables are allowed
     */
    public boolean indirect() {
        return (features & INDIRECT_DESC) != 0;
    }

    /**
     * Whether event indices were negotiated. Any thread.
     *
     * @return whether notifications go by event index instead of flags
     */
    public boolean eventIdx() {
        return (features & EVENT_IDX) != 0;
    }

    boolean notifyOnEmpty() {
        return (features & NOTIFY_ON_EMPTY) != 0;
    }

    /**
     * Judges the configuration against a memory, without touching the memory (VQ-1, VQ-3, VQ-6,
     * VQ-38). Any thread.
     *
     * @param map the memory the rings are to live in
     * @return the defect that a queue with this configuration starts with, or null
     */
    public @Nullable QueueFault defect(MemoryMap map) {
        if (size <= 0 || size > SIZE_MAX || Integer.bitCount(size) != 1) {
            return QueueFault.RING_SIZE;
        }
        if (descriptorAddress % SplitLayout.DESCRIPTOR_ALIGNMENT != 0
                || availAddress % SplitLayout.AVAIL_ALIGNMENT != 0
                || usedAddress % SplitLayout.USED_ALIGNMENT != 0) {
            return QueueFault.RING_MISALIGNED;
        }
        boolean mapped = map.holdsRing(descriptorAddress, SplitLayout.descriptorBytes(size), false)
                && map.holdsRing(availAddress, SplitLayout.availBytes(size, eventIdx()), false)
                && map.holdsRing(usedAddress, SplitLayout.usedBytes(size, eventIdx()), true);
        return mapped ? null : QueueFault.RING_UNMAPPED;
    }
}
