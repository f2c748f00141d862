package dev.quiesce.testkit.guest;

/**
 * An event that the device reported.
 *
 * @param event number of the event, without the "missed" bit
 * @param missed whether the device says that events were lost
 * @param target the target it is about
 * @param lun the logical unit it is about
 * @param reason meaning depends on the event
 */
public record GuestEvent(int event, boolean missed, int target, int lun, int reason) {
    /** Event: a disk came or went. */
    public static final int TRANSPORT_RESET = 1;
    /** Event: a parameter changed. */
    public static final int PARAM_CHANGE = 3;
    /** Reason of a transport reset: something new is there. */
    public static final int REASON_RESCAN = 1;
    /** Reason of a transport reset: the logical unit was removed. */
    public static final int REASON_REMOVED = 2;
}
