package dev.quiesce.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quiesce.examples.Main;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class DemoCommandTest {
    private static final int ODD_BYTES = 3_000_001;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    @Test
    void shouldServeAnImageOfOddSizeAndLeaveItAlone() throws IOException {
        Path image = image(ODD_BYTES);
        byte[] before = Files.readAllBytes(image);

        int code = demo("--image", image.toString(), "--seconds", "2", "--json", "--seed", "3");

        JsonNode result = new ObjectMapper().readTree(out.toString());
        assertThat(err.toString()).as("failures").doesNotContain("demo: ");
        assertThat(code).isZero();
        assertThat(result.get("sha256Matches").asBoolean()).isTrue();
        assertThat(result.get("mismatches").asLong()).isZero();
        assertThat(result.get("lostRequests").asLong()).isZero();
        assertThat(Files.readAllBytes(image)).isEqualTo(before);
    }

    @Test
    void shouldReportEveryCounterThatTheManualNames() throws IOException {
        demo("--image", image(1 << 20).toString(), "--seconds", "0", "--json");

        JsonNode result = new ObjectMapper().readTree(out.toString());
        assertThat(result.fieldNames()).toIterable().contains(
                "requests", "bytes", "iops", "p50Micros",
                "p99Micros", "drains", "contextChanges", "changesWithInFlight", "queueRehomes",
                "contextReadsDuringChange", "parked", "replayed", "cancelledWhileParked",
                "cancelledInDriver", "walksAwaited", "removalsWithRequestsListed",
                "dataplaneRestarts", "aborts", "resets", "replugs", "graphEdits",
                "oldestRequestMillis", "sha256Matches", "mismatches", "lostRequests");
    }

    @Test
    void shouldRepeatTheSameEventsOnOneThreadForTheSameSeed() throws IOException {
        Path image = image(1 << 20);

        String first = eventHash(image, 7);
        String second = eventHash(image, 7);
        String other = eventHash(image, 8);

        assertThat(second).isEqualTo(first);
        assertThat(other).isNotEqualTo(first);
    }

    @Test
    void shouldNameOptionRangeAndValueInOneLineAndExitWithTwo() {
        for (List<String> wrong : List.of(
                List.of("--iothreads", "-1", "0..64"), List.of("--iothreads", "65", "0..64"),
                List.of("--luns", "257", "1..256"), List.of("--luns", "0", "1..256"),
                List.of("--luns", "many", "1..256"), List.of("--luns", "3.5", "1..256"),
                List.of("--luns", "99999999999999999999", "1..256"),
                List.of("--queues", "0", "1..64"), List.of("--queues", "-7", "1..64"),
                List.of("--queues", "65", "1..64"),
                List.of("--depth", "0", "1..128"), List.of("--depth", "1000", "1..128"),
                List.of("--seconds", "-5", "0..86400"), List.of("--seconds", "1e3", "0..86400"),
                List.of("--seconds", "86401", "0..86400"),
                List.of("--seed", "9223372036854775808", "..9223372036854775807"),
                List.of("--seed", "x", "..9223372036854775807"),
                List.of("--steps", "0", "1..9223372036854775807"),
                List.of("--steps", "-1", "1..9223372036854775807"))) {
            refuse(wrong.subList(0, 2), wrong.toArray(String[]::new));
        }
    }

    @Test
    void shouldRefuseInOneLineWhatItDoesNotUnderstand() {
        refuse(List.of("--bogus"), "--bogus");
        refuse(List.of("extra"), "extra");
        refuse(List.of("--luns"), "--luns");
        refuse(List.of("--image"), "--image");
        refuse(List.of("--image", ""), "--image");
        refuse(List.of("--image", "a", "--image", "b"), "--image");
        refuse(List.of("--json=maybe"), "--json", "maybe");
    }

    @Test
    void shouldSayInOneLineWhyAnImageCannotBeUsedAndExitWithOne() throws IOException {
        Path empty = Files.createFile(directory.resolve("empty.img"));
        for (Path unusable : List.of(directory.resolve("missing.img"), directory, empty)) {
            int code = demo("--image", unusable.toString(), "--seconds", "1");

            assertThat(code).as(unusable.toString()).isEqualTo(1);
            assertThat(err.toString().lines()).hasSize(1);
            assertThat(err.toString()).contains(unusable.toString()).doesNotContain("\tat ");
            err.getBuffer().setLength(0);
        }
    }

    @Test
    void shouldServeAnImageSmallerThanABlockOfTheGuest() throws IOException {
        int code = demo("--image", image(1).toString(), "--seconds", "600", "--steps", "100",
                "--json");

        assertThat(err.toString()).doesNotContain("demo: ");
        assertThat(code).isZero();
        JsonNode result = new ObjectMapper().readTree(out.toString());
        assertThat(result.get("sha256Matches").asBoolean()).isTrue();
        assertThat(result.get("requests").asLong()).isPositive();
    }

    @Test
    @Rule("PURGE-2")
    void shouldRunWithOneDiskOneQueueAndOneIoThread() throws IOException {
        int code = demo("--image", image(1 << 20).toString(), "--seconds", "1", "--luns", "1",
                "--queues", "1", "--iothreads", "1", "--depth", "4");

        assertThat(err.toString()).doesNotContain("demo: ");
        assertThat(code).isZero();
        assertThat(out.toString()).contains("passed");
    }

    private void refuse(List<String> options, String... named) {
        int code = demo(options.toArray(String[]::new));

        assertThat(code).as(options.toString()).isEqualTo(2);
        assertThat(err.toString().lines()).as(options.toString()).hasSize(1);
        assertThat(err.toString()).contains(named).endsWith("(see quiesce demo --help)\n");
        assertThat(out.toString()).isEmpty();
        err.getBuffer().setLength(0);
    }

    private String eventHash(Path image, int seed) throws IOException {
        out.getBuffer().setLength(0);
        int code = demo("--image", image.toString(), "--iothreads", "0", "--steps", "400",
                "--seconds", "600", "--json", "--seed", Integer.toString(seed));
        assertThat(err.toString()).doesNotContain("demo: ");
        assertThat(code).isZero();
        return new ObjectMapper().readTree(out.toString()).get("eventHash").asText();
    }

    private int demo(String... options) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return line.execute(
                Stream.concat(Stream.of("demo"), Arrays.stream(options)).toArray(String[]::new));
    }

    private Path image(int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return Files.write(directory.resolve("disk-" + bytes + ".img"), content);
    }
}
