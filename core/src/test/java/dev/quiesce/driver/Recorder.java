package dev.quiesce.driver;

import dev.quiesce.block.BlockStatus;
import java.util.ArrayList;
import java.util.List;

/** Remembers completions. */
public final class Recorder implements Completion {
    private final List<BlockStatus> statuses = new ArrayList<>();

    @Override
    public void onComplete(BlockRequest request, BlockStatus status) {
        if (!request.isIdle()) {
            throw new AssertionError("completed but not idle: " + request);
        }
        statuses.add(status);
    }

    public List<BlockStatus> statuses() {
        return statuses;
    }

    /** The one completion since the last call. */
    public BlockStatus only() {
        if (statuses.size() != 1) {
            throw new AssertionError("completed " + statuses.size() + " times: " + statuses);
        }
        return statuses.remove(0);
    }
}
