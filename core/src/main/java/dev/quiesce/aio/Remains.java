package dev.quiesce.aio;

import dev.quiesce.aio.source.ReadinessSource;
import dev.quiesce.aio.watch.LoopMeter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What is left in a context that is closed, or whose loop ends; also the counts of what has left
 * the context and will come back, and who has to hear of the end. Home context only, but for the
 * latter.
 */
final class Remains {
    /*
     * What is due and finds no memory for a place in a queue says so and leaves the queueing to the
     * loop: bottom halves and notifiers, which are in the registry, and items, which have a list of
     * their own. First it can be found, then it raises `starved`, then it notifies. The loop takes
     * `starved` down before it looks who is due, so whoever comes later is looked for again.
     *
     * Whoever finds after that that the context is gone has to answer by itself: `starved` and
     * AioContext.over are a Dekker pair, so it finds that, or the last look of the end finds what
     * is due. If both do, who takes the ask, or the item, answers, and the other one finds nothing.
     *
     * A close that finds something starved is refused, though the inbox was sealed by then, and
     * opens it again. So who is refused there does not know yet: it goes the same way as who finds
     * no memory. `starved` decides, once: it becomes SEALED if nothing is starved, and stays so.
     *
     * A bottom half whose errand finds no room, or the inbox sealed: whoever set PENDING takes it
     * down again and leaves the asks and the deletion where they are, so that nothing is lost that
     * others have asked for meanwhile. If the loop ends, whoever takes the asks answers for them:
     * the end reports them, or whoever asked is refused. An ask on top of one that is not served
     * yet leaves SHARED behind: somebody was told "yes" who counts on the other one. Whoever finds
     * it and is refused reports the ask for the others.
     *
     * From the step that takes PENDING down to the one that takes what is left, or to the answer
     * "yes", such a thread is counted among those who wait. What it takes in the end is not its own
     * ask if that has been served meanwhile, and another thread has asked since, and been told that
     * somebody will answer. So an ask that finds one who waits, and no ask, leaves SHARED and LATER
     * behind: who takes LATER reports the ask, and is not refused.
     *
     * In the flags of a deleted bottom half neither an ask nor another deletion changes anything:
     * PENDING would keep the loop from queueing a deletion that has found no room.
     *
     * Proved by the step models StarvedStepModelTest and SchedulersAtEndStepModelTest and the
     * stress tests StarveVersusFeed and SchedulersVersusEnd.
     */
    private static final int FED = 0;
    private static final int STARVED = 1;
    private static final int SEALED = 2;

    private final AioContext context;
    private final DeferredCall.Epilogue epilogue;

    /** Bottom halves that were not deleted, notifiers that are attached. Any thread. */
    private final Set<Task> registry = ConcurrentHashMap.newKeySet();

    /**
     * Whether something is due that could not be queued when it was asked for, or nothing of the
     * kind is accepted any more. Any thread.
     */
    private final AtomicInteger starved = new AtomicInteger(FED);

    /** Items that could not be queued when they came home. Any thread. */
    private final WorkItem.Stranded stranded = new WorkItem.Stranded();

    /** Items of the context that workers have. */
    private int itemsAtWork;

    /** Tasks of the context that wait in some parking lot. */
    private int parkedTasks;

    /** What is still attached to the source that is let go. */
    private final List<String> attached = new ArrayList<>();

    /** Main contexts whose waits look again when this context has ended. Any thread. */
    private final Set<AioContext> dependants = ConcurrentHashMap.newKeySet();

    /** Whether whoever wanted to do something at the end has done it. Any thread. */
    private volatile boolean over;

    Remains(AioContext context, DeferredCall.Epilogue epilogue) {
        this.context = context;
        this.epilogue = epilogue;
    }

    /** Who is named if the context is closed all the same. Thread: any. */
    Set<Task> registry() {
        return registry;
    }

    /** Enters one of these, or throws and has not. Thread: any. */
    void register(Task task) {
        boolean registered = false;
        try {
            registry.add(task);
            registered = true;
        } finally {
            if (!registered) {
                registry.remove(task);
            }
        }
    }

    /**
     * Posts a task that can {@link #starve}. Reads nothing near to what the loop writes. Thread:
     * any.
     *
     * @return false if there was no memory for it, or it was refused; then it is in no queue
     */
    static boolean tryPost(AioContext context, Task task) {
        boolean queued;
        try {
            queued = context.isHome() ? context.tryDefer(task) : Task.push(context.inbox, task);
        } catch (OutOfMemoryError e) {
            return false;
        }
        // Not in there: a task that is queued must not be queued again because waking has failed.
        return context.notify.wakes(context, queued);
    }

