package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;
import org.jspecify.annotations.Nullable;

/**
 * Walks the descriptors of one chain and judges them. Reads each descriptor once, into its
 * fields, and uses only the fields (VQ-12); visits at most as many as the table has entries.
 */
final class ChainReader {

    private final QueueConfig config;

    private long address;
    private long length;
    private int flags;
    private int next;

    ChainReader(QueueConfig config) {
        this.config = config;
    }

    /** Fills {@code into}, or leaves it empty and says why. */
    @Nullable QueueFault read(MemoryMap map, int head, Chain into) {
        into.begin(head, map);
        QueueFault defect = walkRing(map, head, into);
        if (defect != null) {
            into.clear();
        }
        return defect;
    }

    private @Nullable QueueFault walkRing(MemoryMap map, int head, Chain into) {
        int index = head;
        for (int count = 0; count < config.size(); count++) {
            fetch(map, config.descriptorAddress(), index);
            if (has(SplitLayout.DESC_INDIRECT)) {
                return walkTable(map, into); // only the last of a chain may have a table (VQ-14)
            }
            QueueFault defect = append(map, into);
            if (defect != null || !has(SplitLayout.DESC_NEXT)) {
                return defect;
            }
            if (next >= config.size()) {
                return QueueFault.NEXT_OUT_OF_RANGE;
            }
            index = next;
        }
        return QueueFault.CHAIN_LOOP;
    }

    /**
     * Continues in the table that the current descriptor refers to; its WRITE flag means nothing.
     */
    private @Nullable QueueFault walkTable(MemoryMap map, Chain into) {
        long table = address;
        long tableBytes = length;
        QueueFault refused = judgeTable(map);
        if (refused != null) {
            return refused;
        }
        int entries = (int) (tableBytes / SplitLayout.DESCRIPTOR_BYTES);
        int index = 0;
        for (int count = 0; count < entries; count++) {
            fetch(map, table, index);
            if (has(SplitLayout.DESC_INDIRECT)) {
                return QueueFault.INDIRECT_NESTED;
            }
            QueueFault defect = append(map, into);
            if (defect != null || !has(SplitLayout.DESC_NEXT)) {
                return defect;
            }
            if (next >= entries) {
                return QueueFault.NEXT_OUT_OF_RANGE;
            }
            index = next;
        }
        return QueueFault.CHAIN_LOOP;
    }

    private @Nullable QueueFault judgeTable(MemoryMap map) {
        if (!config.indirect()) {
            return QueueFault.INDIRECT_NOT_NEGOTIATED;
        }
        if (has(SplitLayout.DESC_NEXT)) {
            return QueueFault.INDIRECT_WITH_NEXT;
        }
        if (length == 0
                || length % SplitLayout.DESCRIPTOR_BYTES != 0
                || length > SplitLayout.descriptorBytes(config.size())) {
            return QueueFault.INDIRECT_LENGTH;
        }
        return map.covers(address, length, false) ? null : QueueFault.INDIRECT_UNMAPPED;
    }

    private @Nullable QueueFault append(MemoryMap map, Chain into) {
        return into.append(map, address, length, has(SplitLayout.DESC_WRITE));
    }

    private boolean has(int flag) {
        return (flags & flag) != 0;
    }

    private void fetch(MemoryMap map, long table, int index) {
        long at = table + (long) SplitLayout.DESCRIPTOR_BYTES * index;
        address = map.load64(at);
        long second = map.load64(at + SplitLayout.SECOND_WORD);
        length = second & 0xffff_ffffL;
        flags = (int) (second >>> SplitLayout.FLAGS_SHIFT) & 0xffff;
        next = (int) (second >>> SplitLayout.NEXT_SHIFT);
    }
}
