package dev.quiesce.testkit.guest;

/**
 * What the guest's driver chooses.
 *
 * @param queueSize entries per ring, a power of two
 * @param indirect whether to negotiate and use indirect descriptors
 * @param eventIdx whether to negotiate notification suppression by index
 * @param eventBuffers buffers kept posted on the event queue
 */
public record GuestScsiConfig(int queueSize, boolean indirect, boolean eventIdx, int eventBuffers) {
    /**
     * Checks every component.
     *
     * @param queueSize as the component
     * @param indirect as the component
     * @param eventIdx as the component
     * @param eventBuffers as the component
     * @throws IllegalArgumentException naming the value that does not fit
     */
    public GuestScsiConfig {
        if (queueSize < 4 || Integer.bitCount(queueSize) != 1) {
            throw new IllegalArgumentException(
                    "queueSize must be a power of two from 4, is " + queueSize);
        }
        if (eventBuffers < 0 || eventBuffers > queueSize) {
            throw new IllegalArgumentException("eventBuffers must be 0.." + queueSize + ", is "
                    + eventBuffers);
        }
    }

    /**
     * What Linux does: rings of 128, both features, eight event buffers.
     *
     * @return the configuration
     */
    public static GuestScsiConfig likeLinux() {
        return new GuestScsiConfig(128, true, true, 8);
    }
}
