package dev.quiesce.examples.daemon.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quiesce.examples.daemon.machine.Failures;
import dev.quiesce.examples.daemon.machine.HeldSections;
import dev.quiesce.examples.daemon.machine.NoSuchDeviceException;
import dev.quiesce.examples.daemon.option.Arguments;
import dev.quiesce.examples.daemon.option.JsonText;
import dev.quiesce.examples.daemon.option.WrongOptionException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What one client and the monitor say to each other. Confined to the monitor's thread. */
final class Dialogue {
    /** The command that has to come first. */
    static final String NEGOTIATION = "qmp_capabilities";

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Set<String> MEMBERS = Set.of("execute", "arguments", "id");
    private static final String GENERIC = "GenericError";
    private static final String NOT_FOUND = "CommandNotFound";

    private final Commands commands;
    private final HeldSections client;
    private boolean negotiated;

    Dialogue(Commands commands, HeldSections client) {
        this.commands = commands;
        this.client = client;
    }

    /** The monitor's first words. */
    static ObjectNode greeting() {
        ObjectNode greeting = JSON.objectNode();
        ObjectNode hello = greeting.putObject("QMP");
        ObjectNode version = hello.putObject("version");
        version.putObject("quiesce").put("major", 0).put("minor", 1).put("micro", 0);
        version.put("package", "");
        hello.putArray("capabilities");
        return greeting;
    }

    /** Whether events are for this client. */
    boolean isNegotiated() {
        return negotiated;
    }

    /** The answer to a line; may complete later, in the main context. */
    CompletionStage<ObjectNode> answer(String line) {
        ObjectNode request;
        try {
            request = requestOf(line);
        } catch (WrongOptionException e) {
            return said(error(GENERIC, Failures.lineOf(e), null));
        }
        JsonNode id = request.get("id");
        String problem = problemOf(request);
        if (problem != null) {
            return said(error(GENERIC, problem, id));
        }
        String name = request.get("execute").textValue();
        if (name.equals(NEGOTIATION) != !negotiated) {
            return said(error(NOT_FOUND, negotiated
                    ? "capabilities are negotiated already"
                    : "'" + NEGOTIATION + "' has to come before '" + name + "'", id));
        }
        if (name.equals(NEGOTIATION)) {
            negotiated = true;
            return said(returned(JSON.objectNode(), id));
        }
        if (!commands.has(name)) {
            return said(error(NOT_FOUND, "there is no command '" + name
                    + "'; 'query-commands' lists those there are", id));
        }
        JsonNode given = request.get("arguments");
        Arguments arguments = Arguments.ofJson(
                given instanceof ObjectNode object ? object : JSON.objectNode());
        return begin(name, arguments).handle((value, failure) ->
                failure == null ? returned(value, id) : error(failure, id));
    }

    private CompletionStage<JsonNode> begin(String name, Arguments arguments) {
        try {
            return commands.begin(name, arguments, client);
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private static ObjectNode requestOf(String line) {
        if (is(line, LineBuffer.OVERLONG)) {
            throw new WrongOptionException(
                    "a line has at most " + LineBuffer.LINE_BYTES_MAX + " bytes");
        }
        if (is(line, LineBuffer.NO_TEXT)) {
            throw new WrongOptionException("a line must be encoded in UTF-8");
        }
        return JsonText.parseObject(line);
    }

    @SuppressWarnings("ReferenceEquality") // a mark, not a text that somebody could send
    private static boolean is(String line, String mark) {
        return line == mark;
    }

    private static @Nullable String problemOf(ObjectNode request) {
        for (String name : (Iterable<String>) request::fieldNames) {
            if (!MEMBERS.contains(name)) {
                return "unknown member '" + name + "'; allowed are arguments, execute, id";
            }
        }
        JsonNode name = request.get("execute");
        if (name == null || !name.isTextual()) {
            return "member 'execute' must be the name of a command";
        }
        JsonNode arguments = request.get("arguments");
        return arguments == null || arguments.isObject()
                ? null : "member 'arguments' must be an object";
    }

    private static CompletionStage<ObjectNode> said(ObjectNode answer) {
        return CompletableFuture.completedStage(answer);
    }

    private static ObjectNode returned(JsonNode value, @Nullable JsonNode id) {
        return withId(JSON.objectNode().set("return", value), id);
    }

    private static ObjectNode error(Throwable failure, @Nullable JsonNode id) {
        Throwable inner = Failures.unwrapped(failure);
        return error(inner instanceof NoSuchDeviceException ? "DeviceNotFound" : GENERIC,
                Failures.lineOf(inner), id);
    }

    private static ObjectNode error(String kind, String description, @Nullable JsonNode id) {
        ObjectNode answer = JSON.objectNode();
        answer.putObject("error").put("class", kind).put("desc", description);
        return withId(answer, id);
    }

    private static ObjectNode withId(ObjectNode answer, @Nullable JsonNode id) {
        if (id != null) {
            answer.set("id", id);
        }
        return answer;
    }
}
