package dev.quiesce.scsi;

import dev.quiesce.scsi.spec.Sense;

/**
 * Hears what happens on a bus; an adapter turns it into events for its guest. All methods are
 * called by the owner of the main context, after the units' attention conditions were set
 * (VSCSI-45): a driver that reacts at once finds them. They must not wait and must not throw.
 */
public interface BusListener {
    /**
     * A unit became addressable.
     *
     * @param unit the unit
     * @param address where it sits
     */
    default void unitAdded(LogicalUnit unit, ScsiAddress address) {}

    /**
     * A unit is gone: it is not addressable and none of its requests is left.
     *
     * @param unit the unit
     * @param address where it sat
     */
    default void unitRemoved(LogicalUnit unit, ScsiAddress address) {}

    /**
     * A unit's parameters changed, its capacity for instance (SCSI-42).
     *
     * @param unit the unit
     * @param address where it sits
     * @param what the unit attention condition that tells the guest so
     */
    default void unitChanged(LogicalUnit unit, ScsiAddress address, Sense what) {}
}
