package dev.quiesce.aio;

import dev.quiesce.aio.source.ReadinessSource;
import java.util.ArrayList;
import java.util.List;

/**
 * What is left in a context that is closed, or whose loop ends; also the counts of what has left
 * the context and will come back. Home context only.
 */
final class Remains {
    private final AioContext context;
    private final DeferredCall.Epilogue epilogue;

    /** Items of the context that workers have. */
    private int itemsAtWork;

    /** Tasks of the context that wait in some parking lot. */
    private int parkedTasks;

    Remains(AioContext context, DeferredCall.Epilogue epilogue) {
        this.context = context;
        this.epilogue = epilogue;
    }

    void workBegins() {
        itemsAtWork++;
    }

    void workEnds() {
        itemsAtWork--;
    }

    void parkingBegins() {
        parkedTasks++;
    }

    void parkingEnds() {
        assert parkedTasks > 0 : context;
        parkedTasks--;
    }

    boolean hasItemsAtWork() {
        return itemsAtWork > 0;
    }

    /** Whether something is at work or parked, and will come back. */
    boolean isAwaitingAnything() {
        return itemsAtWork > 0 || parkedTasks > 0;
    }

    /** Refuses everything from now on, or throws if something is left, which it names (AIO-20). */
    void sealIfNothing() {
        List<String> left = describe();
        if (left.isEmpty() && context.queues().sealIfEmpty(context.timers())) {
            return;
        }
        // What kept it from being sealed may have come since.
        left = left.isEmpty() ? describe() : left;
        throw new IllegalStateException("context " + context.name()
                + " cannot be closed by thread " + Lease.Ownership.caller() + ": it still has "
                + String.join(", ", left) + " (AIO-20)");
    }

    /** Reports what was never deleted or detached; lets go of what the loop slept in. */
    void reportAttached(String because) {
        for (Task task : context.registry()) {
            context.report("close", new IllegalStateException(
                    "context " + context.name() + " was closed, but " + task.leak()));
        }
        letGoOfSource(because);
    }

    /** Refuses everything from now on, and reports what will never run (IOT-6). */
    void abandon(String because) {
        context.timers().seal();
        context.queues().seal();
        List<String> left = describe();
        context.queues().abandon();
        if (!left.isEmpty()) {
            context.report("end of the loop", new IllegalStateException(
                    because + "; it still had " + String.join(", ", left)));
        }
        letGoOfSource(because);
    }

    private void letGoOfSource(String because) {
        ReadinessSource source = context.sleep().source();
        if (source == null) {
            return;
        }
        List<String> attached = new ArrayList<>();
        source.describe(attached);
        context.sleep().sleepIn(null);
        source.close();
        for (String one : attached) {
            context.report("close", new IllegalStateException(
                    because + ", but " + one + " is still attached"));
        }
    }

    private List<String> describe() {
        List<String> left = new ArrayList<>();
        context.queues().describe(left);
        if (!epilogue.isEmpty()) {
            left.add("deferred calls");
        }
        for (String timer : context.timers().names()) {
            left.add("timer " + timer);
        }
        context.waiters().describe(left);
        if (itemsAtWork > 0) {
            left.add(itemsAtWork + " items at work");
        }
        if (parkedTasks > 0) {
            left.add(parkedTasks + " parked tasks");
        }
        return left;
    }
}
