package dev.quiesce.benchmarks.idle;

import com.sun.management.ThreadMXBean;
import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Watches loops that have nothing to do: how much processor time the threads of {@value #THREADS}
 * IoThreads use in a few seconds, and what {@value #CONTEXTS} contexts without threads take in
 * memory, and in time when their owner polls them. Ends with 1 if the threads used any, or a poll
 * allocates.
 */
public final class IdleCost {
    private static final int THREADS = 16;
    private static final int CONTEXTS = 1_000;
    private static final int ROUNDS = 2_000;
    private static final long WATCHED_SECONDS = 5;

    /** What a thread may use in that time, for a stray wake-up by the JVM: a millionth. */
    private static final long TOLERATED_NANOS = 5_000;

    private static final ThreadMXBean BEAN =
            (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private IdleCost() {
    }

    /** Watches, prints, judges. */
    public static void main(String[] args) throws InterruptedException {
        boolean good = threadsSleep();
        good &= contextsCostMemoryOnly();
        System.exit(good ? 0 : 1);
    }

    private static boolean threadsSleep() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        List<IoThread> loops = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            loops.add(IoThread.start(new IoThreadConfig("idle-" + i, run -> {
                Thread thread = new Thread(run);
                threads.add(thread);
                return thread;
            }, LoopSeams.system(), true)));
        }
        CountDownLatch never = new CountDownLatch(1);
        // They come to rest first.
        boolean unused = never.await(1, TimeUnit.SECONDS);
        long before = processorNanos(threads);
        unused = never.await(WATCHED_SECONDS, TimeUnit.SECONDS);
        long used = processorNanos(threads) - before;
        loops.forEach(IoThread::close);
        System.out.printf("%d idle IoThreads used %d ns of processor time in %d s%n",
                THREADS, used, WATCHED_SECONDS);
        return used <= THREADS * TOLERATED_NANOS;
    }

    private static long processorNanos(List<Thread> threads) {
        return threads.stream().mapToLong(t -> BEAN.getThreadCpuTime(t.getId())).sum();
    }

    private static boolean contextsCostMemoryOnly() {
        AioContext[] contexts = new AioContext[CONTEXTS];
        LoopSeams seams = LoopSeams.system();
        fill(contexts, seams);
        long before = allocatedBytes();
        fill(contexts, seams);
        long bytes = (allocatedBytes() - before) / CONTEXTS;
        Lease[] leases = Arrays.stream(contexts).map(AioContext::acquire).toArray(Lease[]::new);
        pollAll(contexts);
        before = allocatedBytes();
        long nanos = pollAll(contexts);
        long allocated = allocatedBytes() - before;
        for (Lease lease : leases) {
            lease.close();
        }
        System.out.printf(Locale.ROOT, "%d contexts without a thread: %d bytes each; a poll of one"
                + " that is idle takes %.1f ns and allocates %.3f bytes%n", CONTEXTS, bytes,
                (double) nanos / CONTEXTS / ROUNDS, (double) allocated / CONTEXTS / ROUNDS);
        return allocated < CONTEXTS * ROUNDS / 1_000;
    }

    private static void fill(AioContext[] contexts, LoopSeams seams) {
        Arrays.setAll(contexts, i -> new AioContext("idle", seams));
    }

    private static long pollAll(AioContext[] contexts) {
        long begun = System.nanoTime();
        for (int round = 0; round < ROUNDS; round++) {
            for (AioContext context : contexts) {
                context.poll(0);
            }
        }
        return System.nanoTime() - begun;
    }

    private static long allocatedBytes() {
        return BEAN.getThreadAllocatedBytes(Thread.currentThread().getId());
    }
}
