package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileKillTest {
    private static final int FLUSHES = 12;

    @TempDir
    Path directory;

    @Test
    void shouldLoseNothingThatAFlushAcknowledgedWhenTheProcessIsKilled() throws Exception {
        Path path = Files.write(directory.resolve("disk"),
                new byte[KilledWriter.SECTORS * KilledWriter.SECTOR_BYTES]);

        long acknowledged = killUnderLoad(path);

        FileDriver driver = FileDriver.open(FileConfig.readOnly(path));
        try (Rig rig = new Rig(TestNode.of(driver))) {
            for (long stamp = acknowledged - KilledWriter.SECTORS + 1; stamp <= acknowledged;
                    stamp++) {
                byte[] sector = rig.read(stamp % KilledWriter.SECTORS * KilledWriter.SECTOR_BYTES,
                        KilledWriter.SECTOR_BYTES);
                long found = ByteBuffer.wrap(sector).getLong();
                assertThat(found).isGreaterThanOrEqualTo(stamp);
                assertThat(sector).isEqualTo(KilledWriter.sector(found));
            }
        }
        driver.close();
    }

    /** Kills the writer after some flushes; returns the last stamp it said was durable. */
    private static long killUnderLoad(Path path) throws IOException, InterruptedException {
        Process writer = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"),
                KilledWriter.class.getName(), path.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        long acknowledged = -1;
        try (BufferedReader lines = writer.inputReader()) {
            int seen = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.length() == KilledWriter.DIGITS) {
                    acknowledged = Long.parseLong(line);
                }
                seen++;
                if (seen == FLUSHES) {
                    writer.toHandle().destroyForcibly();
                }
            }
            assertThat(seen).isGreaterThanOrEqualTo(FLUSHES);
        }
        assertThat(writer.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return acknowledged;
    }
}
