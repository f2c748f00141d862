package dev.quiesce.virtio.queue;

import dev.quiesce.virtio.memory.MemoryMap;
import java.util.HashMap;
import java.util.Map;

/** Counts loads by address. */
final class CountingMap extends ForwardingMap {

    final Map<Long, Integer> loads = new HashMap<>();

    CountingMap(MemoryMap map) {
        super(map);
    }

    @Override
    void onLoad(long address) {
        loads.merge(address, 1, Integer::sum);
    }
}
