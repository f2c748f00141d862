package dev.quiesce.examples.daemon;

import dev.quiesce.examples.daemon.machine.Failures;
import java.io.IOException;

/** An option could not be carried out. */
final class StepFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * A failure.
     *
     * @param option what stood on the command line
     * @param cause what was wrong
     */
    StepFailedException(String option, Throwable cause) {
        super(option + ": " + Failures.lineOf(cause), cause);
    }

    /** Whether whoever wrote the option was wrong, and not the host. */
    boolean isWrongUsage() {
        return getCause() instanceof IllegalArgumentException
                && !(getCause() instanceof IOException);
    }
}
