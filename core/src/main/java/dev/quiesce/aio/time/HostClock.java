package dev.quiesce.aio.time;

import java.util.concurrent.TimeUnit;

/** The host's time of day. */
final class HostClock implements Clock {
    static final HostClock INSTANCE = new HostClock();

    /** Nobody tells us when the host's clock is set: never rely on it for longer than this. */
    static final long TRUST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private HostClock() {
    }

    @Override
    public long nanoTime() {
        return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    }

    @Override
    public Kind kind() {
        return Kind.HOST;
    }

    @Override
    public long nanosUntil(long deadlineNanos) {
        return Math.min(TRUST_NANOS, Clock.super.nanosUntil(deadlineNanos));
    }

    @Override
    public String toString() {
        return "HostClock";
    }
}
