package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UsageTest {
    private static final String ENDING = "Example.class";
    private static final int MORE_THAN_ANY_NEEDS = 9;

    @ParameterizedTest
    @MethodSource("examples")
    void shouldSayHowAnExampleIsStartedIfItIsStartedInAnotherWay(Class<?> example)
            throws IOException, InterruptedException {
        String usage = refusal(example, MORE_THAN_ANY_NEEDS);

        assertThat(usage).matches("usage: java -cp examples/target/quiesce.jar "
                + example.getName() + "( [A-Z]+)*\n");
        long needed = Arrays.stream(usage.trim().split(" ")).filter(UsageTest::isName).count();
        for (int fewer = 0; fewer < needed; fewer++) {
            assertThat(refusal(example, fewer)).as("%s arguments", fewer).isEqualTo(usage);
        }
    }

    @Test
    void shouldKnowTheExamples() throws IOException, URISyntaxException {
        assertThat(examples()).hasSizeGreaterThanOrEqualTo(5)
                .contains(EmbeddingExample.class, ThreadsExample.class);
    }

    /** What it says on standard error; it says nothing else, and ends as wrong usage does. */
    private static String refusal(Class<?> example, int arguments)
            throws IOException, InterruptedException {
        String[] missing = new String[arguments];
        Arrays.fill(missing, "/nowhere/missing");
        try (QuiesceProcess program = QuiesceProcess.startInstead(example, missing)) {
            assertThat(program.restOfOut()).isEmpty();
            assertThat(program.exitCode()).as(program.err()).isEqualTo(2);
            return program.err();
        }
    }

    private static boolean isName(String word) {
        return word.equals(word.toUpperCase(Locale.ROOT));
    }

    /** All of this package that are called so; a new one is among them. */
    static List<Class<?>> examples() throws IOException, URISyntaxException {
        Path directory = Path.of(Usage.class.getResource("Usage.class").toURI()).getParent();
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(ENDING))
                    .sorted().<Class<?>>map(UsageTest::load).toList();
        }
    }

    private static Class<?> load(String file) {
        String name = file.substring(0, file.length() - ".class".length());
        try {
            return Class.forName(Usage.class.getPackageName() + "." + name);
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