    /**
     * A task that others may post. Those that queue themselves would run before they are due, and
     * lose count; they come by {@link #tryPost}. Thread: any; a look at the task's class.
     *
     * @throws IllegalArgumentException if it queues itself, naming context, thread and rule
     */
    static Task postable(AioContext context, Task task) {
        if (task instanceof BottomHalf) {
            throw queuesItself(context, task, "a bottom half: schedule it (AIO-2)");
        }
        if (task instanceof WorkItem) {
            throw queuesItself(context, task, "an item: submit it to the workers (AIO-71)");
        }
        return task;
    }

    /** The same for the first tasks of an array, if it has so many. Thread: any. */
    static void checkPostable(AioContext context, Task[] tasks, int count) {
        Objects.checkFromIndexSize(0, count, tasks.length);
        for (int i = 0; i < count; i++) {
            Task unused = postable(context, tasks[i]);
        }
    }

    private static IllegalArgumentException queuesItself(
            AioContext context, Task task, String whatToDo) {
        return new IllegalArgumentException("context " + context.name() + " cannot be given "
                + LoopMeter.nameOf(task::describe) + " by thread " + Lease.Ownership.caller()
                + ", for that is " + whatToDo);
    }

    /**
     * Some bottom half or notifier is due, and {@link #tryPost} could not queue it: the loop does
     * so. What says that it is due must be visible. Thread: any.
     *
     * @return false if nothing runs here any more
     */
    boolean starve() {
        if (!beStarved()) {
            return false;
        }
        context.notifyLoop();
        // After the flag: see the note above.
        return !context.isGone();
    }

    /** An item is home, and {@link #tryPost} could not queue it: the loop does so. Thread: any. */
    void strand(WorkItem item) {
        stranded.add(item);
        if (!starve()) {
            stranded.empty(true);
        }
    }

    /** Queues what could not be queued when it was asked for. */
    void feed() {
        if (isStarved()) {
            beFed();
            boolean fed = false;
            try {
                queueStarved();
                fed = true;
            } finally {
                if (!fed) {
                    boolean unused = starve();
                }
            }
        }
    }

    /** Reports what is due, since it could not be queued before the end. Thread: any. */
    void reportStarved(Task task) {
        context.report("end of the loop", new IllegalStateException(
                context.whyGone() + "; it still had task " + LoopMeter.nameOf(task::describe)));
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
        if (parkedTasks == 0) {
            throw new IllegalStateException("context " + context.name() + ": parkingEnds by thread "
                    + Lease.Ownership.caller() + ", but no task of it is parked (AIO-75)");
        }
        parkedTasks--;
    }

    boolean hasItemsAtWork() {
        return itemsAtWork > 0;
    }

    /** Whether something is at work or parked, and will come back. */
    boolean isAwaitingAnything() {
        return itemsAtWork > 0 || parkedTasks > 0;
    }

    /**
     * Enters a context that shall hear of the end, see {@link ControlWait#dependsOn}. Any thread.
     */
    void addDependant(AioContext main) {
        if (dependsOnThis(main)) {
            return;
        }
        enter(main);
        // After the entry: either this sees the end, or the end sees the entry.
        if (isOver()) {
            tellOfTheEnd(main);
        }
    }

    /**
     * What must not happen any more is taken back first, by whoever asked to be called; what is
     * still outstanding then stays so, and those who wait for it hear of it.
     */
    private void tellOfTheEnd() {
        context.turn().meter().ended(thrown -> context.report("end of the loop", thrown));
        try {
            // Before others hear of the end: what was deleted meanwhile says so.
            feed();
            context.turn().timers().end();
        } finally {
            beOver();
            tellDependants();
        }
    }

    // Steps. The step models call them one by one.

    boolean isStarved() {
        return starved.get() == STARVED;
    }

    /** Returns false if that is not heard any more. */
    boolean beStarved() {
        // Sequentially consistent: after what is due is visible, before the look whether it is
        // gone. The loop takes it down only, so a failure finds it up already, or sealed.
        return starved.compareAndSet(FED, STARVED) || starved.get() != SEALED;
    }

    /** Home context. */
    void beFed() {
        // Sequentially consistent: before the look who is due.
        starved.set(FED);
    }

    /** Hears of nobody any more, unless somebody is starved. Home context. */
    boolean beSealed() {
        // One step with the look: whoever comes later hears of it, and answers by itself.
        return starved.compareAndSet(FED, SEALED);
    }

    /** Home context. */
    void queueStarved() {
        stranded.empty(false);
        registry.forEach(Task::requeue);
    }

    WorkItem.Stranded stranded() {
        return stranded;
    }

    /** Those that have ended are dropped: a loop that outlives many machines keeps none of them. */
    void enter(AioContext main) {
        dependants.removeIf(AioContext::isGone);
        dependants.add(main);
    }

    boolean dependsOnThis(AioContext main) {
        return dependants.contains(main);
    }

