package dev.quiesce.examples.demo;

import java.io.PrintWriter;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C, or any other wish that the process should end, as a request to the running command: it
 * stops what it does, reports what it has, and only then the process goes.
 *
 * <p>The process ends with the code that the JVM has for the signal (130 for SIGINT, 143 for
 * SIGTERM), but with 1 unless the command has {@linkplain #passed passed} when it is closed. Made
 * and closed by the thread of the command; asked by any.
 */
final class StopSignal implements AutoCloseable {
    /** Longer than all that the command itself waits for. */
    private static final long LIMIT_SECONDS = 240;
    private static final int FAILED = 1;

    private final PrintWriter err;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::stop, "stop");
    private volatile boolean requested; // Set by the hook.
    private volatile boolean passed; // Set by the command.

    StopSignal(PrintWriter err) {
        this.err = err;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Whether the command should come to its end. */
    boolean isRequested() {
        return requested;
    }

    /** Says that nothing has failed: that something did must show also if it was stopped. */
    void passed() {
        passed = true;
    }

    /** The command has reported everything; the process may go. */
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            assert requested || hook.isAlive() : "the JVM is going down, so the hook runs: " + e;
        }
    }

    private void stop() {
        requested = true;
        boolean inTime = false;
        try {
            inTime = ended.await(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!inTime) {
            err.println("demo: did not stop within " + LIMIT_SECONDS + " seconds");
            err.flush();
        }
        if (!passed) {
            Runtime.getRuntime().halt(FAILED);
        }
    }
}
