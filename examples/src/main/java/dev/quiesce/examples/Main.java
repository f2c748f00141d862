package dev.quiesce.examples;

import dev.quiesce.examples.demo.DemoCommand;
import dev.quiesce.examples.story.StoryCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: exit 0 success, 1 the work failed, 2 wrong usage. */
@Command(
        name = "quiesce",
        description = "A block layer for machine emulators, at work.",
        mixinStandardHelpOptions = true,
        version = "quiesce 0.1.0",
        subcommands = {DemoCommand.class, StoryCommand.class, CommandLine.HelpCommand.class})
public final class Main implements Runnable {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    /**
     * Runs a command and exits with its code.
     *
     * @param arguments command and options
     */
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    /**
     * The command line without the exit, for tests.
     *
     * @return the command line
     */
    public static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setExecutionExceptionHandler(Main::report)
                .setCaseInsensitiveEnumValuesAllowed(true);
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "missing command");
    }

    /** One line for what went wrong; never a stack trace. */
    private static int report(Exception e, CommandLine line, CommandLine.ParseResult parsed) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        String firstLine = message.lines().findFirst().orElse("");
        line.getErr().println(line.getCommandName() + ": " + firstLine);
        line.getErr().flush();
        return line.getCommandSpec().exitCodeOnExecutionException();
    }
}
