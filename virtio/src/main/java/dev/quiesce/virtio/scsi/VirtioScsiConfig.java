package dev.quiesce.virtio.scsi;

/**
 * How a virtio-scsi device presents itself.
 *
 * @param name for diagnostics
 * @param requestQueues number of request queues, 1..1022 (VSCSI-1)
 * @param queueSizeMax largest ring a driver may choose, a power of two from 4 to 32768
 * @param hotplug whether plugging and unplugging is announced by events (feature 1)
 * @param change whether parameter changes are announced by events (feature 2)
 */
public record VirtioScsiConfig(
        String name,
        int requestQueues,
        int queueSizeMax,
        boolean hotplug,
        boolean change) {
    /** Largest number of request queues. */
    public static final int REQUEST_QUEUES_MAX = 1022;

    /**
     * Checks every component.
     *
     * @param name as the component
     * @param requestQueues as the component
     * @param queueSizeMax as the component
     * @param hotplug as the component
     * @param change as the component
     * @throws IllegalArgumentException naming the value that does not fit
     */
    public VirtioScsiConfig {
        if (requestQueues < 1 || requestQueues > REQUEST_QUEUES_MAX) {
            throw new IllegalArgumentException(
                    "requestQueues must be 1..1022, is " + requestQueues);
        }
    }

    /**
     * A device with rings of 256 entries, hot-plug and change events.
     *
     * @param name for diagnostics
     * @param requestQueues number of request queues
     * @return the configuration
     */
    public static VirtioScsiConfig of(String name, int requestQueues) {
        return new VirtioScsiConfig(name, requestQueues, 256, true, true);
    }
}
