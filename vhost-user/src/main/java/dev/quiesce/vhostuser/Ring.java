package dev.quiesce.vhostuser;

import dev.quiesce.virtio.device.QueueSetup;
import org.jspecify.annotations.Nullable;

/**
 * What a front end has said about one ring, and whether the device serves it. Session thread.
 */
final class Ring {
    /*
     * started x enabled (VHU-16 to VHU-20):
     *
     *   started   from SET_VRING_KICK until GET_VRING_BASE
     *   enabled   as SET_VRING_ENABLE says, or at once for front ends that do not send it
     *   running   the device has the ring. The session makes it so whenever the ring is started,
     *             enabled and described, in whatever order these came, and takes the ring back
     *             before any of them ends.
     *   homeless  it should run, but is outside of the memory. The message after which this is
     *             found is refused, unless it is one about memory: front ends take a region away
     *             and put a larger one in its place. The ring waits, and nothing else does, until
     *             a change of memory covers it again or it is given another address.
     *
     * `base` is where the ring is to go on; while it runs the device knows better.
     */
    private static final int DESCRIPTOR_BYTES = 16;

    final int index;
    private int size;
    private int base;
    private Payload.@Nullable VringAddress address;
    private boolean started;
    private boolean enabled;
    private boolean running;
    private boolean homeless;

    Ring(int index) {
        this.index = index;
    }

    int size() {
        return size;
    }

    int base() {
        return base;
    }

    boolean isRunning() {
        return running;
    }

    /** Whether the device should have the ring, going by what was said about it. */
    boolean shouldRun() {
        return isDescribed() && !homeless;
    }

    boolean isStarted() {
        return started;
    }

    boolean isEnabled() {
        return enabled;
    }

    void size(int entries) throws Violation {
        checkIdle("size");
        size = entries;
    }

    void base(int index) throws Violation {
        checkIdle("base");
        if ((index & 0xFFFF) != index) {
            throw Violation.ofRequest("base " + Integer.toUnsignedString(index) + " of " + this);
        }
        base = index;
    }

    /** The same place again is no change: front ends switch logging on and off so (VHU-20). */
    void address(Payload.VringAddress next) throws Violation {
        Payload.VringAddress before = address;
        if (before == null || !before.isSamePlace(next)) {
            checkIdle("address");
        }
        address = next;
        homeless = false;
    }

    /** Looks whether it is in the memory: it waits if it is not, and no longer if it is. */
    void memoryChanged(MemoryTable memory) {
        homeless = isDescribed() && !isIn(memory);
    }

    private boolean isDescribed() {
        return started && enabled && size > 0 && address != null;
    }

    private boolean isIn(MemoryTable memory) {
        try {
            setup(memory);
            return true;
        } catch (Violation outside) {
            return false;
        }
    }

    void start() {
        started = true;
    }

    void enable(boolean on) {
        enabled = on;
    }

    /** The device has the ring. */
    void runs() {
        running = true;
    }

    /** The device has given the ring back. */
    void stopped(int lastAvail) {
        running = false;
        base = lastAvail;
    }

    /** Forgets the start: the ring needs a new kick descriptor. */
    void unstart() {
        started = false;
    }

    /** As it was when the front end connected. The device does not have it. */
    void reset() {
        size = 0;
        base = 0;
        address = null;
        started = false;
        enabled = false;
        running = false;
        homeless = false;
    }

    /**
     * What the device needs to serve the ring.
     *
     * @throws Violation if the ring does not lie in the memory that the front end shares; it is
     *     homeless then
     */
    QueueSetup setup(MemoryTable memory) throws Violation {
        Payload.VringAddress at = address;
        if (at == null) {
            throw Violation.ofRequest(this + " has no address");
        }
        return new QueueSetup(size,
                translate(memory, at.descriptors(), (long) DESCRIPTOR_BYTES * size),
                translate(memory, at.avail(), 6 + 2L * size),
                translate(memory, at.used(), 6 + 8L * size),
                true);
    }

    private long translate(MemoryTable memory, long userAddress, long bytes) throws Violation {
        Long guest = memory.guestAddress(userAddress, bytes);
        if (guest == null) {
            homeless = true;
            throw Violation.ofRequest(this + " at user address 0x" + Long.toHexString(userAddress)
                    + " is outside of the shared memory");
        }
        return guest;
    }

    private void checkIdle(String what) throws Violation {
        if (running) {
            throw Violation.ofRequest("a new " + what + " for " + this + ", which runs");
        }
    }

    @Override
    public String toString() {
        return "ring " + index;
    }
}
