package dev.quiesce.verification.ring;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.quiesce.testkit.guest.BufferList;
import dev.quiesce.testkit.guest.DriverQueue;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.RingViolation;
import dev.quiesce.testkit.guest.UsedHandler;
import java.util.BitSet;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Sends numbered messages and checks every answer. It sleeps until it is interrupted whenever the
 * ring says it may: an interrupt that gets lost ends in a time-out.
 */
final class RingDriver implements UsedHandler {

    private final GuestRam ram;
    private final DriverQueue queue;
    private final Semaphore kicks;
    private final Semaphore interrupts;
    private final Random random;
    private final long[] slots;
    private final BitSet freeSlots = new BitSet();
    private final int[] numbers;
    private final BufferList buffers = new BufferList();
    private int answered;

    RingDriver(GuestRam ram, DriverQueue queue, Semaphore kicks, Semaphore interrupts,
            Random random) {
        this.ram = ram;
        this.queue = queue;
        this.kicks = kicks;
        this.interrupts = interrupts;
        this.random = random;
        int size = queue.config().size();
        this.slots = new long[size];
        this.numbers = new int[size];
        for (int i = 0; i < size; i++) {
            slots[i] = ram.allocate(2 * RingDevice.MESSAGE_BYTES, 8);
        }
        freeSlots.set(0, size);
    }

    void send(int total, BooleanSupplier deviceDied) throws InterruptedException {
        int sent = 0;
        while (answered < total) {
            for (int i = random.nextInt(12); i >= 0 && sent < total && add(sent); i--) {
                sent++;
            }
            if (queue.publish()) {
                kicks.release();
            }
            if (random.nextInt(4) == 0) {
                queue.disableInterrupts();
            }
            boolean took = queue.poll(this) > 0;
            boolean mustWait = !took && (sent == total || queue.freeDescriptors() < 4);
            if (mustWait && answered < total && !queue.enableInterrupts()) {
                awaitInterrupt();
            }
            if (deviceDied.getAsBoolean()) {
                throw new AssertionError("the device died, " + answered + " answered");
            }
        }
    }

    @Override
    public void onUsed(long token, int writtenBytes) {
        int slot = (int) token;
        byte[] answer = ram.read(slots[slot] + RingDevice.MESSAGE_BYTES, writtenBytes);
        byte[] expected = message(numbers[slot]);
        for (int i = 0; i < expected.length; i++) {
            if (answer.length != expected.length || answer[i] != (byte) (expected[i] + 1)) {
                throw new AssertionError("wrong answer to message " + numbers[slot]);
            }
        }
        freeSlots.set(slot);
        answered++;
    }

    @Override
    public void onViolation(RingViolation violation) {
        throw new AssertionError(violation.toString());
    }

    private boolean add(int number) {
        int slot = freeSlots.nextSetBit(0);
        if (slot < 0) {
            return false;
        }
        long address = slots[slot];
        int split = 1 + random.nextInt(RingDevice.MESSAGE_BYTES - 1);
        long answer = address + RingDevice.MESSAGE_BYTES;
        buffers.clear()
                .readable(address, split)
                .readable(address + split, RingDevice.MESSAGE_BYTES - split)
                .writable(answer, split)
                .writable(answer + split, RingDevice.MESSAGE_BYTES - split);
        ram.write(address, message(number));
        if (!queue.add(buffers, slot)) {
            return false;
        }
        freeSlots.clear(slot);
        numbers[slot] = number;
        return true;
    }

    private void awaitInterrupt() throws InterruptedException {
        if (!interrupts.tryAcquire(RingDevice.LOST_AFTER_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("no interrupt came, " + answered + " answered");
        }
        interrupts.drainPermits();
    }

    private static byte[] message(int number) {
        return String.format("message %016d", number).getBytes(US_ASCII);
    }
}
