package dev.quiesce.examples.daemon;

import dev.quiesce.examples.daemon.machine.Machine;
import java.nio.file.Path;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** One option, read and ready to be carried out. */
sealed interface DaemonStep {
    /** What stood on the command line, for complaints. */
    String option();

    /**
     * Something that the machine is to have.
     *
     * @param option what stood on the command line
     * @param operation begins it
     */
    record Build(String option, Function<Machine, CompletionStage<Void>> operation)
            implements DaemonStep {}

    /**
     * A monitor.
     *
     * @param option what stood on the command line
     * @param socket where it listens
     */
    record Listen(String option, Path socket) implements DaemonStep {}
}
