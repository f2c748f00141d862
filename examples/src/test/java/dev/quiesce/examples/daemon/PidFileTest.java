package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One process at a time says that it is the one. */
class PidFileTest {
    private static final String OWN = ProcessHandle.current().pid() + "\n";

    @TempDir private Path directory;

    @Test
    void shouldHoldTheNumberWhileItIsOpen() throws IOException {
        Path path = directory.resolve("pid");
        Files.writeString(path, "a number of somebody who runs no more\n");

        try (PidFile file = PidFile.write(path)) {
            assertThat(path).hasContent(OWN.strip());
            assertThatThrownBy(() -> PidFile.write(path)).isInstanceOf(IOException.class)
                    .hasMessageContaining("another process holds it");
        }

        assertThat(path).doesNotExist();
    }

    @Test
    void shouldLeaveAloneWhatHasTakenItsPlace() throws IOException {
        Path path = directory.resolve("pid");
        try (PidFile file = PidFile.write(path)) {
            Files.delete(path);
            Files.writeString(path, "1\n");
        }

        assertThat(path).hasContent("1");
    }

    @Test
    void shouldLeaveADeviceAlone() throws IOException {
        PidFile.write(Path.of("/dev/null")).close();

        assertThat(Path.of("/dev/null")).exists();
        assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
    }
}
