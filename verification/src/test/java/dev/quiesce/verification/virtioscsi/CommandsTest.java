package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestSession;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CommandsTest {
    private static final int OVERRUN = 1;
    private static final int BAD_TARGET = 3;

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
