package dev.quiesce.testkit.guest;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;

/**
 * How a guest waits: on a vCPU thread of its own by interrupts, or, in a machine whose only thread
 * is the caller's, by running the machine's main context.
 *
 * <p>Confined to the thread that runs the guest.
 */
public interface GuestMachine {
    /** Conditions that no interrupt announces are looked at this often. */
    long LOOK_AGAIN_NANOS = 1_000_000;

    /**
     * Waits until a condition of the guest holds.
     *
     * @param driver polled again and again meanwhile
     * @param done the condition
     * @param limitNanos how long to wait
     * @return false if time ran out
     */
    boolean await(GuestScsi driver, BooleanSupplier done, long limitNanos);

    /**
     * Waits for something that ends on the device's main context.
     *
     * @param driver polled meanwhile
     * @param stage what to wait for
     * @param limitNanos how long to wait
     * @return false if time ran out
     */
    default boolean await(GuestScsi driver, CompletionStage<?> stage, long limitNanos) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        return await(driver, future::isDone, limitNanos);
    }

    /**
     * A vCPU with a thread of its own, woken by interrupts.
     *
     * @param interrupts the guest's interrupt controller
     * @param clock measures limits
     * @return the machine
     */
    static GuestMachine threaded(GuestInterrupts interrupts, Clock clock) {
        return (driver, done, limitNanos) -> {
            long deadline = clock.nanoTime() + limitNanos;
            while (true) {
                driver.poll();
                if (done.getAsBoolean()) {
                    return true;
                }
                if (clock.nanoTime() - deadline >= 0) {
                    return false;
                }
                if (!driver.enableInterrupts() && !interrupts.take()) {
                    interrupts.await(LOOK_AGAIN_NANOS);
                }
            }
        };
    }

    /**
     * A machine without threads: the guest and the devices take turns on the caller's thread.
     *
     * @param main the machine's main context, owned by the caller
     * @return the machine
     */
    static GuestMachine single(AioContext main) {
        return (driver, done, limitNanos) -> {
            long deadline = main.clock().nanoTime() + limitNanos;
            while (true) {
                driver.poll();
                if (done.getAsBoolean()) {
                    return true;
                }
                if (main.clock().nanoTime() - deadline >= 0) {
                    return false;
                }
                main.poll(LOOK_AGAIN_NANOS);
            }
        };
    }
}
