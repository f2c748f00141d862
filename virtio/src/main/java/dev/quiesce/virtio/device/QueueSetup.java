package dev.quiesce.virtio.device;

/**
 * What a driver has written about one queue. Guest values: nothing here is trusted, the ring
 * itself checks them when the driver sets DRIVER_OK (MAL-1).
 *
 * @param sizeEntries entries of the ring
 * @param descriptorAddress guest address of the descriptor table
 * @param availAddress guest address of the available ring
 * @param usedAddress guest address of the used ring
 * @param enabled whether the driver has declared the queue ready
 */
public record QueueSetup(
        int sizeEntries,
        long descriptorAddress,
        long availAddress,
        long usedAddress,
        boolean enabled) {
    /** A queue that no driver has touched since reset. */
    public static final QueueSetup ABSENT = new QueueSetup(0, 0, 0, 0, false);
}
