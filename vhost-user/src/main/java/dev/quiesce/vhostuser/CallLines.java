package dev.quiesce.vhostuser;

import dev.quiesce.virtio.device.Interrupt;
import org.jspecify.annotations.Nullable;

/**
 * The way to the guest: per queue a descriptor that is signalled when used buffers were published,
 * and one that is signalled when the ring is beyond use.
 *
 * <p>Signalling: any thread. Replacing: the session thread.
 */
final class CallLines implements Interrupt {
    /*
     * One lock per queue, held for one write(2) that never waits. Without it a descriptor could be
     * closed while a loop is about to write it, its number given to another file, and eight bytes
     * written there.
     */
    /** The index of a queue has eight bits where its descriptors are concerned (VHU-24). */
    static final int QUEUES_MAX = 256;

    private final Line[] calls = lines(QUEUES_MAX);
    private final Line[] errors = lines(QUEUES_MAX);

    @Override
    public void queue(int index) {
        calls[index].signal();
    }

    /** The device needs a reset: no queue of it works (VHU-23). */
    @Override
    public void config() {
        for (Line error : errors) {
            error.signal();
        }
    }

    /**
     * Replaces the descriptor of a queue and signals the new one at once: whoever sends it may have
     * missed what was signalled on the old one (VHU-20).
     */
    void replaceCall(int queue, @Nullable Pollable next) {
        calls[queue].replace(next);
        calls[queue].signal();
    }

    void replaceError(int queue, @Nullable Pollable next) {
        errors[queue].replace(next);
    }

    /** Closes all descriptors. */
    void clear() {
        for (int i = 0; i < calls.length; i++) {
            calls[i].replace(null);
            errors[i].replace(null);
        }
    }

    private static Line[] lines(int count) {
        Line[] lines = new Line[count];
        for (int i = 0; i < count; i++) {
            lines[i] = new Line();
        }
        return lines;
    }

    private static final class Line {
        private @Nullable Pollable target; // Guarded by this.

        synchronized void signal() {
            if (target != null) {
                target.signal();
            }
        }

        synchronized void replace(@Nullable Pollable next) {
            if (target != null) {
                target.close();
            }
            target = next;
        }
    }
}
