package dev.quiesce.virtio.device;

import dev.quiesce.aio.AioContext;
import dev.quiesce.virtio.memory.GuestMemory;
import java.util.Objects;

/**
 * What every device is built from.
 *
 * @param name for diagnostics and interrupts
 * @param main the main context: status changes, control queues and life cycle run there
 * @param memory the guest's memory
 * @param interrupt the way to the guest
 * @param queues number of queues
 * @param queueSizeMax largest ring a driver may choose, a power of two from 4 to 32768
 */
public record VirtioDeviceConfig(
        String name,
        AioContext main,
        GuestMemory memory,
        Interrupt interrupt,
        int queues,
        int queueSizeMax) {
    /** Largest ring of the standard (VQ-1). */
    public static final int QUEUE_SIZE_LIMIT = 32768;

    /**
     * Checks every component.
     *
     * @param name as the component
     * @param main as the component
     * @param memory as the component
     * @param interrupt as the component
     * @param queues as the component
     * @param queueSizeMax as the component
     * @throws IllegalArgumentException naming the value that does not fit
     */
    public VirtioDeviceConfig {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(main, "main");
        Objects.requireNonNull(memory, "memory");
        Objects.requireNonNull(interrupt, "interrupt");
        if (queues < 1 || queues > 1024) {
            throw new IllegalArgumentException("queues must be 1..1024, is " + queues);
        }
        boolean powerOfTwo = Integer.bitCount(queueSizeMax) == 1;
        if (queueSizeMax < 4 || queueSizeMax > QUEUE_SIZE_LIMIT || !powerOfTwo) {
            throw new IllegalArgumentException(
                    "queueSizeMax must be a power of two from 4 to 32768, is " + queueSizeMax);
        }
    }
}
