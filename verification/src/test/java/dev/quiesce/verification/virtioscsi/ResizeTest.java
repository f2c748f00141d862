package dev.quiesce.verification.virtioscsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.drain.DrainedSection;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestEvent;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestSession;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** A disk whose length changes under a running guest. */
class ResizeTest {
    private static final int CAPACITY_CHANGED = 0x2A | 0x09 << 8;
    private static final int LAST_BLOCK = ScsiMachine.DISK_BYTES / 512 - 1;

    @Test
    @Rule("SCSI-42")
    @Rule("VSCSI-44")
    @Rule("CMD-44")
    void shouldTellTheGuestOfItsNewCapacity() {
        try (ScsiMachine machine = ScsiMachine.withDisks(2).begun().settled()) {
            machine.await(machine.disks.get(1).backend().resizeAsync(3 << 20));
            machine.turn();

            assertThat(machine.driver.nextEvent()).isEqualTo(new GuestEvent(
                    GuestEvent.PARAM_CHANGE, false, 1, 0, CAPACITY_CHANGED));
            assertThat(senseOfTestUnitReady(machine, 1)).isEqualTo(Sense.UA_CAPACITY_CHANGED);
            assertThat(senseOfTestUnitReady(machine, 1)).isEqualTo(Sense.NO_SENSE);
            assertThat(senseOfTestUnitReady(machine, 0)).isEqualTo(Sense.NO_SENSE);
            try (GuestSession session = machine.session()) {
                assertThat(new GuestProbe(session).disk(1, 0).lengthBytes()).isEqualTo(3 << 20);
            }
        }
    }

    @Test
    @Rule("CMD-8")
    @Rule("CMD-9")
    void shouldFailWhatIsBehindTheNewEndAndNothingElse() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled();
                GuestSession session = machine.session()) {
            byte[] bytes = new byte[512];
            bytes[17] = 17;
            assertThat(writeAt(LAST_BLOCK, session, bytes).isGood()).isTrue();

            machine.await(machine.disks.get(0).backend().resizeAsync(1 << 20));

            assertThat(writeAt(LAST_BLOCK, session, bytes).sense())
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(writeAt(2047, session, bytes).isGood()).isTrue();
            assertThat(session.read(0, 0, GuestCdb.read10(2047, 2), 1024)).isEmpty();
            assertThat(session.answer().sense()).isEqualTo(Sense.LBA_OUT_OF_RANGE);

            machine.await(machine.disks.get(0).backend().resizeAsync(ScsiMachine.DISK_BYTES));

            assertThat(session.read(0, 0, GuestCdb.read10(LAST_BLOCK, 1), 512)).containsOnly(0);
            assertThat(session.read(0, 0, GuestCdb.read10(2047, 1), 512)).isEqualTo(bytes);
        }
    }

    @Test
    @Rule("CMD-9")
    @Rule("DRAIN-32")
    void shouldJudgeAParkedCommandByTheEndThatIsThereWhenItRuns() {
        try (ScsiMachine machine = ScsiMachine.withDisks(1).begun().settled()) {
            DrainedSection section = machine.drain(0);
            GuestCommand parked = machine.submit(0, 0, GuestCdb.read10(LAST_BLOCK, 1), 512);
            machine.until(() -> machine.disks.get(0).backend().gate().parkedCount() == 1);

            CompletionStage<Void> resized = machine.disks.get(0).backend().resizeAsync(4096);
            machine.await(resized);
            assertThat(parked.isOutstanding()).isTrue();
            section.close();
            machine.until(() -> !parked.isOutstanding());

            assertThat(parked.response()).isEqualTo(GuestCommand.RESPONSE_OK);
            assertThat(parked.isGood()).isFalse();
            assertThat(parked.sense()).isEqualTo(Sense.LBA_OUT_OF_RANGE);
        }
    }

    private static GuestCommand writeAt(long lba, GuestSession session, byte[] bytes) {
        return session.write(0, 0, GuestCdb.write10(lba, 1, false), bytes);
    }

    private static Sense senseOfTestUnitReady(ScsiMachine machine, int target) {
        GuestCommand command = machine.submit(0, target, GuestCdb.testUnitReady(), 0);
        machine.until(() -> !command.isOutstanding());
        return command.sense();
    }
}
