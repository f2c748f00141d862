package dev.quiesce.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingExampleTest {
    private static final long LIMIT_NANOS = 10_000_000_000L;

    @TempDir
    private Path directory;

    @Test
    void shouldReadAndWriteTheImageAsTheReadmeSays() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[1 << 20]);
        AioContext main = EmbeddingExample.newMain();
        GuestRam ram = GuestRam.direct(0, 1 << 20);
        VirtioScsi hba = EmbeddingExample.attach(main, image, ram, new GuestInterrupts());
        GuestScsi driver = new GuestScsi(hba, ram, GuestScsiConfig.likeLinux(), main.clock());
        GuestMachine machine = GuestMachine.single(main);
        GuestSession.begin(driver, machine, LIMIT_NANOS);
        byte[] block = new byte[512];
        block[7] = 42;

        try (GuestSession session = new GuestSession(driver, machine, 4096, LIMIT_NANOS)) {
            List<FoundDisk> disks = new GuestProbe(session).scan(0);
            session.write(0, 0, GuestCdb.write10(5, 1, true), block);

            assertThat(session.answer().isGood()).isTrue();
            assertThat(disks).hasSize(1);
        }

        assertThat(Files.readAllBytes(image)[5 * 512 + 7]).isEqualTo((byte) 42);
    }
}
