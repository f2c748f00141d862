package dev.quiesce.driver;

import org.jspecify.annotations.Nullable;

/**
 * Runs the completion steps of one root request's children one after the other, in the outermost
 * frame. Home context only.
 */
final class Trampoline {
    /*
     * Where completions run. A root request goes to its home's ready list, or from a foreign
     * thread to its inbox; run() then lets the boundary deliver it: never inside submit.
     * A child request goes to the trampoline of its root (from a foreign thread by way of the
     * inbox). Every entry into a driver is a frame; only the outermost frame of a tree runs the
     * steps of finished children, in a loop. A step may submit the next child, which may finish at
     * once: that child joins the list and the loop takes it up. So the stack holds one submit
     * chain at a time, however many fragments complete inside submit. A child that completes while
     * no frame is open (from the inbox, from a worker's return) opens one itself.
     */
    private boolean running;
    private @Nullable BlockRequest first;
    private @Nullable BlockRequest last;

    /** Opens a frame; false if one is open further out, which then runs the steps. */
    boolean begin() {
        if (running) {
            return false;
        }
        running = true;
        return true;
    }

    /** Queues a finished child; runs it now if no frame is open. */
    void arrived(BlockRequest child) {
        if (last == null) {
            first = child;
        } else {
            last.nextArrived = child;
        }
        last = child;
        if (begin()) {
            end();
        }
    }

    /** Runs what arrived, and what arrives meanwhile, then closes the frame. */
    void end() {
        assert running : "a frame is closed that was not opened";
        try {
            for (BlockRequest child = take(); child != null; child = take()) {
                child.step();
            }
        } finally {
            running = false;
            deferRest();
        }
    }

    /** After a step that threw: the loop runs the others later, none is stranded. */
    private void deferRest() {
        BlockRequest child = take();
        if (child != null) {
            child.home().defer(child);
        }
    }

    private @Nullable BlockRequest take() {
        BlockRequest child = first;
        if (child == null) {
            return null;
        }
        first = child.nextArrived;
        child.nextArrived = null;
        if (first == null) {
            last = null;
        }
        return child;
    }
}
