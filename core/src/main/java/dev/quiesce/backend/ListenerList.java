package dev.quiesce.backend;

import dev.quiesce.aio.WaitReport;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The ears on one backend. Control only. */
final class ListenerList {
    /*
     * A hook may add and remove ears, also those that are about to be told. So each ear remembers
     * whether it has heard a begin: it hears begin and end in turns, and the end before it leaves,
     * whoever takes it away and when.
     */
    private final BlockBackend backend;
    private final List<Ear> ears = new ArrayList<>();

    ListenerList(BlockBackend backend) {
        this.backend = backend;
    }

    private static final class Ear {
        private final BackendListener listener;
        private boolean removed;
        private boolean stopped;

        Ear(BackendListener listener) {
            this.listener = listener;
        }
    }

    /** One that comes while the backend is quiesced hears of it at once. */
    void add(BackendListener listener, boolean quiesced) {
        Ear ear = new Ear(listener);
        ears.add(ear);
        if (quiesced) {
            begin(ear);
        }
    }

    /** Does nothing if it is not there. */
    void remove(BackendListener listener) {
        for (Ear ear : ears) {
            if (ear.listener.equals(listener)) {
                ears.remove(ear);
                ear.removed = true;
                end(ear);
                return;
            }
        }
    }

    /** Tells everybody who has not heard it yet that a section began. */
    void begin() {
        List.copyOf(ears).forEach(this::begin);
    }

    private void begin(Ear ear) {
        if (!ear.removed && !ear.stopped) {
            ear.stopped = true;
            tell(ear, "drainedBegin", BackendListener::drainedBegin);
        }
    }

    /** Tells everybody who has heard of a section that it is over. */
    void end() {
        List.copyOf(ears).forEach(this::end);
    }

    private void end(Ear ear) {
        if (ear.stopped) {
            ear.stopped = false;
            tell(ear, "drainedEnd", BackendListener::drainedEnd);
        }
    }

    /** Those that are there now; one that throws keeps nobody from hearing it. */
    void tellAll(String what, Consumer<BackendListener> hook) {
        for (Ear ear : List.copyOf(ears)) {
            if (!ear.removed) {
                tell(ear, what, hook);
            }
        }
    }

    private void tell(Ear ear, String what, Consumer<BackendListener> hook) {
        backend.graph().runHook(() -> hook.accept(ear.listener),
                what + " of a listener of '" + backend.name() + "'");
    }

    /** Whether some listener still has work. */
    boolean isBusy() {
        for (int i = 0; i < ears.size(); i++) {
            if (isBusy(ears.get(i).listener)) {
                return true;
            }
        }
        return false;
    }

    void describe(WaitReport out) {
        for (Ear ear : ears) {
            if (isBusy(ear.listener)) {
                out.outstanding("listener " + ear.listener + " of '" + backend.name() + "'",
                        backend.main(), 1, false);
            }
        }
    }

    /** A listener that throws has nothing to wait for: a section must not hang on it. */
    private boolean isBusy(BackendListener listener) {
        try {
            return listener.drainedPoll();
        } catch (RuntimeException e) {
            backend.main().report("drainedPoll of " + listener, e);
            return false;
        }
    }
}
