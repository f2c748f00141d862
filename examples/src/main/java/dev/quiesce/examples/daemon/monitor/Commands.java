package dev.quiesce.examples.daemon.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.quiesce.examples.daemon.machine.HeldSections;
import dev.quiesce.examples.daemon.machine.Machine;
import dev.quiesce.examples.daemon.machine.MachineInfo;
import dev.quiesce.examples.daemon.option.Arguments;
import dev.quiesce.examples.daemon.option.BlockdevOptions;
import dev.quiesce.examples.daemon.option.DeviceOptions;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.examples.daemon.option.IoThreadOptions;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Everything a client can ask for, by name. Each command reads its arguments into a record, asks
 * the machine, and says what comes of it.
 */
public final class Commands {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final Machine machine;
    private final Runnable quit;
    private final Map<String, Command> commands = new TreeMap<>();

    /**
     * The commands of a machine.
     *
     * @param machine what they ask
     * @param quit ends the daemon, soon
     */
    public Commands(Machine machine, Runnable quit) {
        this.machine = machine;
        this.quit = quit;
        commands.put("blockdev-add", (arguments, client) ->
                done(machine.addNode(BlockdevOptions.read(arguments))));
        commands.put("blockdev-del", (arguments, client) ->
                done(machine.removeNode(nodeName(arguments))));
        commands.put("block_resize", this::resize);
        commands.put("x-blockdev-set-iothread", this::move);
        commands.put("block-export-add", (arguments, client) ->
                done(machine.addExport(ExportOptions.read(arguments))));
        commands.put("block-export-del", this::removeExport);
        commands.put("device_add", (arguments, client) ->
                done(machine.addDevice(DeviceOptions.read(arguments))));
        commands.put("device_del", (arguments, client) ->
                done(machine.removeDevice(id(arguments))));
        commands.put("object-add", (arguments, client) ->
                done(machine.addIoThread(IoThreadOptions.read(arguments))));
        commands.put("object-del", (arguments, client) ->
                done(machine.removeIoThread(id(arguments))));
        commands.put("qom-set", (arguments, client) -> done(
                machine.changeIoThread(IoThreadOptions.Property.readChange(arguments))));
        commands.put("qom-get", this::get);
        commands.put("quiesce", (arguments, client) ->
                done(machine.quiesce(client, nodeName(arguments))));
        commands.put("resume", (arguments, client) ->
                done(machine.resume(client, nodeName(arguments))));
        commands.put("query-named-block-nodes", query(MachineInfo::nodes));
        commands.put("query-block-exports", query(MachineInfo::exports));
        commands.put("query-iothreads", query(MachineInfo::ioThreads));
        commands.put("query-stats", query(MachineInfo::stats));
        commands.put("query-commands", this::list);
        commands.put("quit", this::quit);
    }

    /** One more command. Before anybody asks. */
    void put(String name, Command command) {
        commands.put(name, command);
    }

    /**
     * Whether there is such a command. Any thread.
     *
     * @param name its name
     * @return true if {@link #begin} takes it
     */
    boolean has(String name) {
        return commands.containsKey(name);
    }

    /**
     * Begins a command. Any thread.
     *
     * @param name its name
     * @param arguments its arguments
     * @param client who asks
     * @return completes in the main context with what is returned, or with what was wrong
     */
    CompletionStage<JsonNode> begin(String name, Arguments arguments, HeldSections client) {
        Command command = commands.get(name);
        if (command == null) {
            throw new IllegalArgumentException("no command '" + name + "'");
        }
        return machine.run(name, () -> command.begin(arguments, client).thenApply(each -> each));
    }

    private CompletionStage<JsonNode> get(Arguments arguments, HeldSections client) {
        return CompletableFuture.completedStage(JSON.numberNode(
                machine.askIoThread(IoThreadOptions.Property.readQuestion(arguments))));
    }

    private record Resize(String nodeName, long bytes) {}

    private CompletionStage<JsonNode> resize(Arguments arguments, HeldSections client) {
        Resize resize = new Resize(arguments.string("node-name"), arguments.size("size"));
        arguments.finish();
        return done(machine.resizeNode(resize.nodeName(), resize.bytes()));
    }

    private record Move(String nodeName, @Nullable String ioThread) {}

    private CompletionStage<JsonNode> move(Arguments arguments, HeldSections client) {
        Move move = new Move(
                arguments.string("node-name"), arguments.stringOrNull("iothread"));
        // Others need it to move a node that is in use; here that is nothing special.
        arguments.bool("force", false);
        arguments.finish();
        return done(machine.moveNode(move.nodeName(), move.ioThread()));
    }

    private record RemoveExport(String id, boolean hard) {}

    private CompletionStage<JsonNode> removeExport(Arguments arguments, HeldSections client) {
        RemoveExport remove = new RemoveExport(
                arguments.string("id"), arguments.choice("mode", "safe", "hard").equals("hard"));
        arguments.finish();
        return done(machine.removeExport(remove.id(), remove.hard()));
    }

    private CompletionStage<JsonNode> list(Arguments arguments, HeldSections client) {
        arguments.finish();
        ArrayNode names = JSON.arrayNode();
        names.addObject().put("name", Dialogue.NEGOTIATION);
        commands.keySet().forEach(name -> names.addObject().put("name", name));
        return CompletableFuture.completedStage(names);
    }

    private CompletionStage<JsonNode> quit(Arguments arguments, HeldSections client) {
        arguments.finish();
        quit.run();
        return CompletableFuture.completedStage(JSON.objectNode());
    }

    private Command query(Function<MachineInfo, JsonNode> question) {
        return (arguments, client) -> {
            arguments.finish();
            return CompletableFuture.completedStage(question.apply(machine.info()));
        };
    }

    private static String nodeName(Arguments arguments) {
        String name = arguments.string("node-name");
        arguments.finish();
        return name;
    }

    private static String id(Arguments arguments) {
        String id = arguments.string("id");
        arguments.finish();
        return id;
    }

    private static CompletionStage<JsonNode> done(CompletionStage<Void> stage) {
        return stage.thenApply(nothing -> JSON.objectNode());
    }
}
