package dev.quiesce.examples.story;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code story} command. */
@Command(
        name = "story",
        mixinStandardHelpOptions = true,
        description = "Tells what was wrong with older designs, as a search finds it.",
        footer = {
            "",
            "Searches the schedules of three generations of request walks and of two ways to read a"
                    + " backend's context, and tells the shortest failures of the old ones step by"
                    + " step. The same search finds nothing in Quiesce."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:all was found as told", "1:it was not", "2:wrong usage"})
public final class StoryCommand implements Callable<Integer> {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public Integer call() {
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        boolean asExpected = SeedStory.tell(new PrintStream(told, true, StandardCharsets.UTF_8));
        PrintWriter out = spec.commandLine().getOut();
        out.print(told.toString(StandardCharsets.UTF_8));
        out.flush();
        return asExpected ? 0 : 1;
    }
}
