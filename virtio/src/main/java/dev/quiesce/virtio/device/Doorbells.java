package dev.quiesce.virtio.device;

import dev.quiesce.aio.EventNotifier;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.queue.Virtqueue;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The doorbells of a device's queues, and how far the driver had come when it rang them: in a
 * machine whose stores are not ordered a ring may be read that far and no further.
 */
final class Doorbells {
    private static final VarHandle KICKED = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int AVAIL_INDEX = 2; // VirtIO 1.2, 2.7.6
    private static final int AVAIL_INDEX_MASK = 0xFFFF;
    private static final int NO_LIFE = -1;

    private final DriverRegisters registers;
    private final EventNotifier[] bells;

    /**
     * The driver's life and the available index at the last kick, where stores are not ordered.
     * Written release by the driver's thread, read acquire by whoever serves the ring: a ring is
     * not told of the kicks of another life.
     */
    private final long[] kicked;

    private volatile int servedLife = NO_LIFE; // Written by main before DRIVER_OK, read by any.

    Doorbells(String device, int queues, DriverRegisters registers) {
        this.registers = registers;
        kicked = new long[queues];
        bells = new EventNotifier[queues];
        for (int i = 0; i < queues; i++) {
            bells[i] = new EventNotifier(device + ".kick" + i);
        }
    }

    boolean exists(int index) {
        return index >= 0 && index < bells.length;
    }

    EventNotifier bell(int index) {
        return bells[index];
    }

    /** The driver's thread: its own stores are in order for itself. */
    void note(int index, MemoryMap map) {
        if (map.guestStoresOrdered()) {
            return;
        }
        int life = registers.life();
        QueueSetup setup = registers.queue(index);
        if (setup.enabled()) {
            long availIndex = map.load16(setup.availAddress() + AVAIL_INDEX);
            synchronized (registers) {
                if (registers.life() == life) { // Another CPU may have reset the device.
                    KICKED.setRelease(kicked, index, (long) life << Short.SIZE | availIndex);
                }
            }
        }
    }

    /** The driver's thread: it may have filled its rings before it starts the device. */
    void noteAll(MemoryMap map) {
        for (int i = 0; i < bells.length; i++) {
            note(i, map);
        }
    }

    /** Main context: the rings that are shown from now on belong to this life. */
    void serve(int life) {
        servedLife = life;
    }

    /** The owner of the ring, before it pops. */
    void show(int index, Virtqueue ring) {
        // Acquire: whatever the driver had stored when it read the index is visible.
        long last = (long) KICKED.getAcquire(kicked, index);
        if ((int) (last >> Short.SIZE) == servedLife) {
            ring.availableUpTo((int) last & AVAIL_INDEX_MASK);
        }
    }

    /** Main context: the kicks of a life that has ended. One of the next finds its ring anyway. */
    void forget() {
        for (EventNotifier bell : bells) {
            bell.testAndClear();
        }
    }
}
