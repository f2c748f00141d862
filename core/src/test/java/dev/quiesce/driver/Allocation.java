package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Measures what the calling thread allocates. */
public final class Allocation {
    private static final int WARM_UP = 2000;
    private static final int ROUNDS = 1000;
    private static final int ATTEMPTS = 50;

    private Allocation() {
    }

    /**
     * The step, once warm, allocates nothing; a class initialised late may spoil an attempt. The
     * smallest object has 16 bytes, so less than one byte a round is none a round: what is left is
     * the JDK's, a contended lock's queue node now and then. On a busy machine that is more often,
     * so there are many attempts; a step that allocates fails them all.
     */
    public static void assertNone(Runnable step) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ATTEMPTS && least >= ROUNDS; i++) {
            least = Math.min(least, bytesOf(step));
        }
        assertThat(least).as("bytes allocated by %d rounds", ROUNDS).isLessThan(ROUNDS);
    }

    private static long bytesOf(Runnable step) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < WARM_UP; i++) {
            step.run();
        }
        // The first reading may itself allocate.
        threads.getCurrentThreadAllocatedBytes();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            step.run();
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
