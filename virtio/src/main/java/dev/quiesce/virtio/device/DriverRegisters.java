package dev.quiesce.virtio.device;

import java.util.Arrays;

/**
 * What a driver has written since it wrote 0 into the status the last time: features, queue
 * registers, and as much of the status as was accepted.
 *
 * <p>Any thread; its monitor is a leaf, which {@link VirtioDevice} takes too where it needs two
 * answers that belong together.
 */
final class DriverRegisters {
    /*
     * Writing 0 begins a new life at once, here, although the device needs time to end the old one:
     * the standard wants a driver to wait until the status reads 0, and there are drivers that do
     * not. What they write meanwhile belongs to the new life. So the device never looks here for
     * what a life consists of; each write of the status takes along what it needs.
     */
    private final QueueSetup[] queues;
    private long features;
    private int accepted;
    private int life = 1; // Above 0: a life that never was.

    DriverRegisters(int queueCount) {
        queues = new QueueSetup[queueCount];
        Arrays.fill(queues, QueueSetup.ABSENT);
    }

    synchronized void writeFeatures(long value) {
        if ((accepted & DeviceStatus.FEATURES_OK) == 0) {
            features = value;
        }
    }

    synchronized long features() {
        return features;
    }

    synchronized void writeQueue(int index, QueueSetup setup) {
        if (exists(index) && (accepted & DeviceStatus.DRIVER_OK) == 0) {
            queues[index] = setup;
        }
    }

    /** Notes where a queue of a running device is; a driver that has reset it meanwhile wins. */
    synchronized void replaceQueue(int inLife, int index, QueueSetup setup) {
        if (life == inLife) {
            queues[index] = setup;
        }
    }

    synchronized QueueSetup queue(int index) {
        return exists(index) ? queues[index] : QueueSetup.ABSENT;
    }

    /** The number of the driver's life, from 1; grows when the driver writes 0. */
    synchronized int life() {
        return life;
    }

    /** Writes 0: what is written from now on belongs to the next life. */
    synchronized StatusWrite reset() {
        Arrays.fill(queues, QueueSetup.ABSENT);
        features = 0;
        accepted = 0;
        life++;
        return new StatusWrite(true, life, 0, 0, queues.clone());
    }

    /** Writes another value. */
    synchronized StatusWrite writeStatus(int value, boolean featuresAcceptable) {
        int set = value & ~accepted & ~DeviceStatus.NEEDS_RESET; // That one is the device's.
        if (!featuresAcceptable) {
            set &= ~DeviceStatus.FEATURES_OK;
        }
        if (((accepted | set) & DeviceStatus.FEATURES_OK) == 0) {
            set &= ~DeviceStatus.DRIVER_OK; // VirtIO 1.2, 3.1.1: not without FEATURES_OK.
        }
        accepted |= set;
        return new StatusWrite(false, life, set, features, queues.clone());
    }

    private boolean exists(int index) {
        return index >= 0 && index < queues.length;
    }

    /**
     * One write of the status, with the registers as they were then.
     *
     * @param resets whether 0 was written
     * @param life in which life; for a reset the one that begins
     * @param set the bits that the driver sets by it and may set
     * @param features the driver's features
     * @param queues the queue registers; nobody changes the array
     */
    @SuppressWarnings("ArrayRecordComponent") // Never compared; a copy of its own.
    record StatusWrite(boolean resets, int life, int set, long features, QueueSetup[] queues) {
        boolean sets(int bit) {
            return (set & bit) != 0;
        }
    }
}
