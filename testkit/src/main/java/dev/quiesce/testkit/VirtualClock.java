package dev.quiesce.testkit;

import dev.quiesce.aio.time.Clock;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A clock that stands still until it is told to move: by an emulator whose machine time may stop
 * and jump, or by a {@link Simulation}. Begins at 0.
 *
 * <p>Moving it wakes nobody: whoever moves it {@linkplain dev.quiesce.aio.AioContext#wake wakes}
 * the contexts whose timers may be due, or polls them. Thread: any.
 */
public final class VirtualClock implements Clock {
    private final AtomicLong now = new AtomicLong();

    /** Makes a clock that shows 0. */
    public VirtualClock() {
    }

    @Override
    public long nanoTime() {
        return now.get();
    }

    /**
     * Lets time pass.
     *
     * @param nanos how much, 0 or more
     * @throws IllegalArgumentException if time were to run backwards
     */
    public void advance(long nanos) {
        if (nanos < 0) {
            throw new IllegalArgumentException("time does not run backwards: " + nanos + " ns");
        }
        now.addAndGet(nanos);
    }

    /**
     * Jumps to an instant, unless that has passed.
     *
     * @param nanos the instant, on this clock
     */
    public void advanceTo(long nanos) {
        now.accumulateAndGet(nanos, Math::max);
    }

    @Override
    public String toString() {
        return "VirtualClock[" + now + " ns]";
    }
}
