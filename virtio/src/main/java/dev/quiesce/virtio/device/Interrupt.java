package dev.quiesce.virtio.device;

/**
 * The way a device tells its guest to look: one signal per queue and one for configuration changes.
 *
 * <p>Any thread. The device calls {@link #queue} from the context that served the queue; {@link
 * #config} also from main, and from a CPU's own thread within its kick, if guest memory fails
 * there. An embedder whose interrupt controller may not be called from there records the signal and
 * delivers it at its next slice. Calls are edges: the implementation owns any level, status bit and
 * re-raising (a controller that forgets a level at claim must show it again). Must not block and
 * must not call back into the device.
 */
public interface Interrupt {
    /**
     * Used buffers were published on a queue.
     *
     * @param index the queue, 0 based
     */
    void queue(int index);

    /** The configuration space changed, or the device needs a reset. */
    void config();
}
