package dev.quiesce.examples.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.examples.QuiesceProcess;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A daemon is told to stop while its guest writes as fast as it can, and never ceases to. What it
 * has taken by then is held up until it shuts its guest out ({@link HeldStop}).
 */
class StopUnderLoadTest {
    private static final int QUEUES = 3;
    private static final int PLACES = HeldStop.HELD;
    private static final int BLOCK_BYTES = 512;
    private static final int BLOCKS = 256;
    private static final int BYTES = BLOCKS * BLOCK_BYTES;
    private static final long WRITES_BEFORE = 2000;

    @TempDir
    private Path directory;
    private final List<Place> places = new ArrayList<>();
    private long answered;

    /** What was answered is in the image, and nothing else is: that was not even begun. */
    @Test
    void shouldAnswerWhatItHasTakenAndWriteNothingElse() throws Exception {
        Path image = Files.write(directory.resolve("image"), new byte[PLACES * BYTES]);
        Path socket = directory.resolve("socket");
        try (QuiesceProcess daemon = QuiesceProcess.startInstead(HeldStop.class,
                "--object", "iothread,id=io0",
                "--blockdev", "file,node-name=disk0,filename=" + image,
                "--export", "vhost-user-scsi,id=exp0,addr.type=unix,addr.path=" + socket
                        + ",node-name=disk0,iothread=io0",
                "--monitor", "unix:" + directory.resolve("monitor"));
                MonitorClient client =
                        MonitorClient.openWhenItListens(directory.resolve("monitor"));
                VhostUserGuest guest =
                        new VhostUserGuest(socket, directory.resolve("ram"), QUEUES)) {
            for (int i = 0; i < PLACES; i++) {
                places.add(new Place(guest, i));
            }
            while (answered < WRITES_BEFORE) {
                work(guest);
            }

            workUntil(guest, CompletableFuture.runAsync(() -> stop(daemon)));
            guest.driver.poll();
            long answeredBefore = answered;
            int ended = workUntil(guest, CompletableFuture.supplyAsync(() -> letGo(daemon)));

            assertThat(ended).as(daemon.err()).isZero();
            assertThat(daemon.err()).isEmpty();
            guest.driver.poll();
            assertThat(answered - answeredBefore).as("answers to what it had taken")
                    .isGreaterThanOrEqualTo(PLACES);
            assertThat(guest.driver.ledger().complaints()).isEmpty();
            byte[] written = Files.readAllBytes(image);
            for (Place place : places) {
                assertThat(Arrays.copyOfRange(
                        written, place.number * BYTES, (place.number + 1) * BYTES))
                        .as("place %s, version %s", place.number, place.answeredVersion)
                        .isEqualTo(content(place.number, place.answeredVersion));
            }
        }
    }

    private void work(VhostUserGuest guest) {
        for (Place place : places) {
            place.writeNext();
        }
        guest.driver.kick();
        guest.driver.poll();
    }

    private <T> T workUntil(VhostUserGuest guest, CompletableFuture<T> done) {
        while (!done.isDone()) {
            work(guest);
        }
        return done.join();
    }

    /** Until it is about to shut the guest out, and has taken everything that the guest has. */
    private static void stop(QuiesceProcess daemon) {
        try {
            daemon.signal("TERM");
            daemon.awaitLine(HeldStop.ALL_HELD);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Until the end. */
    private static int letGo(QuiesceProcess daemon) {
        try {
            daemon.type("go on");
            return daemon.exitCode();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Made quickly, so that the guest is ahead of the disk; each block says which write it is. */
    private static byte[] content(int place, long version) {
        byte[] bytes = new byte[BYTES];
        if (version > 0) {
            ByteBuffer blocks = ByteBuffer.wrap(bytes);
            for (int at = 0; at < BYTES; at += BLOCK_BYTES) {
                blocks.putLong(at, version).putInt(at + Long.BYTES, place);
            }
        }
        return bytes;
    }

    /** A few blocks that are written over and over, one write at a time. */
    private final class Place implements GuestCommand.Listener {
        private final VhostUserGuest guest;
        private final int number;
        private final long buffer;
        private final GuestCommand command;
        private long version;
        private long answeredVersion;

        Place(VhostUserGuest guest, int number) {
            this.guest = guest;
            this.number = number;
            this.buffer = guest.ram.allocate(BYTES, 512);
            this.command = guest.driver.newCommand(this);
        }

        void writeNext() {
            if (!command.isOutstanding()) {
                version++;
                guest.ram.write(buffer, content(number, version));
                submit();
            }
        }

        private void submit() {
            command.cdb(0, 0, GuestCdb.write10((long) number * BLOCKS, BLOCKS, false))
                    .dataOut(buffer, BYTES);
            assertThat(guest.driver.submit(0, command)).isTrue();
        }

        @Override
        public void onAnswered(GuestCommand answer) {
            if (answer.isGood()) {
                answeredVersion = version;
                answered++;
            } else {
                assertThat(answer.response()).isEqualTo(GuestCommand.RESPONSE_OK);
                assertThat(answer.sense().isUnitAttention()).as("%s", answer).isTrue();
                submit(); // The one of the power-on.
            }
        }
    }
}
