package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.Completion;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Remembers how requests ended, in which order, and in whose turn. */
public final class Recorder implements Completion {
    public final List<BlockStatus> statuses = new ArrayList<>();
    public final List<BlockRequest> requests = new ArrayList<>();
    private final @Nullable AioContext expected;
    private @Nullable Runnable then;

    public Recorder() {
        this(null);
    }

    public Recorder(@Nullable AioContext expected) {
        this.expected = expected;
    }

    /** Runs something inside the next completion. */
    public Recorder then(Runnable action) {
        then = action;
        return this;
    }

    @Override
    public void onComplete(BlockRequest request, BlockStatus status) {
        if (expected != null && (!expected.isHome() || !expected.isPolling())) {
            throw new AssertionError("completed outside of a turn of " + expected.name());
        }
        statuses.add(status);
        requests.add(request);
        Runnable action = then;
        then = null;
        if (action != null) {
            action.run();
        }
    }
}
