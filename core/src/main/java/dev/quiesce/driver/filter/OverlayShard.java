package dev.quiesce.driver.filter;

import dev.quiesce.block.IoVector;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One stripe of an overlay's clusters, with its lock. Any thread. Each call works inside one
 * cluster, so the lock is held for a copy of at most one cluster, and never while calling a node.
 */
final class OverlayShard {
    /*
     * Open addressing, linear probing, at most half full, never removed from: a cluster once known
     * stays known. Keys are cluster numbers plus one, 0 is an empty slot. Everything is guarded by
     * this shard's monitor. Copying under it keeps "which sectors are here" and "their bytes" one
     * state: no reader finds a sector marked whose bytes are not yet there.
     */
    private static final int SLOTS_AT_FIRST = 16;
    private static final int BYTE_SHIFT = 9;

    private final OverlaySpace space;
    private long[] keys = new long[SLOTS_AT_FIRST];
    private @Nullable OverlayCluster[] values = new @Nullable OverlayCluster[SLOTS_AT_FIRST];
    private int count;

    OverlayShard(OverlaySpace space) {
        this.space = space;
    }

    /** How many sectors from here on, at most {@code limit}, are the base's. */
    synchronized int baseRun(long number, int sector, int limit) {
        OverlayCluster cluster = find(number);
        return cluster == null ? limit : cluster.baseRun(sector, limit);
    }

    /** Copies a run of sectors held here into the payload; returns how many, 0 if it is base. */
    synchronized int copyRun(long number, int sector, int limit, IoVector payload, long skip) {
        OverlayCluster cluster = find(number);
        if (cluster == null) {
            return 0;
        }
        int zeroes = cluster.zeroRun(sector, limit);
        if (zeroes > 0) {
            payload.fillZero(skip, (long) zeroes << BYTE_SHIFT);
            return zeroes;
        }
        int run = cluster.dataRun(sector, limit);
        if (run > 0) {
            payload.copyFrom(skip, cluster.data(), sector << BYTE_SHIFT, run << BYTE_SHIFT);
        }
        return run;
    }

    /** Stores sectors; false if there is no space for them. */
    synchronized boolean write(long number, int sector, int sectors, IoVector payload, long skip) {
        OverlayCluster cluster = findOrAdd(number);
        if (cluster == null || !allocate(cluster)) {
            return false;
        }
        payload.copyTo(skip, cluster.data(), sector << BYTE_SHIFT, sectors << BYTE_SHIFT);
        cluster.markData(sector, sectors);
        return true;
    }

    /** Makes sectors zero; false if there is no space to remember that. */
    synchronized boolean zero(long number, int sector, int sectors) {
        OverlayCluster cluster = findOrAdd(number);
        if (cluster == null) {
            return false;
        }
        if (cluster.markZero(sector, sectors)) {
            space.giveBack(OverlayCluster.BYTES);
        }
        return true;
    }

    /** Makes every sector from an offset on that is held here read as zeroes. */
    synchronized void zeroFrom(long offset) {
        for (int slot = 0; slot < keys.length; slot++) {
            OverlayCluster cluster = values[slot];
            long start = (keys[slot] - 1) * OverlayCluster.BYTES;
            if (cluster == null || start + OverlayCluster.BYTES <= offset) {
                continue;
            }
            int sector = (int) (Math.max(0, offset - start) >> BYTE_SHIFT);
            if (cluster.markZero(sector, OverlayCluster.SECTORS - sector)) {
                space.giveBack(OverlayCluster.BYTES);
            }
        }
    }

    /** Forgets everything and gives its space back. */
    synchronized void clear() {
        for (OverlayCluster cluster : values) {
            if (cluster != null) {
                space.giveBack(OverlayCluster.ENTRY_BYTES
                        + (cluster.hasData() ? OverlayCluster.BYTES : 0));
            }
        }
        keys = new long[SLOTS_AT_FIRST];
        values = new @Nullable OverlayCluster[SLOTS_AT_FIRST];
        count = 0;
    }

    private boolean allocate(OverlayCluster cluster) {
        if (cluster.hasData()) {
            return true;
        }
        if (!space.take(OverlayCluster.BYTES)) {
            return false;
        }
        boolean held = false;
        try {
            cluster.holdIn(ByteBuffer.allocate(OverlayCluster.BYTES));
            held = true;
        } finally {
            if (!held) {
                space.giveBack(OverlayCluster.BYTES);
            }
        }
        return true;
    }

    private @Nullable OverlayCluster find(long number) {
        return values[slotOf(keys, number + 1)];
    }

    private @Nullable OverlayCluster findOrAdd(long number) {
        OverlayCluster known = find(number);
        if (known != null) {
            return known;
        }
        if (!space.take(OverlayCluster.ENTRY_BYTES)) {
            return null;
        }
        if (count * 2 >= keys.length) {
            grow();
        }
        OverlayCluster cluster = new OverlayCluster();
        int slot = slotOf(keys, number + 1);
        keys[slot] = number + 1;
        values[slot] = cluster;
        count++;
        return cluster;
    }

    private void grow() {
        long[] moreKeys = new long[keys.length * 2];
        @Nullable OverlayCluster[] moreValues = new @Nullable OverlayCluster[moreKeys.length];
        for (int i = 0; i < keys.length; i++) {
            if (keys[i] != 0) {
                int slot = slotOf(moreKeys, keys[i]);
                moreKeys[slot] = keys[i];
                moreValues[slot] = values[i];
            }
        }
        keys = moreKeys;
        values = moreValues;
    }

    /** The slot that holds the key, or the empty one where it belongs. */
    private static int slotOf(long[] keys, long key) {
        int mask = keys.length - 1;
        long mixed = key * 0x9E37_79B9_7F4A_7C15L;
        int slot = (int) (mixed >>> 32) & mask;
        while (keys[slot] != 0 && keys[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
