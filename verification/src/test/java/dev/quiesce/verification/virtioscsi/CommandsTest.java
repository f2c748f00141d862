package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CommandsTest {
    private static final int OVERRUN = 1;
    private static final int BAD_TARGET = 3;
    private static final int SEG_MAX = 4;

    @Test
    @Rule("SCSI-46")
    @Rule("VSCSI-3")
    void shouldShowEveryDiskToAProbeLikeLinux() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2).begun();
                GuestSession session = machine.session()) {

            List<FoundDisk> found =
                    new GuestProbe(session).scan(machine.bus.config().targetMax());

            assertThat(found).hasSize(2);
            assertThat(found.get(1).target()).isEqualTo(1);
            assertThat(found.get(1).lengthBytes()).isEqualTo(ScsiMachine.DISK_BYTES);
            assertThat(found.get(1).serial()).isEqualTo("TEST-1");
            assertThat(machine.driver.ledger().complaints()).isEmpty();
        }
    }

    @Test
    @Rule("VSCSI-12")
    @Rule("VSCSI-20")
    void shouldReadBackWhatWasWritten() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun();
                GuestSession session = machine.session()) {
            byte[] data = new byte[16 * 512];
            new Random(7).nextBytes(data);

            GuestCommand written = session.write(0, 0, GuestCdb.write16(100, 16, true), data);
            assertThat(written.isGood()).isTrue();
            byte[] read = session.read(0, 0, GuestCdb.read10(100, 16), data.length);

            assertThat(read).isEqualTo(data);
            assertThat(session.answer().residualBytes()).isZero();
        }
    }

    @Test
    @Rule("VSCSI-4")
    @Rule("MAL-10")
    @Rule("SBUG-14")
    void shouldTakeAsManySegmentsAsItPromises() {
        long border = 4 << 20;
        GuestRam ram = GuestRam.builder()
                .direct(1 << 20, 3 << 20).direct(border, 4 << 20).build();
        try (ScsiMachine machine = new ScsiMachine(1, 0, ram)) {
            machine.plug(machine.newDisk(new MemoryDriver(
                    MemoryConfig.direct(ScsiMachine.DISK_BYTES))), new ScsiAddress(0, 0));
            VirtioScsi large = VirtioScsi.create(new VirtioScsiConfig("large", 1, 2048, true, true),
                    machine.bus, ram, machine.interrupts);
            GuestScsi driver = new GuestScsi(large, ram, new GuestScsiConfig(2048, true, true, 8),
                    machine.main.clock());
            large.startDataplane(new QueueMapping.Fixed(List.of(machine.main)));
            GuestSession.begin(driver, machine.guest, ScsiMachine.LIMIT_NANOS);
            int segments = (int) large.readConfig(SEG_MAX, 4);
            int bytes = segments * 512;
            long across = border - bytes / 2 - 256; // A segment lies across the border.
            byte[] data = new byte[bytes];
            new Random(11).nextBytes(data);
            ram.write(across, data);
            GuestCommand ready = driver.newCommand(null).cdb(0, 0, GuestCdb.testUnitReady());
            run(machine, driver, ready);

            GuestCommand write = driver.newCommand(null)
                    .cdb(0, 0, GuestCdb.write16(0, segments, false));
            run(machine, driver, write.dataOut(across, bytes).inPieces(512));
            ram.fill(across, bytes, 0);
            GuestCommand read = driver.newCommand(null).cdb(0, 0, GuestCdb.read10(0, segments));
            run(machine, driver, read.dataIn(across, bytes).inPieces(512));

            assertThat(segments).isBetween(900, 1021);
            assertThat(large.isBroken()).isFalse();
            assertThat(write.isGood()).isTrue();
            assertThat(read.isGood()).isTrue();
            assertThat(ram.read(across, bytes)).isEqualTo(data);
            assertThat(machine.hba.readConfig(SEG_MAX, 4)).as("rings of 256").isEqualTo(254);
            machine.await(large.closeAsync());
        }
    }

    private static void run(ScsiMachine machine, GuestScsi driver, GuestCommand command) {
        assertThat(driver.submit(0, command)).isTrue();
        driver.kick();
        machine.guest.await(driver, () -> !command.isOutstanding(), ScsiMachine.LIMIT_NANOS);
    }

    @Test
    @Rule("VSCSI-26")
    @Rule("SCSI-44")
    void shouldTellAbsentTargetsFromAbsentUnits() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun();
                GuestSession session = machine.session()) {

            int absentTarget = session.execute(9, 0, GuestCdb.testUnitReady()).response();
            GuestCommand absentUnit = session.execute(0, 5, GuestCdb.testUnitReady());

            assertThat(absentTarget).isEqualTo(BAD_TARGET);
            assertThat(absentUnit.response()).isEqualTo(GuestCommand.RESPONSE_OK);
            assertThat(absentUnit.sense()).isEqualTo(Sense.LUN_NOT_SUPPORTED);
        }
    }

    @Test
    @Rule("VSCSI-17")
    @Rule("CMD-6")
    @Rule("VSCSI-23")
    void shouldReportOverrunWhenTheBufferIsSmallerThanTheCommandMoves() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun();
                GuestSession session = machine.session()) {

            session.read(0, 0, GuestCdb.read10(0, 2), 512);

            assertThat(session.answer().response()).isEqualTo(OVERRUN);
        }
    }

    @Test
    @Rule("CMD-14")
    @Rule("SCSI-53")
    @Rule("CMD-92")
    void shouldMoveNoMoreThanTheCommandAsksAndReportTheRest() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun();
                GuestSession session = machine.session()) {

            byte[] read = session.read(0, 0, GuestCdb.read10(0, 1), 4096);

            assertThat(session.answer().isGood()).isTrue();
            assertThat(session.answer().residualBytes()).isEqualTo(4096 - 512);
            assertThat(read).hasSize(512);
        }
    }

    @Test
    @Rule("VSCSI-10")
    @Rule("CMD-8")
    void shouldReturnSenseForABlockBeyondTheEnd() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun();
                GuestSession session = machine.session()) {

            session.read(0, 0, GuestCdb.read10(ScsiMachine.DISK_BYTES / 512, 1), 512);

            assertThat(session.answer().sense()).isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(session.answer().residualBytes()).isEqualTo(512);
        }
    }

    @Test
    @Rule("CMD-36")
    @Rule("CMD-38")
    void shouldReadZeroesAfterUnmapAndThePatternAfterWriteSame() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun();
                GuestSession session = machine.session()) {
            byte[] data = new byte[8192];
            new Random(3).nextBytes(data);
            session.write(0, 0, GuestCdb.write16(0, 16, false), data);
            byte[] pattern = new byte[512];
            new Random(4).nextBytes(pattern);

            session.write(0, 0, GuestCdb.unmap(24), GuestCdb.unmapList(0, 8));
            assertThat(session.answer().isGood()).isTrue();
            session.write(0, 0, GuestCdb.writeSame16(8, 8, false), pattern);
            assertThat(session.answer().isGood()).isTrue();

            assertThat(session.read(0, 0, GuestCdb.read16(0, 8), 4096)).containsOnly(0);
            assertThat(session.read(0, 0, GuestCdb.read16(15, 1), 512)).isEqualTo(pattern);
        }
    }
}
