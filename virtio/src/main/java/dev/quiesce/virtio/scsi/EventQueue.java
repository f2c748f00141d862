package dev.quiesce.virtio.scsi;

import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.spec.LunAddress;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.QueueFault;
import dev.quiesce.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * The event queue: tells the guest that disks came, went or changed (VSCSI-39..48).
 *
 * <p>Main context. The driver keeps buffers posted; an event without a buffer is lost, remembered
 * as "missed", and admitted with the next one or when buffers arrive (VSCSI-41).
 */
final class EventQueue {
    private static final int TRANSPORT_RESET = 1;
    private static final int PARAM_CHANGE = 3;
    private static final int EVENTS_MISSED = 0x8000_0000;
    private static final int REASON_RESCAN = 1;
    private static final int REASON_REMOVED = 2;

    private final VirtioScsi device;
    private final int index;
    private final Chain chain = new Chain();
    private @Nullable Virtqueue ring;
    private boolean missed;

    EventQueue(VirtioScsi device, int queueIndex) {
        this.device = device;
        index = queueIndex;
    }

    /**
     * Begins to use a ring; null if the driver has none. An event that was under way when an
     * earlier device was killed is lost: its buffer says at once that events were missed, so that
     * it is the driver's again whenever the ring is taken away.
     */
    void attach(@Nullable Virtqueue queue) {
        ring = queue;
        if (queue != null) {
            device.kick(index).attach(device.main(), this::onBuffers);
            device.kick(index).set(); // Buffers may have come before anybody listened.
            if (queue.hasUnfinished()) {
                missed = true;
                onBuffers();
            }
        }
    }

    /** Forgets the ring; events that come before the next one are missed (VSCSI-41). */
    void suspend() {
        Virtqueue queue = ring;
        if (queue != null) {
            device.kick(index).detach();
            queue.breakWith(QueueFault.RETIRED);
        }
        ring = null;
        chain.clear();
    }

    /** Forgets the ring and what was missed: the device is reset. */
    void detach() {
        suspend();
        missed = false;
    }

    void unitAdded(ScsiAddress address) {
        send(TRANSPORT_RESET, address, REASON_RESCAN);
    }

    void unitRemoved(ScsiAddress address) {
        send(TRANSPORT_RESET, address, REASON_REMOVED);
    }

    void unitChanged(ScsiAddress address, Sense what) {
        send(PARAM_CHANGE, address, what.asc() | what.ascq() << Byte.SIZE);
    }

    private void onBuffers() {
        if (missed) {
            send(0, null, 0); // NO_EVENT with "missed"
        }
    }

    private void send(int event, @Nullable ScsiAddress address, int reason) {
        if (!device.isDriverOk() || device.isBroken()) {
            return; // VSCSI-40
        }
        Virtqueue queue = ring;
        if (queue == null) {
            missed = true;
            return;
        }
        device.showKicked(index, queue);
        int head = queue.pop(chain);
        while (head == Virtqueue.NOTHING && queue.enableNotify()) {
            head = queue.pop(chain); // A buffer came between the look and the re-arming.
        }
        if (head == Virtqueue.NOTHING) {
            missed = true;
            checkFault(queue);
            return;
        }
        byte[] bytes = new byte[ScsiLayout.EVENT_LENGTH];
        int length = (int) Math.min(chain.writableBytes(), bytes.length);
        boolean whole = length == bytes.length;
        if (whole) {
            fill(bytes, event, address, reason, missed);
        } else {
            fill(bytes, 0, null, 0, true);
        }
        missed = false;
        deliver(queue, head, bytes, length);
    }

    /** VSCSI-43 [B]: a buffer that is too small gets what fits of "no event, events missed". */
    private static void fill(
            byte[] bytes, int event, @Nullable ScsiAddress address, int reason, boolean missed) {
        ScsiLayout.int32(bytes, 0, missed ? event | EVENTS_MISSED : event);
        if (address != null) {
            LunAddress.encode(address.target(), address.lun(), bytes, 4);
        }
        ScsiLayout.int32(bytes, 12, reason);
    }

    private void deliver(Virtqueue queue, int head, byte[] bytes, int length) {
        try {
            chain.copyToWritable(0, bytes, 0, length);
        } catch (GuestMemoryFault | InternalError e) {
            device.markBroken(device.name() + ": guest memory failed under an event", e);
            queue.breakWith(QueueFault.MEMORY_FAULT);
        }
        queue.push(head, length);
        if (queue.publish()) {
            device.interrupt().queue(index);
        }
        checkFault(queue);
    }

    private void checkFault(Virtqueue queue) {
        QueueFault fault = queue.fault();
        if (fault != null) {
            device.markBroken(device.name() + ": event queue " + fault, queue.faultCause());
        }
    }
}
