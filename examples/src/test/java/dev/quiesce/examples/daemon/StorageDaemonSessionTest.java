package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quiesce.examples.QuiesceProcess;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The session in docs/storage-daemon.md happens as it is written there, in a real process. */
class StorageDaemonSessionTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Equal, or the page says "..." there. */
    private static final Comparator<JsonNode> LIKENESS = (written, found) ->
            written.asText().equals("...") || written.equals(found) ? 0 : 1;

    @TempDir
    private Path directory;

    @Test
    void shouldHappenAsTheManualSays() throws Exception {
        try (RandomAccessFile image =
                new RandomAccessFile(directory.resolve("disk.img").toFile(), "rw")) {
            image.setLength(1 << 20);
        }
        try (QuiesceProcess daemon = QuiesceProcess.start(commandLine());
                MonitorClient client =
                        MonitorClient.connectWhenItListens(directory.resolve("monitor.sock"))) {
            assertThat(directory.resolve("vhost.sock")).exists();
            int lines = replay(client, block("-> {"));
            assertThat(lines).isGreaterThan(30);

            assertThat(daemon.exitCode()).as(daemon.err()).isZero();
            assertThat(daemon.err()).isEmpty();
        }
        assertThat(directory.toFile().list()).containsExactly("disk.img");
    }

    private int replay(MonitorClient client, List<String> lines) throws IOException {
        for (String line : lines) {
            String text = line.substring(3);
            if (line.startsWith("->")) {
                client.sendRaw(text + "\n");
            } else {
                JsonNode written = JSON.readTree(text);
                JsonNode found = written.has("QMP") ? client.greeting : written.has("event")
                        ? client.event(written.get("event").asText()) : client.answer();
                assertThat(written.equals(LIKENESS, found))
                        .as("expected %s%nbut was %s", text, found).isTrue();
            }
        }
        return lines.size();
    }

    /** As in the first block of the page, with files in the test's directory. */
    private String[] commandLine() throws IOException {
        String text = String.join(" ", block("storage-daemon \\")).replace("\\", "");
        for (String file : List.of("disk.img", "vhost.sock", "monitor.sock", "quiesce.pid")) {
            text = text.replace(file, directory.resolve(file).toString());
        }
        String[] words = text.trim().split("\\s+");
        int command = Arrays.asList(words).indexOf("storage-daemon");
        return Arrays.copyOfRange(words, command, words.length);
    }

    /** The fenced block in which some line contains some text. */
    private static List<String> block(String part) throws IOException {
        List<String> lines = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(page())) {
            if (line.startsWith("```")) {
                if (inside && lines.stream().anyMatch(each -> each.contains(part))) {
                    return lines;
                }
                inside = !inside;
                lines.clear();
            } else if (inside) {
                lines.add(line);
            }
        }
        throw new AssertionError("no block with '" + part + "' in " + page());
    }

    private static Path page() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(at.resolve(".mvn"))) {
            at = at.getParent();
        }
        return at.resolve("docs/storage-daemon.md");
    }
}
