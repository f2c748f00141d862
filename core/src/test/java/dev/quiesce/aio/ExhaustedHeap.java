package dev.quiesce.aio;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What {@link ExhaustedHeapTest} runs in a small JVM without assertions, so that one task may be
 * queued many times: exits with an exception if something is not as it should be.
 */
final class ExhaustedHeap {
    /** How many tasks fill the slots that there are, so that one more takes a large array. */
    private static final int TASKS = 1 << 16;

    /** So many do not fit into an inbox, either. */
    private static final int FEWER = 5_000;

    /** How much memory is left at most, in references. */
    private static final int LEFT = 1 << 12;

    private final AioContext context = new AioContext("small", LoopSeams.system());
    private final Counting task = new Counting();
    private final Task[] tasks = new Task[TASKS];
    private final Item item = new Item();

    /** All the memory that there was. */
    private Object @Nullable [] hog;

    private ExhaustedHeap() {
        Arrays.fill(tasks, task);
    }

    /** What runs out of memory. */
    enum Scenario {
        /** The cancellation of an item. */
        WITHDRAW,
        /** The submission of an item that is to be done at home. */
        INLINE,
        /** A burst at home. */
        POST_ALL_AT_HOME,
        /** A burst from elsewhere. */
        POST_ALL_FROM_ELSEWHERE,
        /** A burst from elsewhere, to a context that is closed then. */
        CLOSE
    }

    /** Runs a scenario, which the argument names. */
    public static void main(String[] arguments) {
        ExhaustedHeap heap = new ExhaustedHeap();
        switch (Scenario.valueOf(arguments[0])) {
            case WITHDRAW -> heap.withdraw();
            case INLINE -> heap.inline();
            case POST_ALL_AT_HOME -> heap.postAllAtHome();
            case POST_ALL_FROM_ELSEWHERE -> heap.postAllFromElsewhere();
            case CLOSE -> heap.close();
        }
    }

    private void withdraw() {
        try (Lease lease = context.acquire()) {
            context.postAll(tasks, TASKS);
            item.submitted(context);
            exhaust();
            boolean withdrawn = item.withdraw();
            hog = null;
            check(withdrawn, "withdrawn");
            check(!context.isIdle(), "the item is on its way");
            context.poll(0);
            context.poll(0);
            check(item.runs == 1 && item.works == 0 && item.isCancelled(), "run, cancelled");
            check(context.isIdle(), "nothing is left");
        }
    }

    private void inline() {
        try (Lease lease = context.acquire()) {
            context.postAll(tasks, TASKS);
            checkExhausts(() -> Workers.inline().submit(context, item));
            context.poll(0);
            check(context.isIdle(), "taken back");
            Workers.inline().submit(context, item);
            context.poll(0);
            check(item.runs == 1 && item.works == 1, "done");
        }
    }

    private void postAllAtHome() {
        try (Lease lease = context.acquire()) {
            checkExhausts(() -> context.postAll(tasks, TASKS));
            check(context.isIdle(), "none is queued");
            context.postAll(tasks, TASKS);
            context.poll(0);
            check(task.runs == TASKS, "all have run");
        }
    }

    private void postAllFromElsewhere() {
        context.postAll(tasks, FEWER);
        checkExhausts(() -> context.postAll(tasks, TASKS));
        try (Lease lease = context.acquire()) {
            context.poll(0);
            check(task.runs == FEWER, "those have run that were posted, and no others");
        }
        context.postAll(tasks, TASKS);
        try (Lease lease = context.acquire()) {
            context.poll(0);
            check(task.runs == FEWER + TASKS, "all have run");
        }
    }

    private void close() {
        checkExhausts(() -> context.postAll(tasks, TASKS));
        try (Lease lease = context.acquire()) {
            context.close();
        }
        check(context.isGone(), "closed");
    }

    private void checkExhausts(Runnable call) {
        boolean exhausted = false;
        exhaust();
        try {
            call.run();
        } catch (OutOfMemoryError expected) {
            exhausted = true;
        }
        hog = null;
        check(exhausted, "no memory");
    }

    private void exhaust() {
        try {
            while (true) {
                Object[] more = new Object[LEFT];
                more[0] = hog;
                hog = more;
            }
        } catch (OutOfMemoryError expected) {
            // What is left is less than an array of that length.
        }
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("not so: " + what + "; " + task.runs + " tasks and "
                    + item.runs + " items have run, " + item.works + " were done");
        }
    }

    private static final class Counting extends Task {
        private int runs;

        @Override
        protected void run() {
            runs++;
        }
    }

    private static final class Item extends WorkItem {
        private int works;
        private int runs;

        @Override
        protected void work() {
            works++;
        }

        @Override
        protected void run() {
            runs++;
        }
    }
}
