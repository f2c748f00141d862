package dev.quiesce.virtio.device;

/** Feature bits that belong to every device type (VirtIO 1.2, 6). */
public final class VirtioFeatures {
    /** Descriptors may refer to a table of descriptors. */
    public static final long INDIRECT_DESC = 1L << 28;
    /** Notifications are suppressed by index instead of by flag. */
    public static final long EVENT_IDX = 1L << 29;
    /** The driver follows version 1 of the standard; required. */
    public static final long VERSION_1 = 1L << 32;

    private VirtioFeatures() {
    }
}
