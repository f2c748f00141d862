package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one unit in one context. Home context only, except the two counts.
 */
final class RequestList {
    private static final VarHandle LISTED_COUNT;
    private static final VarHandle CANCELLING_COUNT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            LISTED_COUNT = lookup.findVarHandle(RequestList.class, "listedCount", int.class);
            CANCELLING_COUNT =
                    lookup.findVarHandle(RequestList.class, "cancellingCount", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LogicalUnit unit;
    private final AioContext home;
    private final RequestChain listed = new RequestChain();
    private final RequestChain cancelling = new RequestChain();
    private @Nullable Object unitState;
    private long nextSequence = 1;
    private int held;

    /* Copies of the chains' lengths, for diagnosis. Opaque: written by home, read by any thread. */
    @SuppressWarnings("UnusedVariable") // read and written through LISTED_COUNT
    private int listedCount;

    @SuppressWarnings("UnusedVariable") // read and written through CANCELLING_COUNT
    private int cancellingCount;

    RequestList(LogicalUnit unit, AioContext home) {
        this.unit = unit;
        this.home = home;
    }

    LogicalUnit unit() {
        return unit;
    }

    AioContext home() {
        return home;
    }

    /** What the unit keeps per context, made when first asked for. */
    Object unitState() {
        Object state = unitState;
        if (state == null) {
            state = unit.newContextState(home);
            unitState = state;
        }
        return state;
    }

    // ---- changes

    /** Takes an arriving request; one that finds earlier ones held is held too: order stays. */
    boolean append(ScsiRequest request, boolean hold) {
        request.enlisted(hold);
        request.list = this;
        request.sequence = nextSequence++;
        listed.append(request);
        if (hold) {
            held++;
        }
        publishCounts();
        return !hold;
    }

    void remove(ScsiRequest request) {
        assert request.list == this : request;
        if (request.state() == RequestState.HELD) {
            held--;
        }
        (request.isCancelling() ? cancelling : listed).remove(request);
        request.list = null;
        publishCounts();
    }

    /** Moves a listed request; a new number keeps the other chain in order of arrival there. */
    void moveToCancelling(ScsiRequest request) {
        listed.remove(request);
        request.sequence = nextSequence++;
        cancelling.append(request);
        publishCounts();
    }

    boolean hasHeld() {
        return held > 0;
    }

    // ---- walks

    /** Shows every request that is here now; those being cancelled first, so none is seen twice. */
    void walk(RequestVisitor visitor) {
        home.checkHome();
        long bound = nextSequence;
        cancelling.forEach(bound, visitor::visitCancelling);
        listed.forEach(bound, visitor::visit);
    }

    /** Control: starts in the list's context what was held there. */
    void postRelease() {
        try {
            home.post(new Release(this));
        } catch (IllegalStateException closed) {
            // The context was closed, so nothing can be held there.
            unit.lists().forget(this);
        }
    }

    /** Starts what was held, and what came to stand behind it meanwhile, while the unit is open. */
    private void release() {
        home.checkHome();
        listed.forEach(Long.MAX_VALUE, this::releaseOne);
    }

    private void releaseOne(ScsiRequest request) {
        if (request.state() == RequestState.HELD && !unit.isClosed()) {
            held--;
            request.released();
            unit.start(request);
        }
    }

    // ---- diagnosis

    int listedCountOpaque() {
        return (int) LISTED_COUNT.getOpaque(this);
    }

    int cancellingCountOpaque() {
        return (int) CANCELLING_COUNT.getOpaque(this);
    }

    private void publishCounts() {
        // Opaque: a count for people and statistics; nothing is decided by it.
        LISTED_COUNT.setOpaque(this, listed.length());
        CANCELLING_COUNT.setOpaque(this, cancelling.length());
    }

    private static final class Release extends Task {
        private final RequestList list;

        Release(RequestList list) {
            this.list = list;
        }

        @Override
        protected void run() {
            list.release();
        }

        @Override
        public String describe() {
            return "start of held commands of " + list.unit.name();
        }
    }
}
