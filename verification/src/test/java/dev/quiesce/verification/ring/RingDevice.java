package dev.quiesce.verification.ring;

import dev.quiesce.virtio.queue.Chain;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import dev.quiesce.virtio.queue.Virtqueue;
import java.util.ArrayDeque;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A device that answers each chain with the bytes it read, increased by one. It sleeps until it is
 * kicked whenever the ring says it may: a kick that gets lost ends in a time-out.
 */
final class RingDevice implements Runnable {

    static final int MESSAGE_BYTES = 24;

    /** How long a notification is waited for before it is taken for lost. */
    static final long LOST_AFTER_SECONDS = 60;

    private final SplitVirtqueue queue;
    private final Semaphore kicks;
    private final Semaphore interrupts;
    private final Random random;
    private final int total;
    private final ArrayDeque<Chain> held = new ArrayDeque<>();
    private final ArrayDeque<Chain> idle = new ArrayDeque<>();
    private final byte[] message = new byte[MESSAGE_BYTES];
    private int pushed;

    RingDevice(SplitVirtqueue queue, Semaphore kicks, Semaphore interrupts, Random random,
            int total) {
        this.queue = queue;
        this.kicks = kicks;
        this.interrupts = interrupts;
        this.random = random;
        this.total = total;
    }

    @Override
    public void run() {
        while (pushed < total) {
            if (random.nextBoolean()) {
                queue.disableNotify();
            }
            popAll();
            answerSome();
            if (queue.publish()) {
                interrupts.release();
            }
            boolean idleNow = held.isEmpty() && pushed < total;
            if (idleNow && !queue.enableNotify()) {
                awaitKick();
            }
        }
    }

    /** Asked when the device's thread has ended. */
    int inFlight() {
        return queue.inFlight();
    }

    private void popAll() {
        for (int i = random.nextInt(20); i >= 0; i--) {
            Chain chain = idle.isEmpty() ? new Chain() : idle.pop();
            if (queue.pop(chain) == Virtqueue.NOTHING) {
                idle.push(chain);
                if (queue.fault() != null) {
                    throw new AssertionError(queue.fault().name(), queue.faultCause());
                }
                return;
            }
            held.add(chain);
        }
    }

    private void answerSome() {
        for (int i = random.nextInt(held.size() + 1); i > 0; i--) {
            Chain chain = random.nextBoolean() ? held.removeFirst() : held.removeLast();
            if (!chain.copyFromReadable(0, message, 0, MESSAGE_BYTES)) {
                throw new AssertionError("a chain of " + chain.readableBytes() + " bytes");
            }
            for (int at = 0; at < MESSAGE_BYTES; at++) {
                message[at]++;
            }
            if (!chain.copyToWritable(0, message, 0, MESSAGE_BYTES)) {
                throw new AssertionError("room for " + chain.writableBytes() + " bytes");
            }
            queue.push(chain.head(), MESSAGE_BYTES);
            pushed++;
            idle.push(chain);
        }
    }

    private void awaitKick() {
        try {
            if (!kicks.tryAcquire(LOST_AFTER_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("no kick came, at " + queue.state());
            }
            kicks.drainPermits();
        } catch (InterruptedException stopped) {
            throw new AssertionError("interrupted at " + queue.state(), stopped);
        }
    }
}
