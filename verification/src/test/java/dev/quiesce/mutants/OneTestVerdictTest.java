package dev.quiesce.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A verdict is green or red only if every test has run, and each invocation of it counts. */
class OneTestVerdictTest {
    private static final String WANTED = "quiesce.verdict.sample";

    private final StringWriter out = new StringWriter();

    @Test
    void shouldBeGreenWhenEveryInvocationOfAParameterisedTestIs() throws Exception {
        assertThat(verdict("isPositive")).as(out.toString()).isEqualTo(OneTest.GREEN);
    }

    @Test
    void shouldBeRedWhenOneInvocationIs() throws Exception {
        assertThat(verdict("isOdd")).isEqualTo(OneTest.RED);

        assertThat(out.toString()).contains("2 is not odd").doesNotContain("3 is not odd");
    }

    @Test
    void shouldRunParameterisedTestsAndOthersTogether() throws Exception {
        assertThat(verdict("isPositive", "isPlain")).as(out.toString()).isEqualTo(OneTest.GREEN);
        assertThat(verdict("isOdd", "isPlain")).isEqualTo(OneTest.RED);
    }

    @Test
    void shouldSayThatATestDidNotRun() throws Exception {
        assertThat(verdict("isPlain", "isNoTest")).isEqualTo(OneTest.NOT_RUN);
        assertThat(verdict("isSkippedForTwo")).isEqualTo(OneTest.NOT_RUN);
    }

    /** Not green: a test whose parameters are gone would notice nothing. */
    @Test
    void shouldBeRedWhenThereIsNothingToInvokeItWith() throws Exception {
        assertThat(verdict("isPlain", "isNeverInvoked")).isEqualTo(OneTest.RED);
    }

    private int verdict(String... methods) throws ClassNotFoundException {
        List<String> tests = Stream.of(methods)
                .map(method -> Sample.class.getName() + "#" + method).toList();
        System.setProperty(WANTED, "true");
        try {
            return OneTest.run("10", tests, new PrintWriter(out, true));
        } finally {
            System.clearProperty(WANTED);
        }
    }

    /** What is run here, and not by itself, though a pattern may name it. */
    @EnabledIfSystemProperty(named = WANTED, matches = "true")
    static final class Sample {
        @Test
        void isPlain() {
            assertThat(none()).isEmpty();
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3})
        void isPositive(int number) {
            assertThat(number).isPositive();
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3})
        void isOdd(int number) {
            assertThat(number % 2).as("%s is not odd", number).isEqualTo(1);
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 3})
        void isSkippedForTwo(int number) {
            assumeTrue(number != 2);
        }

        @ParameterizedTest
        @MethodSource("none")
        void isNeverInvoked(int number) {
            assertThat(number).isPositive();
        }

        static Stream<Integer> none() {
            return Stream.empty();
        }

        void isNoTest() {
            assertThat(none()).as("nobody calls this").isNotEmpty();
        }
    }
}
