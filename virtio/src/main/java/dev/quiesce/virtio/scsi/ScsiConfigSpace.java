package dev.quiesce.virtio.scsi;

import dev.quiesce.virtio.queue.Chain;

/**
 * The configuration space of virtio-scsi: 36 bytes, little-endian (VSCSI-3). Any thread.
 *
 * <pre>
 *  0 num_queues u32      4 seg_max u32        8 max_sectors u32    12 cmd_per_lun u32
 * 16 event_info_size    20 sense_size (rw)   24 cdb_size (rw)      28 max_channel u16
 * 30 max_target u16     32 max_lun u32
 * </pre>
 *
 * <p>The two writable fields take whatever the driver writes, byte by byte; they are judged when
 * commands are about to be fetched, so that intermediate values of a piecewise write do not matter
 * (VSCSI-7 [B]).
 */
final class ScsiConfigSpace {
    static final int LENGTH_BYTES = 36;
    static final int SENSE_SIZE_DEFAULT = 96;
    static final int CDB_SIZE_DEFAULT = 32;

    /** Host segments kept back: a buffer across a border of memory regions takes one more. */
    private static final int REGION_BORDERS = 64;

    private static final int SENSE_SIZE = 20;
    private static final int CDB_SIZE = 24;
    private static final int WRITABLE_END = 28;
    private static final int SENSE_SIZE_LIMIT = 65536;
    private static final int CDB_SIZE_LIMIT = 256;

    private final byte[] image = new byte[LENGTH_BYTES]; // Guarded by this.
    private int resetsPending; // Guarded by this.
    private volatile long sizes; // Both writable fields; written under this, read by every queue.

    ScsiConfigSpace(VirtioScsiConfig config, int maxTarget, int maxLun) {
        ScsiLayout.int32(image, 0, config.requestQueues());
        ScsiLayout.int32(image, 4, segmentsMax(config.queueSizeMax()));
        ScsiLayout.int32(image, 8, 0xFFFF);
        ScsiLayout.int32(image, 12, 128);
        ScsiLayout.int32(image, 16, ScsiLayout.EVENT_LENGTH);
        ScsiLayout.int32(image, 28, maxTarget << 16); // max_channel 0, max_target
        ScsiLayout.int32(image, 32, maxLun);
        setDefaults();
        publishSizes();
    }

    /** The driver resets the device: what it writes now is for afterwards. */
    synchronized void reset() {
        resetsPending++;
        setDefaults();
    }

    /** Main context: the life ended in which the sizes that queues see were written. */
    synchronized void resetEnded() {
        resetsPending--;
        publishSizes();
    }

    /**
     * Data buffers of a chain: what a ring holds, and what a {@link Chain} may hold although some
     * buffers lie across the borders of regions, less two for the headers (VSCSI-4).
     */
    private static int segmentsMax(int queueSizeMax) {
        return Math.min(queueSizeMax, Chain.SEGMENTS_MAX - REGION_BORDERS) - 2;
    }

    private void setDefaults() {
        ScsiLayout.int32(image, SENSE_SIZE, SENSE_SIZE_DEFAULT);
        ScsiLayout.int32(image, CDB_SIZE, CDB_SIZE_DEFAULT);
    }

    synchronized long read(int offset, int width) {
        if (offset < 0 || offset > LENGTH_BYTES - width) {
            return width == Long.BYTES ? -1L : (1L << (width * Byte.SIZE)) - 1; // VSCSI-6
        }
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << Byte.SIZE | (image[offset + i] & 0xFF);
        }
        return value;
    }

    synchronized void write(int offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            int at = offset + i;
            if (at >= SENSE_SIZE && at < WRITABLE_END) { // VSCSI-8
                image[at] = (byte) (value >>> (i * Byte.SIZE));
            }
        }
        publishSizes();
    }

    /**
     * Both sizes at one instant, for {@link #senseSize}, {@link #cdbSize} and {@link
     * #isAcceptable}.
     */
    long sizes() {
        return sizes;
    }

    static int senseSize(long sizes) {
        return (int) (sizes >>> Integer.SIZE);
    }

    static int cdbSize(long sizes) {
        return (int) sizes;
    }

    /** Whether sizes may be used (MAL-23). */
    static boolean isAcceptable(long sizes) {
        return Integer.compareUnsigned(senseSize(sizes), SENSE_SIZE_LIMIT) < 0
                && Integer.compareUnsigned(cdbSize(sizes), CDB_SIZE_LIMIT) < 0;
    }

    private void publishSizes() {
        if (resetsPending > 0) {
            return;
        }
        sizes = (long) ScsiLayout.int32(image, SENSE_SIZE) << Integer.SIZE
                | (ScsiLayout.int32(image, CDB_SIZE) & 0xFFFF_FFFFL);
    }
}
