package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    private static final int COLUMNS = 80;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldHelpWithEveryCommandOnATerminalOfEightyColumns() {
        for (Map.Entry<String, CommandLine> each : line().getSubcommands().entrySet()) {
            out.getBuffer().setLength(0);

            assertThat(line().execute(each.getKey(), "--help")).as(each.getKey()).isZero();
            assertThat(out.toString()).contains("Usage: quiesce " + each.getKey());
            assertThat(out.toString().lines()).allMatch(text -> text.length() <= COLUMNS);
        }
        assertThat(line().execute("--help")).isZero();
        assertThat(line().execute("help", "demo")).isZero();
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void shouldSayInOneLineThatACommandIsMissingOrUnknown() {
        for (String[] wrong : new String[][] {{}, {"nosuch"}, {"--nosuch"}}) {
            assertThat(line().execute(wrong)).isEqualTo(2);
            assertThat(err.toString().lines()).hasSize(1);
            assertThat(err.toString()).endsWith("(see quiesce --help)\n");
            err.getBuffer().setLength(0);
        }
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void shouldPrintItsVersion() {
        assertThat(line().execute("--version")).isZero();
        assertThat(out.toString()).matches("quiesce \\d+\\.\\d+\\.\\d+\\R");
    }

    private CommandLine line() {
        return Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    }
}
