package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.driver.BlockOpenException;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingExampleTest {
    private static final long LIMIT_NANOS = 60_000_000_000L;

    @TempDir
    private Path directory;

    @Test
    void shouldReadAndWriteTheImageAsTheReadmeSaysTwiceInARow() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);

        writeAsGuest(image, 5, 42);
        writeAsGuest(image, 6, 43);

        assertThat(Files.readAllBytes(image)[5 * 512 + 7]).isEqualTo((byte) 42);
        assertThat(Files.readAllBytes(image)[6 * 512 + 7]).isEqualTo((byte) 43);
    }

    @Test
    void shouldSayWhyAnImageCannotBeUsed() {
        assertThatThrownBy(() -> EmbeddingExample.main(
                new String[] {directory.resolve("missing").toString()}))
                .isInstanceOf(BlockOpenException.class)
                .hasMessageContaining("no such file");
    }

    @Test
    void shouldRunAsAProgram() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);

        EmbeddingExample.main(new String[] {image.toString()});

        assertThat(Files.readAllBytes(image)).containsOnly(0);
    }

    private static void writeAsGuest(Path image, int lba, int value) throws IOException {
        GuestRam ram = GuestRam.direct(0, 1 << 20);
        EmbeddingExample.run(image, ram, new GuestInterrupts(), (main, hba) -> {
            GuestScsi driver = new GuestScsi(hba, ram, GuestScsiConfig.likeLinux(), main.clock());
            GuestMachine machine = GuestMachine.single(main);
            GuestSession.begin(driver, machine, LIMIT_NANOS);
            byte[] block = new byte[512];
            block[7] = (byte) value;
            try (GuestSession session = new GuestSession(driver, machine, 4096, LIMIT_NANOS)) {
                List<FoundDisk> disks = new GuestProbe(session).scan(0);
                session.write(0, 0, GuestCdb.write10(lba, 1, true), block);

                assertThat(session.answer().isGood()).isTrue();
                assertThat(disks).hasSize(1);
            }
        });
    }
}
