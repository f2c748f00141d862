package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class ThreadsExampleTest {
    @Test
    void shouldTellOfEachStepOnWhichThreadItRuns() {
        ByteArrayOutputStream told = new ByteArrayOutputStream();

        new ThreadsExample(new PrintStream(told, true, StandardCharsets.UTF_8)).run();

        assertThat(told.toString(StandardCharsets.UTF_8).lines())
                .containsExactlyElementsOf(stepsOn(Thread.currentThread().getName()));
    }

    @Test
    void shouldRunAsAProgramThatEndsByItself() throws IOException, InterruptedException {
        try (QuiesceProcess program = QuiesceProcess.startInstead(ThreadsExample.class)) {
            String told = program.restOfOut();

            assertThat(program.exitCode()).isZero();
            assertThat(told.lines()).containsExactlyElementsOf(stepsOn("main"));
            assertThat(program.err()).as("left behind, or worse").isEmpty();
        }
    }

    private static List<String> stepsOn(String main) {
        return List.of(
                "[" + main + "] asks for a bottom half of io0",
                "[io0] runs the bottom half",
                "[" + main + "] has waited for: bottom half",
                "[guest] sets an event three times",
                "[" + main + "] has waited for: guest",
                "[" + main + "] runs the handler, once",
                "[" + main + "] has waited for: handler",
                "[io0] submits work",
                "[worker] works, and may block",
                "[io0] takes the result: 42",
                "[" + main + "] has waited for: work",
                "[" + main + "] is refused: context main, polled by thread " + main
                        + ", waits for what cannot happen: 1 outstanding at bottom half"
                        + " in context nobody's, owned by nobody");
    }
}
