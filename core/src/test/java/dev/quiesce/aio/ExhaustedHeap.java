package dev.quiesce.aio;

import dev.quiesce.aio.channel.ChannelHandler;
import dev.quiesce.aio.queue.Inbox;
import dev.quiesce.drain.Gate;
import dev.quiesce.drain.Lane;
import dev.quiesce.driver.AsyncLock;
import java.nio.channels.Selector;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
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

    /** As many sleepers as a new deque of the JDK has room for. */
    private static final int FIRST_WORKERS = 16;
    private static final int WORKERS = 24;

    private final AioContext context = new AioContext("small", LoopSeams.system());
    private final Counting task = new Counting();
    private final Task[] tasks = new Task[TASKS];
    private final Item item = new Item();

    /** All the memory that there was. */
    private Object @Nullable [] hog;

    private ExhaustedHeap() {
        Arrays.fill(tasks, task);
    }

    /** What runs out of memory, with the rule of which it is a case. */
    enum Scenario {
        /** The cancellation of an item: it comes home (AIO-73). */
        WITHDRAW,
        /** The submission of an item that is to be done at home: it is taken back (AIO-71). */
        INLINE,
        /** A burst at home: all are posted, or none. */
        POST_ALL_AT_HOME,
        /** A burst from elsewhere: all are posted, or none. */
        POST_ALL_FROM_ELSEWHERE,
        /** A burst from elsewhere, to a context that is closed then (AIO-20). */
        CLOSE,
        /** A close that would have to name very many tasks: it loses none (AIO-20). */
        NAME,
        /** Requests that park (DRAIN-61). */
        PARK,
        /** Waiters for a driver's lock (REQ-22). */
        LOCK,
        /** Channels that are ready: none is lost (AIO-26). */
        SELECT,
        /** Workers that go to sleep: none is lost (AIO-74). */
        REST
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
            case NAME -> heap.name();
            case PARK -> heap.park();
            case LOCK -> heap.lock();
            case SELECT -> heap.select();
            case REST -> heap.rest();
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

    private void name() {
        try (Lease lease = context.acquire()) {
            InOrder order = new InOrder();
            fill(order);
            context.post(task);
            checkRefused(context::close);
            context.poll(0);
            context.postAll(tasks, TASKS);
            checkExhausts(context::close);
            context.poll(0);
            check(order.passed == TASKS, "all have run");
            context.close();
        }
    }

    private void park() {
        try (Lease lease = context.acquire()) {
            Gate gate = new Gate("disk", context);
            InOrder order = new InOrder();
            Lane lane = gate.lane(context, order::next);
            fill(order);
            gate.quiesce();
            exhaust();
            for (Task request : tasks) {
                check(!lane.enter() && lane.parkUnlessOpen(request), "parked");
            }
            hog = null;
            check(lane.parkedCount() == TASKS, "none is lost");
            gate.resume();
            context.poll(0);
            check(order.passed == TASKS, "all are replayed");
        }
    }

    private void lock() {
        try (Lease lease = context.acquire()) {
            AsyncLock lock = new AsyncLock("lock");
            InOrder order = new InOrder();
            fill(order);
            order.then = lock::release;
            check(lock.acquireOr(context, (Numbered) tasks[0]), "free");
            exhaust();
            for (Task waiter : tasks) {
                check(!lock.acquireOr(context, (Numbered) waiter), "held");
            }
            hog = null;
            lock.release();
            while (context.poll(0)) {
                // One of them in each turn.
            }
            check(order.passed == TASKS, "all have had it");
            check(lock.acquireOr(context, (Numbered) tasks[0]), "free again");
        }
    }

    private void fill(InOrder order) {
        for (int i = 0; i < TASKS; i++) {
            tasks[i] = new Numbered(i, order);
        }
    }

    private void select() {
        ReadySelector selector = new ReadySelector();
        AioContext selecting = new AioContext("selecting",
                LoopSeams.system().withParker(new SelectingParker(selector)));
        try (Lease lease = selecting.acquire()) {
            for (int i = 0; i < FEWER; i++) {
                ChannelHandler.attach(selecting, "handler", new ReadySelector.Channel(),
                        task::run, null);
            }
            selector.allReady();
            checkExhausts(() -> selecting.poll(0));
            selecting.poll(0);
            check(task.runs == FEWER, "each has run once");
            selector.allReady();
            selecting.poll(0);
            check(task.runs == 2 * FEWER, "each is found ready again");
        }
    }

    private void rest() {
        try (Lease lease = context.acquire();
                WorkerPool pool = new WorkerPool(Thread::new, 0, WORKERS, () -> 0)) {
            workTogether(pool, FIRST_WORKERS);
            Shift shift = begin(pool, WORKERS);
            end(shift, pool, FIRST_WORKERS);
            exhaustAll();
            end(shift, pool, WORKERS);
            hog = null;
            check(pool.idleThreads() == WORKERS, "all are asleep");
            workTogether(pool, WORKERS);
        }
    }

    /** Does so many items, each with a worker of its own. */
    private void workTogether(WorkerPool pool, int count) {
        Shift shift = begin(pool, count);
        end(shift, pool, count);
        while (shift.home < count) {
            context.poll(0);
        }
    }

    private Shift begin(WorkerPool pool, int count) {
        Shift shift = new Shift();
        for (int i = 0; i < count; i++) {
            pool.submit(context, new Shift.Worked(shift, i));
        }
        while (shift.begun.get() < count) {
            Inbox.giveWay();
        }
        return shift;
    }

    /** Ends the work of so many, until they sleep, or one of the workers has gone. */
    private static void end(Shift shift, WorkerPool pool, int count) {
        int threads = pool.threads();
        while (shift.over < count && pool.threads() == threads) {
            // One by one: a lock for which several wait takes memory.
            int over = shift.over + 1;
            shift.over = over;
            while (pool.idleThreads() < over && pool.threads() == threads) {
                Inbox.giveWay();
            }
        }
    }

    /** Also loads what the call needs, which takes memory. */
    private void checkRefused(Runnable call) {
        boolean refused = false;
        try {
            call.run();
        } catch (IllegalStateException expected) {
            refused = true;
        }
        check(refused, "refused");
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

    /** What is left is less than an array of {@link #LEFT}. */
    private void exhaust() {
        exhaust(LEFT);
    }

    /** Nothing is left. */
    private void exhaustAll() {
        for (int length = LEFT; length > 0; length /= 2) {
            exhaust(length);
        }
    }

    private void exhaust(int left) {
        try {
            while (true) {
                Object[] more = new Object[left];
                more[0] = hog;
                hog = more;
            }
        } catch (OutOfMemoryError expected) {
            // So it is exhausted.
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

    /** Whose turn it is. */
    private static final class InOrder {
        private int passed;
        private Runnable then = () -> { };

        void next(Task task) {
            if (((Numbered) task).number != passed) {
                throw new IllegalStateException("out of order: " + passed);
            }
            passed++;
            then.run();
        }
    }

    private static final class Numbered extends AsyncLock.Waiter {
        private final int number;
        private final InOrder order;

        Numbered(int number, InOrder order) {
            this.number = number;
            this.order = order;
        }

        @Override
        protected void run() {
            order.next(this);
        }
    }

    /** Items whose work begins together and is over one by one. */
    private static final class Shift {
        private final AtomicInteger begun = new AtomicInteger();
        private volatile int over;
        private int home;

        private static final class Worked extends WorkItem {
            private final Shift shift;
            private final int number;

            Worked(Shift shift, int number) {
                this.shift = shift;
                this.number = number;
            }

            @Override
            protected void work() {
                shift.begun.incrementAndGet();
                while (shift.over <= number) {
                    Inbox.giveWay();
                }
            }

            @Override
            protected void run() {
                shift.home++;
            }
        }
    }

    /** Never sleeps, and selects with one selector. */
    private record SelectingParker(Selector selector) implements Parker {
        @Override
        public void park(AioContext context, long maxNanos) {
            throw new IllegalStateException("has slept");
        }

        @Override
        public void unpark(AioContext context, @Nullable Thread owner) {
            // It is awake.
        }

        @Override
        public Selector openSelector(AioContext context) {
            return selector;
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
