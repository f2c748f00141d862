package dev.quiesce.examples.daemon;

import dev.quiesce.examples.daemon.machine.Machine;
import dev.quiesce.examples.daemon.machine.Transport;
import dev.quiesce.examples.daemon.option.Arguments;
import dev.quiesce.examples.daemon.option.BlockdevOptions;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.examples.daemon.option.IoThreadOptions;
import dev.quiesce.examples.daemon.option.OptionText;
import dev.quiesce.examples.daemon.option.WrongOptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The {@code storage-daemon} command. */
@Command(
        name = "storage-daemon",
        mixinStandardHelpOptions = true,
        description = "Serves disks to guests of other processes.",
        footer = {
            "",
            "Ends at SIGTERM, at SIGINT, or when its monitor says quit: drains, flushes, closes.",
            "",
            "Options are carried out in the order in which they stand. A value is key=value,..."
                    + " (a comma in it is written twice) or a JSON object."
        })
public final class StorageDaemonCommand implements Callable<Integer> {
    private static final String UNIX = "unix:";

    private final Transport transport;
    private final Runnable standing;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @ArgGroup(exclusive = true, multiplicity = "0..*")
    private List<Item> items = new ArrayList<>();

    @Option(names = "--pidfile", paramLabel = "PATH",
            description = "Holds the number of the process while it serves.")
    private @Nullable Path pidFile;

    /** The command as users start it: guests come by vhost-user. */
    public StorageDaemonCommand() {
        this(new VhostUserTransport(), () -> { });
    }

    /** With guests that come another way; {@code standing} runs when everything is built. */
    StorageDaemonCommand(Transport transport, Runnable standing) {
        this.transport = transport;
        this.standing = standing;
    }

    /** One of the options whose order counts. */
    static final class Item {
        @Option(names = "--blockdev", required = true, paramLabel = "BLOCKDEV",
                description = "A node: driver=file|raw|memory|null-co|overlay|passthrough,"
                        + "node-name=NAME,...")
        private @Nullable String blockdev;

        @Option(names = "--object", required = true, paramLabel = "OBJECT",
                description = "An IOThread: iothread,id=NAME")
        private @Nullable String object;

        @Option(names = "--export", required = true, paramLabel = "EXPORT",
                description = "type=vhost-user-scsi,id=NAME,addr.type=unix,addr.path=PATH,"
                        + "node-name=NAME[,node-name=NAME...][,num-queues=N][,iothread=NAME]")
        private @Nullable String export;

        @Option(names = "--monitor", required = true, paramLabel = "unix:PATH",
                description = "JSON lines in the form of QMP on a Unix socket.")
        private @Nullable String monitor;

        DaemonStep step() {
            if (blockdev != null) {
                return read("--blockdev", blockdev, "driver", Set.of(), arguments -> {
                    BlockdevOptions options = BlockdevOptions.read(arguments);
                    return machine -> machine.addNode(options);
                });
            }
            if (object != null) {
                return read("--object", object, "qom-type", Set.of(), arguments -> {
                    IoThreadOptions options = IoThreadOptions.read(arguments);
                    return machine -> machine.addIoThread(options);
                });
            }
            if (export != null) {
                return read("--export", export, "type", ExportOptions.REPEATABLE, arguments -> {
                    ExportOptions options = ExportOptions.read(arguments);
                    return machine -> machine.addExport(options);
                });
            }
            return listen(String.valueOf(monitor));
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        List<DaemonStep> steps = new ArrayList<>();
        try {
            items.forEach(item -> steps.add(item.step()));
        } catch (WrongOptionException e) {
            return complain(String.valueOf(e.getMessage()), CommandLine.ExitCode.USAGE);
        }
        StorageDaemon daemon = new StorageDaemon(transport);
        try (StopSignal signal = StopSignal.install(daemon)) {
            daemon.run(steps, pidFile, standing);
            return daemon.isSound() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        } catch (StepFailedException e) {
            return complain(String.valueOf(e.getMessage()), e.isWrongUsage()
                    ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE);
        }
    }

    private int complain(String message, int exitCode) {
        spec.commandLine().getErr().println("storage-daemon: " + message);
        spec.commandLine().getErr().flush();
        return exitCode;
    }

    private interface Reader {
        Function<Machine, CompletionStage<Void>> read(Arguments arguments);
    }

    private static DaemonStep read(
            String option, String text, String impliedKey, Set<String> repeatable, Reader reader) {
        try {
            Arguments arguments = OptionText.parse(text, impliedKey, repeatable);
            return new DaemonStep.Build(option + " " + text, reader.read(arguments));
        } catch (WrongOptionException e) {
            throw new WrongOptionException(option + " " + text + ": " + e.getMessage());
        }
    }

    private static DaemonStep listen(String text) {
        if (!text.startsWith(UNIX) || text.length() == UNIX.length()) {
            throw new WrongOptionException(
                    "--monitor " + text + ": expected unix:PATH, not '" + text + "'");
        }
        return new DaemonStep.Listen(
                "--monitor " + text, Path.of(text.substring(UNIX.length())));
    }
}
