package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quiesce.examples.QuiesceProcess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own can show: signals, pipes, limits, and two JVMs with one seed. */
class DemoProcessTest {
    private static final int SIGINT_CODE = 130;
    private static final int SIGTERM_CODE = 143;
    /** A build that runs in the background ignores SIGINT, and so would its children. */
    private static final List<String> HEEDING_INTERRUPTS = Files.isDirectory(Path.of("/proc/self"))
            ? List.of("env", "--default-signal=INT") : List.of();

    /** Root without the privilege to read everything. */
    private static final List<String> OBEYING_PERMISSIONS =
            List.of("setpriv", "--bounding-set=-dac_override,-dac_read_search");

    /** Begins only when a line is typed. */
    private static final List<String> WHEN_TOLD =
            List.of("sh", "-c", "read -r line && exec \"$@\"", "sh");

    @TempDir
    private Path directory;

    @Test
    void shouldPrintTheTableWhenInterruptedInTheStorm() throws Exception {
        try (QuiesceProcess demo = QuiesceProcess.startWith(HEEDING_INTERRUPTS,
                "demo", "--image", image(1 << 20), "--luns", "1", "--seconds", "600")) {
            demo.awaitLine("SHA-256");
            demo.signal("INT");

            assertThat(demo.restOfOut()).contains("requests ", "lostRequests").endsWith("passed\n");
            assertThat(demo.exitCode()).as(demo.err()).isEqualTo(SIGINT_CODE);
            assertThat(demo.err()).isEmpty();
        }
    }

    @Test
    void shouldPrintAllOfTheJsonWhenTerminatedInTheStorm() throws Exception {
        try (QuiesceProcess demo = QuiesceProcess.start(
                "demo", "--image", image(1 << 20), "--luns", "1", "--seconds", "600", "--json")) {
            demo.awaitErr("SHA-256");
            demo.signal("TERM");

            JsonNode result = new ObjectMapper().readTree(demo.restOfOut());
            assertThat(demo.exitCode()).as(demo.err()).isEqualTo(SIGTERM_CODE);
            assertThat(result.get("sha256Matches").asBoolean()).isTrue();
            assertThat(result.get("lostRequests").asLong()).isZero();
        }
    }

    @Test
    void shouldStopWhileItComparesWithoutSayingWhetherTheContentIsRight() throws Exception {
        Path sparse = Path.of(image(1 << 20));
        try (FileChannel channel = FileChannel.open(sparse, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), (64L << 30) - 1);
        }
        for (String threads : List.of("2", "0")) {
            try (QuiesceProcess demo = QuiesceProcess.start("demo", "--image", sparse.toString(),
                    "--luns", "1", "--iothreads", threads, "--json")) {
                demo.awaitErr("Direct-Access");
                demo.signal("TERM");

                JsonNode result = new ObjectMapper().readTree(demo.restOfOut());
                assertThat(demo.exitCode()).as(demo.err()).isEqualTo(SIGTERM_CODE);
                assertThat(result.get("sha256Matches").isNull()).isTrue();
                assertThat(result.get("requests").asLong()).isZero();
            }
        }
    }

    @Test
    void shouldStopOnOneThread() throws Exception {
        try (QuiesceProcess demo = QuiesceProcess.startWith(HEEDING_INTERRUPTS, "demo",
                "--image", image(1 << 20), "--luns", "1", "--seconds", "600", "--iothreads", "0")) {
            demo.awaitLine("SHA-256");
            demo.signal("INT");

            assertThat(demo.restOfOut()).endsWith("passed\n");
            assertThat(demo.exitCode()).as(demo.err()).isEqualTo(SIGINT_CODE);
        }
    }

    @Test
    void shouldPrintNothingButJsonOnStandardOutput() throws Exception {
        try (QuiesceProcess demo = QuiesceProcess.start(
                "demo", "--image", image(1 << 20), "--seconds", "1", "--json")) {
            JsonNode result = new ObjectMapper().readTree(demo.restOfOut());

            assertThat(demo.exitCode()).as(demo.err()).isZero();
            assertThat(result.get("mismatches").asLong()).isZero();
            assertThat(demo.err().chars().filter(c -> c < ' ' && c != '\n')).isEmpty();
        }
    }

    @Test
    void shouldFailWhenNobodyTakesItsOutput() throws Exception {
        try (QuiesceProcess demo = QuiesceProcess.startWith(WHEN_TOLD,
                "demo", "--image", image(1 << 20), "--seconds", "1")) {
            demo.closeOut();
            demo.type("begin");

            assertThat(demo.exitCode()).isEqualTo(1);
            assertThat(demo.err().lines()).hasSize(1);
            assertThat(demo.err()).contains("standard output");
        }
    }

    @Test
    void shouldRepeatTheSameEventsInAnotherProcess() throws Exception {
        String image = image(1 << 20);
        String[] once = {"demo", "--image", image, "--iothreads", "0", "--steps", "300",
            "--seconds", "600", "--seed", "5", "--json"};
        String first;
        try (QuiesceProcess demo = QuiesceProcess.start(once)) {
            first = new ObjectMapper().readTree(demo.restOfOut()).get("eventHash").asText();
            assertThat(demo.exitCode()).as(demo.err()).isZero();
        }
        try (QuiesceProcess demo = QuiesceProcess.start(once)) {
            String second = new ObjectMapper().readTree(demo.restOfOut()).get("eventHash").asText();

            assertThat(second).isEqualTo(first);
        }
    }

    @Test
    void shouldShowTheGuestSenseDataWhenTheImageIsTruncatedWhileItRuns() throws Exception {
        Path image = Path.of(image(8 << 20));
        try (QuiesceProcess demo = QuiesceProcess.start("demo", "--image", image.toString(),
                "--luns", "1", "--seconds", "600")) {
            demo.awaitLine("SHA-256");
            try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
                channel.truncate(4096);
            }
            demo.awaitErr("truncated while in use");
            demo.signal("TERM");

            assertThat(demo.restOfOut()).endsWith("FAILED\n");
            assertThat(demo.exitCode()).isEqualTo(1);
            assertThat(demo.err()).contains("status 2 03/11/00").doesNotContain("\tat ");
        }
    }

    @Test
    void shouldSayThatAnImageMayNotBeRead() throws Exception {
        Path image = Path.of(image(4096));
        Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("---------"));
        List<String> through = Files.isReadable(image) ? OBEYING_PERMISSIONS : List.of();

        try (QuiesceProcess demo =
                QuiesceProcess.startWith(through, "demo", "--image", image.toString())) {
            assertThat(demo.restOfOut()).isEmpty();
            assertThat(demo.exitCode()).isEqualTo(1);
            assertThat(demo.err())
                    .isEqualTo("demo: cannot open " + image + ": permission denied\n");
        }
    }

    private String image(int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return Files.write(directory.resolve("disk-" + bytes + ".img"), content).toString();
    }
}