    /** Whether nothing of this context will change any more, counts of others included. */
    boolean isOver() {
        return over;
    }

    void beOver() {
        over = true;
    }

    void tellDependants() {
        for (AioContext main : dependants) {
            tellOfTheEnd(main);
        }
    }

    static void tellOfTheEnd(AioContext main) {
        main.turn().waiters().countEnd();
        main.wake();
    }

    /** Refuses everything from now on, or throws if something is left, which it names (AIO-20). */
    void sealIfNothing() {
        List<String> left;
        do {
            feed();
            left = describe();
            if (left.isEmpty() && sealIfEmpty()) {
                return;
            }
            // What kept it from being sealed has come since. It may be a deletion, or be gone.
        } while (left.isEmpty());
        throw new IllegalStateException("context " + context.name()
                + " cannot be closed by thread " + Lease.Ownership.caller() + ": it still has "
                + String.join(", ", left) + " (AIO-20)");
    }

    private boolean sealIfEmpty() {
        LoopTimer.Lists timers = context.turn().timers();
        if (!timers.sealIfEmpty()) {
            return false;
        }
        if (context.queues().sealIfEmpty()) {
            if (beSealed()) {
                return true;
            }
            context.queues().unseal();
        }
        timers.unseal();
        return false;
    }

    /**
     * Leaves polling mode, and what the loop slept in. Before the context counts as gone: from then
     * on any thread may detach, and must find that neither a hook nor a channel is in use here.
     */
    void letGo() {
        assert context.turn().depth() == 0 : context + " ends within a turn";
        try {
            context.sleep().poller().close();
        } finally {
            ReadinessSource source = context.sleep().source();
            if (source != null) {
                context.sleep().sleepIn(null);
                try {
                    source.describe(attached);
                } finally {
                    source.close();
                }
            }
        }
    }

    /** Reports what was never deleted or detached. */
    void reportAttached(String because) {
        try {
            for (Task task : registry) {
                context.report("close", new IllegalStateException("context " + context.name()
                        + " was closed, but " + LoopMeter.nameOf(task::leak)));
            }
            report(because);
        } finally {
            tellOfTheEnd();
        }
    }

    /** Refuses everything from now on, and reports what will never run (IOT-6). */
    void abandon(String because) {
        try {
            abandonAll(because);
            report(because);
        } finally {
            tellOfTheEnd();
        }
    }

    /** Step of {@link #abandon}; the last look who is starved comes after. */
    void abandonAll(String because) {
        context.turn().timers().seal();
        List<String> left;
        try {
            context.queues().seal();
            left = describe();
        } finally {
            // Memory may have run out. They are free: whoever queued one may do so elsewhere.
            abandonQueued();
            epilogue.abandon();
        }
        if (!left.isEmpty()) {
            context.report("end of the loop", new IllegalStateException(
                    because + "; it still had " + String.join(", ", left)));
        }
    }

    /** Lets go of what is queued, then of what was posted, piece by piece: without memory. */
    private void abandonQueued() {
        Task.Queues queues = context.queues();
        do {
            abandon(queues.ready());
            abandon(queues.outer());
        } while (queues.takePiece());
    }

    private static void abandon(Task.Fifo queue) {
        while (!queue.isEmpty()) {
            // Asked for meanwhile or not: what was live has been described.
            boolean unused = queue.take().abandon();
        }
        queue.forgetTaken();
    }

    private void report(String because) {
        for (String one : attached) {
            context.report("close", new IllegalStateException(
                    because + ", but " + one + " is still attached"));
        }
    }

    private List<String> describe() {
        List<String> left = new ArrayList<>();
        context.queues().takeWholeInbox();
        context.queues().takeOuterInbox();
        describe(context.queues().ready(), left);
        describe(context.queues().outer(), left);
        if (!epilogue.isEmpty()) {
            left.add("deferred calls");
        }
        for (String timer : context.turn().timers().names()) {
            left.add("timer " + timer);
        }
        context.turn().waiters().describe(left);
        if (itemsAtWork > 0) {
            left.add(itemsAtWork + " items at work");
        }
        if (parkedTasks > 0) {
            left.add(parkedTasks + " parked tasks");
        }
        return left;
    }

    /** Names what is live, and drops the rest; drops nothing else, though memory runs out. */
    private static void describe(Task.Fifo queue, List<String> out) {
        Task[] all = queue.takeAll();
        int next = 0;
        try {
            while (next < all.length) {
                Task task = all[next++];
                if (task.isLive()) {
                    queue.append(task);
                } else if (!task.abandon()) {
                    continue;
                }
                out.add("task " + LoopMeter.nameOf(task::describe));
            }
        } finally {
            while (next < all.length) {
                queue.append(all[next++]);
            }
        }
    }
}
