package dev.quiesce.driver.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.Spin;
import dev.quiesce.aio.Workers;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.TestNode;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FileInterruptTest extends FileFixture {
    private final AtomicBoolean due = new AtomicBoolean();

    @AfterEach
    void takeInterruptBack() {
        Thread.interrupted();
    }

    private void interruptOnce() {
        if (due.getAndSet(false)) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void shouldNotCloseTheFileForAThreadThatComesInterrupted() throws IOException {
        open(LENGTH);
        Thread.currentThread().interrupt();

        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(rig.write(0, bytes(512))).isEqualTo(BlockStatus.OK);
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);

        assertThat(host.opened).hasValue(1);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void shouldCarryAReadThroughAnInterrupt() throws IOException {
        open(LENGTH);
        host.read = (real, buffer, at) -> {
            interruptOnce();
            return real.read(buffer, at);
        };
        due.set(true);

        assertThat(rig.read(512, 4096)).isEqualTo(Arrays.copyOfRange(content, 512, 4608));

        assertThat(host.opened).hasValue(2);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(host.opened).hasValue(2);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void shouldCarryAWriteThroughAnInterrupt() throws IOException {
        open(LENGTH);
        host.write = (real, buffer, at) -> {
            interruptOnce();
            return real.write(buffer, at);
        };
        due.set(true);

        assertThat(rig.write(512, bytes(4096))).isEqualTo(BlockStatus.OK);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(rig.read(512, 4096)).isEqualTo(bytes(4096));
    }

    @Test
    void shouldRepeatWhatAnInterruptLeftHalfDone() throws IOException {
        open(LENGTH);
        host.write = (real, buffer, at) -> {
            int limit = buffer.limit();
            if (due.getAndSet(false)) {
                buffer.limit(buffer.position() + 100);
                real.write(buffer, at);
                buffer.limit(limit);
                real.close();
                Thread.currentThread().interrupt();
                throw new ClosedByInterruptException();
            }
            return real.write(buffer, at);
        };
        due.set(true);

        assertThat(rig.write(512, bytes(4096))).isEqualTo(BlockStatus.OK);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(rig.read(512, 4096)).isEqualTo(bytes(4096));
    }

    @Test
    void shouldCarryTheSizeCheckThroughAnInterrupt() throws IOException {
        open(LENGTH);
        host.size = real -> interruptOnce();
        due.set(true);

        assertThat(rig.write(512, bytes(4096))).isEqualTo(BlockStatus.OK);

        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void shouldAskTheWitnessWhenAnInterruptHidesTheVerdictOfAFlush() throws IOException {
        open(LENGTH);
        host.force = real -> interruptOnce();
        due.set(true);

        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);

        assertThat(host.syncs).hasValue(1);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
        assertThat(host.syncs).hasValue(1);
    }

    @Test
    void shouldFailTheFlushWhenTheWitnessSaysSo() throws IOException {
        open(LENGTH);
        host.force = real -> interruptOnce();
        host.sync = () -> {
            throw new IOException("Input/output error");
        };
        due.set(true);

        assertThat(rig.flush()).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(rig.flush()).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void shouldNotTakeAnotherFileForItsOwn() throws IOException {
        open(LENGTH);
        Path other = Files.write(directory.resolve("other"), new byte[LENGTH]);
        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
        host.read = (real, buffer, at) -> {
            interruptOnce();
            return real.read(buffer, at);
        };
        due.set(true);

        assertThat(rig.tryRead(0, 512)).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(rig.cause()).hasMessageContaining("replaced");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void shouldFailWhenInterruptsNeverEnd() throws IOException {
        open(LENGTH);
        host.read = (real, buffer, at) -> {
            Thread.currentThread().interrupt();
            return real.read(buffer, at);
        };

        assertThat(rig.tryRead(0, 512)).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(Thread.interrupted()).isTrue();
        host.read = FileChannel::read;
        assertThat(rig.read(0, LENGTH)).isEqualTo(content);
    }

    /** Two machines share the image; each is interrupted somewhere in each of its rounds. */
    @Test
    void shouldLoseNeitherTheDiskNorTheInterruptInAStorm() throws Exception {
        create(LENGTH);
        driver = FileDriver.open(FileConfig.writable(path));
        TestNode node = TestNode.of(driver);
        Machine[] machines = {new Machine(node, 0), new Machine(node, 1)};
        for (Machine machine : machines) {
            machine.thread.start();
        }

        int[] interruptedIn = {0, 0};
        Spin.until(() -> {
            for (int i = 0; i < machines.length; i++) {
                int round = machines[i].rounds.get();
                if (round != interruptedIn[i]) {
                    interruptedIn[i] = round;
                    machines[i].thread.interrupt();
                }
            }
            return !machines[0].isRunning() && !machines[1].isRunning();
        }, "both machines have ended");

        driver.close();
        for (Machine machine : machines) {
            machine.thread.join();
            assertThat(machine.mismatches).hasValue(0);
            assertThat(machine.interruptsSeen.get()).isPositive();
        }
    }

    /** Writes and reads its half of the image on a thread and a context of its own. */
    private static final class Machine {
        private static final int ROUNDS = 1000;

        /** No machine goes on for ever, should all its interrupts get lost. */
        private static final int ROUNDS_MAX = 1_000_000;
        private static final int SECTORS = LENGTH / 2 / 512;

        private final AtomicInteger rounds = new AtomicInteger();
        private final AtomicInteger interruptsSeen = new AtomicInteger();
        private final AtomicInteger mismatches = new AtomicInteger();
        private final TestNode node;
        private final int half;
        private final Thread thread = new Thread(this::run);

        Machine(TestNode node, int half) {
            this.node = node;
            this.half = half;
        }

        /** Whether there are rounds left: also until the other thread came to interrupt it. */
        boolean isRunning() {
            int done = rounds.get();
            return done < ROUNDS || (done < ROUNDS_MAX && interruptsSeen.get() == 0);
        }

        private void run() {
            Random random = new Random(half);
            try (Rig own = new Rig(node, Workers.inline())) {
                while (isRunning()) {
                    long offset = (half * SECTORS + random.nextInt(SECTORS)) * 512L;
                    mismatches.addAndGet(writeAndRead(own, offset, random) ? 0 : 1);
                    interruptsSeen.addAndGet(Thread.interrupted() ? 1 : 0);
                    rounds.incrementAndGet();
                }
            } finally {
                rounds.set(ROUNDS_MAX);
            }
        }

        private boolean writeAndRead(Rig own, long offset, Random random) {
            byte[] bytes = new byte[512];
            random.nextBytes(bytes);
            return own.write(offset, bytes).isOk()
                    && Arrays.equals(own.read(offset, 512), bytes)
                    && (rounds.get() % 50 != 0 || own.flush().isOk());
        }
    }
}
