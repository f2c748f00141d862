package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WorkItem;
import dev.quiesce.aio.Workers;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Workers without threads: each is an agent, and doing an item of work is one step. */
final class SimulatedWorkers implements Workers {
    private final List<WorkItem> queue = new ArrayList<>();

    @Override
    public void submit(AioContext home, WorkItem item) {
        item.submitted(home);
        queue.add(item);
    }

    @Override
    public boolean cancel(WorkItem item) {
        if (!item.withdraw()) {
            return false;
        }
        queue.remove(item);
        return true;
    }

    @Override
    public void close() {
        while (!queue.isEmpty()) {
            queue.remove(0).perform();
        }
    }

    /** A worker that does the item at some place of the queue, as the slower of several would. */
    Agent worker(int place) {
        return new Agent("worker " + (place + 1), null) {
            @Override
            boolean isDue() {
                return queue.size() > place;
            }

            @Override
            @Nullable String unfinished() {
                return null;
            }

            @Override
            void step(Scheduler scheduler) {
                WorkItem item = queue.remove(place);
                scheduler.tell("does " + item.describe());
                item.perform();
            }
        };
    }
}
