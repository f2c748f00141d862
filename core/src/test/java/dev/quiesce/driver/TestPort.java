package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockStatus;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** A boundary without a backend: one context, one way down, parking on request. */
public final class TestPort extends RequestBoundary {
    private final AioContext home;
    private final @Nullable Child root;
    private final Deque<BlockRequest> parked = new ArrayDeque<>();
    private boolean parking;
    private boolean losingCancels;
    private boolean submitting;
    private int inFlight;
    private int cancelsSeen;

    public TestPort(AioContext home, @Nullable Child root) {
        this.home = home;
        this.root = root;
    }

    public void parkFromNowOn() {
        parking = true;
    }

    /** As a port whose replay is already posted: a cancelled request is found when it starts. */
    public void loseCancels() {
        losingCancels = true;
    }

    public void replay() {
        parking = false;
        while (!parked.isEmpty()) {
            BlockRequest request = parked.remove();
            markParked(request, false);
            startAt(request, root);
        }
    }

    public void submit(BlockRequest request) {
        admit(request, home);
        inFlight++;
        if (parking) {
            parked.add(request);
            markParked(request, true);
            return;
        }
        submitting = true;
        try {
            startAt(request, root);
        } finally {
            submitting = false;
        }
    }

    /** Submits and polls until everything submitted here is done. */
    public void run(BlockRequest request) {
        submit(request);
        settle();
    }

    public void settle() {
        while (inFlight > 0) {
            home.poll(Long.MAX_VALUE);
        }
    }

    public AioContext home() {
        return home;
    }

    public int inFlight() {
        return inFlight;
    }

    public int cancelsSeen() {
        return cancelsSeen;
    }

    @Override
    protected void deliver(
            BlockRequest request, BlockStatus status, @Nullable Throwable cause) {
        home.checkHome();
        if (submitting) {
            throw new AssertionError("delivered inside submit: " + request);
        }
        inFlight--;
        conclude(request);
        notifyCompletion(request, status);
    }

    @Override
    protected void cancelRequested(BlockRequest request) {
        cancelsSeen++;
        if (request.isParked() && !losingCancels) {
            parked.remove(request);
            markParked(request, false);
            finish(request, BlockStatus.CANCELLED);
        }
    }
}
