package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.GraphEdit;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.FaultDriver;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.memory.RegionMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the host does to a disk reaches the guest as sense data, and nobody else. */
class HostTroubleTest {
    private static final int IMAGE_BYTES = 1 << 20;
    private static final int ROUNDS = 200;

    /** Of two in each round: what comes then has to keep the last interrupt. */
    private static final int COMMANDS_INTERRUPTED = 350;
    private static final long PAGE = 1L << 30;

    @TempDir
    private Path directory;

    @Test
    @Rule("SENSE-20")
    void shouldReturnSenseWhenTheImageIsTruncatedWhileRunning() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[IMAGE_BYTES]);
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.plug(machine.newDisk(FileDriver.open(FileConfig.readOnly(image))),
                    new ScsiAddress(1, 0));
            machine.begun();
            try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE);
                    GuestSession session = machine.session()) {
                channel.truncate(4096);

                session.read(1, 0, GuestCdb.read10(100, 1), 512);
                GuestCommand truncated = session.answer();
                assertThat(truncated.response()).isEqualTo(GuestCommand.RESPONSE_OK);
                assertThat(truncated.sense()).isEqualTo(Sense.READ_ERROR);
                session.read(1, 0, GuestCdb.read10(0, 1), 512);
                assertThat(session.answer().isGood()).isTrue();
                session.read(0, 0, GuestCdb.read10(100, 1), 512);
                assertThat(session.answer().isGood()).isTrue();
            }
        }
    }

    @Test
    @Rule("SENSE-20")
    void shouldReturnSenseWhenTheImageCannotBeReadAnyMore() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[IMAGE_BYTES]);
        FaultDriver fault = new FaultDriver(request -> BlockStatus.OK);
        try (ScsiMachine machine = ScsiMachine.withDisks(1)) {
            machine.plug(machine.newDisk(FileDriver.open(FileConfig.writable(image))),
                    new ScsiAddress(1, 0));
            GraphEdit edit = machine.graph.edit();
            edit.insertFilter("fault", fault, machine.graph.nodes().get(2));
            machine.await(machine.graph.apply(edit));
            machine.begun();
            try (GuestSession session = machine.session()) {
                fault.rule(request -> BlockStatus.IO_ERROR);

                session.read(1, 0, GuestCdb.read10(0, 1), 512);
                assertThat(session.answer().sense()).isEqualTo(Sense.READ_ERROR);
                assertThat(session.write(1, 0, GuestCdb.write10(0, 1, false), new byte[512])
                        .sense()).isEqualTo(Sense.WRITE_ERROR);
                session.read(0, 0, GuestCdb.read10(0, 1), 512);
                assertThat(session.answer().isGood()).isTrue();

                fault.rule(request -> BlockStatus.OK);
                session.read(1, 0, GuestCdb.read10(0, 1), 512);
                assertThat(session.answer().isGood()).isTrue();
            }
        }
    }

    @Test
    void shouldGoOnServingAnImageWhosePermissionsOrNameAreTakenAway() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[IMAGE_BYTES]);
        try (ScsiMachine machine = ScsiMachine.withDisks(0)) {
            machine.plug(machine.newDisk(FileDriver.open(FileConfig.writable(image))),
                    new ScsiAddress(0, 0));
            machine.begun();
            try (GuestSession session = machine.session()) {
                Files.setPosixFilePermissions(image, Set.of());
                Files.delete(image);

                byte[] block = {1, 2, 3};
                assertThat(session.write(0, 0, GuestCdb.write10(7, 1, true),
                        Arrays.copyOf(block, 512)).isGood()).isTrue();
                assertThat(session.read(0, 0, GuestCdb.read10(7, 1), 512)).startsWith(block);
            }
        }
    }

    @Test
    void shouldServeTheGuestWhileTheThreadOfTheMachineIsInterrupted() throws Exception {
        Path image = Files.write(directory.resolve("disk.img"), new byte[IMAGE_BYTES]);
        AtomicInteger commands = new AtomicInteger();
        FutureTask<Boolean> machine =
                new FutureTask<>(() -> isServedInSpiteOfInterrupts(image, commands));
        Thread thread = new Thread(machine, "machine");

        thread.start();
        AtomicInteger interrupted = new AtomicInteger(-1);
        until(() -> {
            int now = commands.get();
            if (now != interrupted.getAndSet(now)) {
                thread.interrupt();
            }
            return now >= COMMANDS_INTERRUPTED || !thread.isAlive();
        }, "it was interrupted in enough commands");

        assertThat(machine.get()).as("kept its interrupt").isTrue();
    }

    private static void until(BooleanSupplier isSo, String awaited) {
        long begun = System.nanoTime();
        while (!isSo.getAsBoolean()) {
            assertThat(System.nanoTime() - begun).as("not yet: %s", awaited)
                    .isLessThan(TimeUnit.SECONDS.toNanos(60));
            Thread.onSpinWait();
        }
    }

    /**
     * Runs a machine on this thread, once that was interrupted for the first time, and counts the
     * commands that it begins; returns whether it is interrupted in the end.
     */
    private static boolean isServedInSpiteOfInterrupts(Path image, AtomicInteger commands)
            throws IOException {
        until(() -> Thread.currentThread().isInterrupted(), "it is interrupted");
        try (ScsiMachine machine = ScsiMachine.withDisks(0)) {
            machine.plug(machine.newDisk(FileDriver.open(FileConfig.writable(image))),
                    new ScsiAddress(0, 0));
            machine.begun();
            try (GuestSession session = machine.session()) {
                byte[] block = new byte[64 * 512];
                for (int round = 0; round < ROUNDS; round++) {
                    Arrays.fill(block, (byte) round);
                    int lba = round % 16 * 64;
                    commands.incrementAndGet();
                    assertThat(session.write(0, 0, GuestCdb.write10(lba, 64, round % 8 == 0), block)
                            .isGood()).isTrue();
                    commands.incrementAndGet();
                    assertThat(session.read(0, 0, GuestCdb.read10(lba, 64), block.length))
                            .isEqualTo(block);
                }
            }
        }
        return Thread.currentThread().isInterrupted();
    }

    @Test
    @Rule("CMD-93")
    void shouldReturnSenseWhenAReadOnlyImageIsWritten() throws IOException {
        Path image = Files.write(directory.resolve("disk.img"), new byte[IMAGE_BYTES]);
        try (ScsiMachine machine = ScsiMachine.withDisks(0)) {
            machine.plug(machine.newDisk(FileDriver.open(FileConfig.readOnly(image))),
                    new ScsiAddress(0, 0));
            machine.begun();
            try (GuestSession session = machine.session()) {

                GuestCommand written =
                        session.write(0, 0, GuestCdb.write10(0, 1, false), new byte[512]);

                assertThat(written.sense().key()).isEqualTo(Sense.WRITE_PROTECTED.key());
            }
        }
    }

    @Test
    @Rule("CMD-20")
    void shouldFailOnlyTheCommandWhoseBufferCannotBeWritten() {
        GuestRam ram = GuestRam.direct(1 << 20, 4 << 20);
        ByteBuffer vanished = ByteBuffer.allocateDirect(4096).asReadOnlyBuffer();
        try (ScsiMachine machine = new ScsiMachine(1, 0, ram)) {
            machine.plug(machine.newDisk(new MemoryDriver(
                    MemoryConfig.direct(IMAGE_BYTES))),
                    new ScsiAddress(0, 0));
            machine.begun();
            machine.settled();
            ram.replaceMap(new VanishingMap(ram.whole(), PAGE, vanished));

            GuestCommand inquiry = machine.driver.newCommand(null)
                    .cdb(0, 0, GuestCdb.inquiry(96)).dataIn(PAGE, 96);
            GuestCommand read = machine.driver.newCommand(null)
                    .cdb(0, 0, GuestCdb.read10(0, 1)).dataIn(PAGE, 512);
            machine.driver.submit(0, inquiry);
            machine.driver.submit(0, read);
            machine.driver.kick();
            machine.until(() -> !inquiry.isOutstanding() && !read.isOutstanding());

            assertThat(inquiry.sense()).isEqualTo(Sense.TARGET_FAILURE);
            assertThat(read.isGood()).isFalse();
            assertThat(machine.hba.isBroken()).isFalse();
            assertThat(machine.disks.get(0).listedRequests()).isZero();
            GuestCommand next = machine.submit(0, 0, GuestCdb.read10(0, 1), 512);
            machine.until(() -> !next.isOutstanding());
            assertThat(next.isGood()).isTrue();
        }
    }

    @Test
    @Rule("MAL-17")
    @Rule("SBUG-52")
    void shouldBreakOnlyTheDeviceWhoseMemoryThrows() {
        GuestRam ram = GuestRam.direct(1 << 20, 4 << 20);
        try (ScsiMachine machine = new ScsiMachine(1, 0, ram)) {
            machine.begun();
            ram.replaceMap(new VanishingMap(
                    RegionMap.builder().add(0, ByteBuffer.allocateDirect(64)).build(), 0, null));

            machine.submit(0, 0, GuestCdb.testUnitReady(), 0);
            machine.until(machine.hba::isBroken);

            assertThat(machine.interrupts.configChanges()).isEqualTo(1);
            ram.replaceMap(ram.whole());
        }
    }
}
