package dev.quiesce.aio;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** How tests wait for what other threads do: without sleeping, and not for ever. Any thread. */
public final class Spin {
    private static final long LIMIT_SECONDS = 60;

    private Spin() {
    }

    /**
     * Looks again and again until something is so.
     *
     * @param isSo the look, which may do something about it
     * @param awaited what is waited for, to say what has not come
     */
    public static void until(BooleanSupplier isSo, String awaited) {
        long begun = System.nanoTime();
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
                throw new AssertionError(
                        "not so after " + LIMIT_SECONDS + " s: " + awaited);
            }
            Thread.onSpinWait();
        }
    }
}
