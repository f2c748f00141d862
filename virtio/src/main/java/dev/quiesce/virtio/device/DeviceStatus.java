package dev.quiesce.virtio.device;

/** The bits of the device status byte (VirtIO 1.2, 2.1). */
public final class DeviceStatus {
    /** The driver has noticed the device. */
    public static final int ACKNOWLEDGE = 0x01;
    /** The driver knows how to drive the device. */
    public static final int DRIVER = 0x02;
    /** The driver is set up: rings may be used from now on. */
    public static final int DRIVER_OK = 0x04;
    /** The driver has accepted its features; reads back 0 when the device refuses the set. */
    public static final int FEATURES_OK = 0x08;
    /** The device met an error from which only a reset recovers. */
    public static final int NEEDS_RESET = 0x40;
    /** The driver has given up. */
    public static final int FAILED = 0x80;

    private DeviceStatus() {
    }
}
