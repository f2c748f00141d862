package dev.quiesce.aio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.function.BooleanSupplier;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory runs out where a pool of workers needs some: no item is lost. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PoolShortageTest {
    private final AioContext context = new AioContext("home", LoopSeams.system());

    @Test
    @Rule("AIO-71")
    void shouldTakeBackAnItemThatAPoolHasNoMemoryFor() {
        ScarceQueue queue = new ScarceQueue();
        Item item = new Item();
        try (Lease lease = context.acquire();
                WorkerPool pool = new WorkerPool(Thread::new, 0, 1, () -> 0, queue)) {
            queue.failsNextOffer = true;

            assertThatThrownBy(() -> pool.submit(context, item))
                    .isInstanceOf(OutOfMemoryError.class);

            assertThat(context.isIdle()).isTrue();
            pool.submit(context, item);
            pollUntil(() -> item.runs == 1);
        }
        assertThat(item.works).isEqualTo(1);
    }

    @Test
    @Rule("AIO-74")
    void shouldReplaceAWorkerThatFindsNoMemoryToBegin() {
        Item item = new Item();
        int[] made = {0};
        try (Lease lease = context.acquire();
                WorkerPool pool = new WorkerPool(
                        run -> new ScarceThread(run, made[0]++ == 0), 0, 1, () -> 0)) {
            pool.submit(context, item);
            pollUntil(() -> item.runs == 1);
        }
        assertThat(made).containsExactly(2);
    }

    private void pollUntil(BooleanSupplier done) {
        Spin.until(() -> done.getAsBoolean() || (context.poll(0) && done.getAsBoolean()),
                "the item has run");
    }

    /** A queue that throws as if an allocation had failed, once. */
    private static final class ScarceQueue extends MpscUnboundedVarHandleArrayQueue<WorkItem> {
        boolean failsNextOffer;

        ScarceQueue() {
            super(2);
        }

        @Override
        public boolean offer(WorkItem item) {
            if (failsNextOffer) {
                failsNextOffer = false;
                throw new OutOfMemoryError("no room for an item");
            }
            return super.offer(item);
        }
    }

    /** A thread that, at first, cannot be put into a set. */
    private static final class ScarceThread extends Thread {
        private boolean fails;

        ScarceThread(Runnable run, boolean fails) {
            super(run);
            this.fails = fails;
            setDaemon(true);
            setUncaughtExceptionHandler((thread, expected) -> { });
        }

        @Override
        public int hashCode() {
            if (fails) {
                fails = false;
                throw new OutOfMemoryError("no room for a thread");
            }
            return System.identityHashCode(this);
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    private static final class Item extends WorkItem {
        int works;
        int runs;

        @Override
        protected void work() {
            works++;
        }

        @Override
        protected void run() {
            runs++;
        }

        @Override
        public String describe() {
            return "an item";
        }
    }
}
