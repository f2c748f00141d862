package dev.quiesce.driver.filter;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What an overlay knows of one stretch of {@link #BYTES} bytes: each of its sectors is the base's,
 * or zero, or data held here. Guarded by the lock of its shard.
 */
final class OverlayCluster {
    static final int SECTOR_BYTES = 512;
    static final int SECTORS = 128;
    static final int BYTES = SECTORS * SECTOR_BYTES;

    /** What one cluster takes beside its data: itself, its bits and its place in the map. */
    static final int ENTRY_BYTES = 160;

    private static final int WORDS = SECTORS / Long.SIZE;

    /** A sector with neither bit is the base's; none has both. */
    private final long[] dataBits = new long[WORDS];
    private final long[] zeroBits = new long[WORDS];

    /** Present while any data bit is set. */
    private @Nullable ByteBuffer data;

    /** How many sectors from {@code sector} on, at most {@code limit}, are the base's. */
    int baseRun(int sector, int limit) {
        int run = 0;
        while (run < limit && !isSet(dataBits, sector + run) && !isSet(zeroBits, sector + run)) {
            run++;
        }
        return run;
    }

    int zeroRun(int sector, int limit) {
        return run(zeroBits, sector, limit);
    }

    int dataRun(int sector, int limit) {
        return run(dataBits, sector, limit);
    }

    boolean hasData() {
        return data != null;
    }

    ByteBuffer data() {
        ByteBuffer bytes = data;
        if (bytes == null) {
            throw new IllegalStateException("no data in this cluster");
        }
        return bytes;
    }

    void holdIn(ByteBuffer bytes) {
        data = bytes;
    }

    void markData(int sector, int count) {
        set(dataBits, sector, count, true);
        set(zeroBits, sector, count, false);
    }

    /** Makes sectors zero; true if that freed the data. */
    boolean markZero(int sector, int count) {
        set(dataBits, sector, count, false);
        set(zeroBits, sector, count, true);
        if (data == null || (dataBits[0] | dataBits[1]) != 0) {
            return false;
        }
        data = null;
        return true;
    }

    private static int run(long[] bits, int sector, int limit) {
        int run = 0;
        while (run < limit && isSet(bits, sector + run)) {
            run++;
        }
        return run;
    }

    private static boolean isSet(long[] bits, int sector) {
        return (bits[sector / Long.SIZE] >>> sector & 1) != 0;
    }

    private static void set(long[] bits, int sector, int count, boolean value) {
        for (int i = sector; i < sector + count; i++) {
            if (value) {
                bits[i / Long.SIZE] |= 1L << i;
            } else {
                bits[i / Long.SIZE] &= ~(1L << i);
            }
        }
    }
}
