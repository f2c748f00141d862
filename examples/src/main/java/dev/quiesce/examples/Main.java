package dev.quiesce.examples;

import dev.quiesce.examples.daemon.StorageDaemonCommand;
import dev.quiesce.examples.demo.DemoCommand;
import dev.quiesce.examples.story.StoryCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** The command line: exit 0 success, 1 the work failed, 2 wrong usage. */
@Command(
        name = "quiesce",
        description = "A block layer for machine emulators, at work.",
        mixinStandardHelpOptions = true,
        version = "quiesce 0.1.0",
        subcommands = {
            DemoCommand.class,
            StoryCommand.class,
            StorageDaemonCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Main implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /**
     * Runs a command and exits with its code.
     *
     * @param arguments command and options
     */
    public static void main(String[] arguments) {
        CommandLine line = commandLine();
        int code = execute(line, arguments);
        if (System.out.checkError() && code == CommandLine.ExitCode.OK) {
            line.getErr().println("quiesce: standard output takes no more");
            code = CommandLine.ExitCode.SOFTWARE;
        }
        System.exit(code);
    }

    /**
     * The command line without the exit, for tests.
     *
     * @return the command line
     */
    public static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setParameterExceptionHandler(Main::reportUsage)
                .setExecutionExceptionHandler(Main::report)
                .setCaseInsensitiveEnumValuesAllowed(true);
    }

    /** Runs a command; picocli catches exceptions, and lets errors through. */
    private static int execute(CommandLine line, String[] arguments) {
        try {
            return line.execute(arguments);
        } catch (OutOfMemoryError | StackOverflowError | LinkageError | AssertionError e) {
            line.getErr().println("quiesce: " + e.toString().lines().findFirst().orElse(""));
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }

    /** One line for what cannot be understood; the help is one command away. */
    private static int reportUsage(ParameterException e, String[] arguments) {
        CommandLine line = e.getCommandLine();
        String help = line.getCommandSpec().qualifiedName() + " --help";
        line.getErr().println(line.getCommandName() + ": " + firstLine(e) + " (see " + help + ")");
        line.getErr().flush();
        return line.getCommandSpec().exitCodeOnInvalidInput();
    }

    /** One line for what went wrong; never a stack trace. */
    private static int report(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
        line.getErr().println(line.getCommandName() + ": " + firstLine(e));
        line.getErr().flush();
        return line.getCommandSpec().exitCodeOnExecutionException();
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return message.lines().findFirst().orElse("");
    }
}
