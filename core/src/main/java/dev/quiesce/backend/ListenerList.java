package dev.quiesce.backend;

import dev.quiesce.aio.WaitReport;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The ears on one backend. Control only. */
final class ListenerList {
    private final BlockBackend backend;
    private final List<BackendListener> listeners = new ArrayList<>();

    ListenerList(BlockBackend backend) {
        this.backend = backend;
    }

    void add(BackendListener listener) {
        listeners.add(listener);
    }

    /** Whether it was there. */
    boolean remove(BackendListener listener) {
        return listeners.remove(listener);
    }

    /** Those that are there now; one that throws keeps nobody from hearing it. */
    void tellAll(String what, Consumer<BackendListener> hook) {
        for (BackendListener listener : List.copyOf(listeners)) {
            tell(listener, what, hook);
        }
    }

    void tell(BackendListener listener, String what, Consumer<BackendListener> hook) {
        backend.graph().runHook(() -> hook.accept(listener),
                what + " of a listener of '" + backend.name() + "'");
    }

    /** Whether some listener still has work. */
    boolean isBusy() {
        for (int i = 0; i < listeners.size(); i++) {
            if (isBusy(listeners.get(i))) {
                return true;
            }
        }
        return false;
    }

    void describe(WaitReport out) {
        for (BackendListener listener : listeners) {
            if (isBusy(listener)) {
                out.outstanding("listener " + listener + " of '" + backend.name() + "'",
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
