package dev.quiesce.testkit.guest;

/** Receives what a driver finds in the used ring. Called on the thread that polls. */
public interface UsedHandler {

    /**
     * The device gave a chain back.
     *
     * @param token what the driver gave to {@link DriverQueue#add}
     * @param writtenBytes how many bytes the device says it wrote
     */
    void onUsed(long token, int writtenBytes);

    /**
     * The device did what no device may do; a chain answered twice is the common case.
     *
     * @param violation what, and where
     */
    void onViolation(RingViolation violation);
}
