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
        description = {
            "Searches all schedules of three generations of request walks and of two ways to read",
            "a backend's context, and tells the shortest failures of the old ones step by step."
        })
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
