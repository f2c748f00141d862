package dev.quiesce.benchmarks.loop;

import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jctools.queues.MpscUnboundedArrayQueue;

/**
 * The least that can be called a loop: a queue of JCTools, a thread that runs what is in it and
 * parks when it is empty, and nothing else - no timers, no errors, no end while tasks are left.
 */
final class ParkLoop implements Loop {
    /*
     * Falling asleep: `asleep` up, then look at the queue; offer, then look at `asleep`. Both
     * steps of both sides are sequentially consistent: an offer begins with a compare and set of
     * the producer index, by which isEmpty decides.
     */
    private final MpscUnboundedArrayQueue<Runnable> queue = new MpscUnboundedArrayQueue<>(WINDOW);
    private final AtomicBoolean asleep = new AtomicBoolean();
    private final Thread thread;
    private boolean running = true;

    ParkLoop(String name) {
        thread = new Thread(this::loop, name);
        thread.start();
    }

    @Override
    public Runnable way(Runnable body) {
        return () -> execute(body);
    }

    @Override
    public void close() {
        execute(() -> running = false);
        Loops.join(thread);
    }

    private void execute(Runnable task) {
        queue.offer(task);
        if (asleep.get() && asleep.compareAndSet(true, false)) {
            LockSupport.unpark(thread);
        }
    }

    private void loop() {
        while (running) {
            Runnable task = queue.poll();
            if (task != null) {
                task.run();
            } else {
                sleep();
            }
        }
    }

    private void sleep() {
        asleep.set(true);
        while (queue.isEmpty() && asleep.get()) {
            LockSupport.park(this);
        }
        asleep.set(false);
    }
}
