package dev.quiesce.examples.daemon;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** How tests wait for what other threads do: without sleeping, and not for ever. Any thread. */
final class Spin {
    private static final long LIMIT_SECONDS = 60;

    private Spin() {
    }

    /** Looks again and again until something is so, and says how things stand if it never is. */
    static void until(BooleanSupplier isSo, Supplier<String> state) {
        long begun = System.nanoTime();
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
                throw new IllegalStateException("after " + LIMIT_SECONDS + " s: " + state.get());
            }
            Thread.onSpinWait();
        }
    }
}
