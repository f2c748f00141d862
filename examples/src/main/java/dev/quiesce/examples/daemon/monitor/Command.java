package dev.quiesce.examples.daemon.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quiesce.examples.daemon.machine.HeldSections;
import dev.quiesce.examples.daemon.option.Arguments;
import java.util.concurrent.CompletionStage;

/** Something a client can ask for. */
@FunctionalInterface
interface Command {
    /**
     * Reads the arguments, all of them, and begins. Main context; must not wait.
     *
     * @param arguments by name; whatever is not read is refused
     * @param client who asks
     * @return completes in the main context with what is returned to the client
     */
    CompletionStage<? extends JsonNode> begin(Arguments arguments, HeldSections client);
}
