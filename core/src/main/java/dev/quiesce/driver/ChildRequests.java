package dev.quiesce.driver;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The child requests of one request, and why their driver gave them up. Home context only. */
final class ChildRequests {
    /*
     * When a driver throws, children it has started may be under way, and may still write the
     * guest's memory: whoever waits for the request has to wait for them (I1). So the request is
     * taken from its driver, they are cancelled, and the last of them to come back completes it.
     * Their steps do not run: their driver has lost the thread, and the step of a late child could
     * complete the next submission.
     */
    private static final BlockRequest[] NONE = {};

    private final BlockRequest parent;
    private BlockRequest[] slots = NONE;
    private @Nullable Throwable failure;

    ChildRequests(BlockRequest parent) {
        this.parent = parent;
    }

    /** The child of a slot, made at the first use and kept. */
    BlockRequest slot(int slot, Completion step) {
        if (slot >= slots.length) {
            BlockRequest[] more = Arrays.copyOf(slots, slot + 1);
            for (int i = slots.length; i <= slot; i++) {
                more[i] = new BlockRequest(parent, step);
            }
            slots = more;
        }
        return slots[slot];
    }

    boolean areIdle() {
        for (BlockRequest child : slots) {
            if (!child.isIdle()) {
                return false;
            }
        }
        return true;
    }

    void cancel() {
        for (BlockRequest child : slots) {
            child.cancelFromAbove();
        }
    }

    /** Remembers what the driver threw first, and cancels what it has under way. */
    void abandon(Throwable thrown) {
        Throwable first = failure;
        if (first == null) {
            failure = thrown;
        } else if (first != thrown) {
            first.addSuppressed(thrown);
        }
        for (BlockRequest child : slots) {
            try {
                child.cancelFromAbove();
            } catch (RuntimeException e) {
                thrown.addSuppressed(e);
            }
        }
    }

    /** What the driver threw, for the completion; forgotten here. */
    @Nullable Throwable takeFailure() {
        Throwable taken = failure;
        failure = null;
        return taken;
    }
}
