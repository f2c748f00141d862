package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.scsi.spec.Sense;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What SYNCHRONIZE CACHE acknowledged to a guest is in the image, whatever happens to the process
 * and to the file system: seen from the guest, in a process of its own.
 */
class DurabilityTest {
    private static final int FLUSHES_BEFORE_KILL = 60;
    private static final int ROOM_KIB = 4096;

    @TempDir
    private Path directory;

    @Test
    void shouldLoseNothingThatAFlushAcknowledgedWhenTheProcessIsKilled() throws Exception {
        Path image = newImage();
        Process guest = start(List.of(), image);
        long acknowledged = 0;
        try (BufferedReader lines = guest.inputReader()) {
            int flushes = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(StampedGuest.ACKNOWLEDGED) && line.endsWith(".")) {
                    acknowledged = stamp(line);
                    flushes++;
                }
                if (flushes == FLUSHES_BEFORE_KILL) {
                    guest.toHandle().destroyForcibly();
                }
            }
        }
        assertThat(guest.waitFor(60, TimeUnit.SECONDS)).isTrue();

        assertThat(acknowledged).isGreaterThan(StampedGuest.CHUNKS);
        shouldHold(image, acknowledged);
    }

    /** Linux ends a write between two pages when the process is killed. */
    @Test
    void shouldNotMissWhatAWriteWithoutAFlushMayHaveReplacedInPart() {
        byte[] chunk = StampedGuest.chunk(7);
        long later = 7 + StampedGuest.CHUNKS;
        System.arraycopy(StampedGuest.chunk(later), 0, chunk, 0, 4096);

        assertThat(StampedGuest.survives(chunk, 7, later - 1)).isTrue();
        assertThat(StampedGuest.survives(chunk, 7, 7)).as("nobody had got so far").isFalse();
        assertThat(StampedGuest.survives(new byte[chunk.length], 7, later - 1)).isFalse();
        assertThat(StampedGuest.survives(StampedGuest.chunk(8), 7, later - 1)).isFalse();
    }

    @Test
    void shouldTellTheGuestThatTheFileSystemIsFullAndLoseNothing() throws Exception {
        List<String> inNamespace = namespace();
        if (inNamespace.isEmpty()) {
            shouldFailTheWrite(limited(), Sense.WRITE_ERROR);
            return; // A host that lets nobody mount: the file's own limit is the closest there is.
        }
        String mounted = "mount -t tmpfs -o size=" + ROOM_KIB + "k tmpfs " + directory
                + " && truncate -s " + StampedGuest.IMAGE_BYTES + " " + directory + "/full"
                + " && exec \"$@\"";
        List<String> through = new ArrayList<>(inNamespace);
        through.addAll(List.of("sh", "-c", mounted, "sh"));

        List<String> said = say(start(through, directory.resolve("full")));

        shouldHaveFailed(said, Sense.SPACE_ALLOCATION_FAILED);
    }

    @Test
    void shouldTellTheGuestThatTheImageMayNotGrowAndLoseNothing() throws Exception {
        shouldFailTheWrite(limited(), Sense.WRITE_ERROR);
    }

    private void shouldFailTheWrite(List<String> through, Sense sense) throws Exception {
        Path image = newImage();

        List<String> said = say(start(through, image));

        shouldHaveFailed(said, sense);
        shouldHold(image, lastAcknowledged(said));
    }

    private static void shouldHaveFailed(List<String> said, Sense sense) {
        long acknowledged = lastAcknowledged(said);
        assertThat(acknowledged).as(said.toString()).isPositive();
        assertThat(said).contains(StampedGuest.FAILED + sense,
                StampedGuest.READ_BACK + acknowledged, StampedGuest.OTHER_DISK + "good");
    }

    private static void shouldHold(Path image, long acknowledged) throws IOException {
        byte[] chunk = new byte[StampedGuest.CHUNK_BYTES];
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
            for (long stamp = StampedGuest.oldest(acknowledged); stamp <= acknowledged; stamp++) {
                file.seek(StampedGuest.offsetBytes(stamp));
                file.readFully(chunk);
                assertThat(StampedGuest.survives(chunk, stamp, acknowledged))
                        .as("stamp " + stamp + " of " + acknowledged).isTrue();
            }
        }
    }

    /** A sparse image, which needs room as it is written. */
    private Path newImage() throws IOException {
        Path image = directory.resolve("image");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(StampedGuest.IMAGE_BYTES);
        }
        return image;
    }

    /** Runs what follows with a limit on the size of files; in units of 512 bytes. */
    private static List<String> limited() {
        return List.of("sh", "-c", "ulimit -f " + ROOM_KIB * 2 + " && exec \"$@\"", "sh");
    }

    /** A command that lets what follows mount, or nothing where the host does not allow it. */
    private static List<String> namespace() throws InterruptedException {
        for (List<String> candidate : List.of(
                List.of("unshare", "-m"), List.of("unshare", "-U", "-r", "-m"))) {
            List<String> command = new ArrayList<>(candidate);
            command.addAll(List.of("mount", "-t", "tmpfs", "tmpfs", "/mnt"));
            if (isSuccessful(command)) {
                return candidate;
            }
        }
        return List.of();
    }

    private static boolean isSuccessful(List<String> command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException e) {
            return false; // There is no such command here.
        }
    }

    private static Process start(List<String> through, Path image) throws IOException {
        List<String> command = new ArrayList<>(through);
        command.addAll(Arrays.asList(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData", "-cp", System.getProperty("java.class.path"),
                StampedGuest.class.getName(), image.toString()));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    private static List<String> say(Process guest) throws Exception {
        try (BufferedReader lines = guest.inputReader()) {
            List<String> said = lines.lines().toList();
            assertThat(guest.waitFor(60, TimeUnit.SECONDS)).isTrue();
            return said;
        } finally {
            guest.destroyForcibly();
        }
    }

    private static long lastAcknowledged(List<String> said) {
        return said.stream().filter(line -> line.startsWith(StampedGuest.ACKNOWLEDGED))
                .mapToLong(DurabilityTest::stamp).max().orElse(0);
    }

    private static long stamp(String line) {
        return Long.parseLong(
                line.substring(StampedGuest.ACKNOWLEDGED.length(), line.length() - 1));
    }
}
