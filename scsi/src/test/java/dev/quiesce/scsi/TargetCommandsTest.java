package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TargetCommandsTest {
    private static final int[] INQUIRY = {0x12, 0, 0, 0, 96, 0};
    private static final int[] PAGES = {0x12, 1, 0, 0, 96, 0};
    private static final int[] READ = {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0};
    private static final int[] REQUEST_SENSE = {0x03, 0, 0, 0, 18, 0};

    private final Rig rig = new Rig();
    private final FakeHba hba = new FakeHba();
    private final ScsiBus bus = new ScsiBus(rig.main, ScsiBusConfig.largest());
    private final FakeUnit five = new FakeUnit(rig, "five");
    private final FakeUnit far = new FakeUnit(rig, "far");

    @BeforeEach
    void plug() {
        bus.plug(five, new ScsiAddress(1, 5)).toCompletableFuture().join();
        bus.plug(far, new ScsiAddress(1, 300)).toCompletableFuture().join();
        five.clearUnitAttention(Sense.UA_POWER_ON);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("SCSI-45")
    @Rule("SCSI-46")
    @Rule("SBUG-48")
    void shouldReportTheLunsOfTheTargetToAnExistingUnit() {
        ScsiRequest request = reportLuns(0, 64);
        five.execute(request);

        assertThat(hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(FakeHba.dataIn(request, 32)).containsExactly(FakeHba.bytes(
                0, 0, 0, 24, 0, 0, 0, 0,
                0, 0, 0, 0, 0, 0, 0, 0,
                0, 5, 0, 0, 0, 0, 0, 0,
                0x41, 0x2C, 0, 0, 0, 0, 0, 0));
        assertThat(hba.answerTo(request).residual()).isEqualTo(64 - 32);
    }

    @Test
    @Rule("SCSI-39")
    void shouldClearTheLunsChangedConditionOfTheWholeTarget() {
        five.queueUnitAttention(Sense.UA_LUNS_CHANGED);
        five.queueUnitAttention(Sense.UA_CAPACITY_CHANGED);
        far.queueUnitAttention(Sense.UA_LUNS_CHANGED);

        five.execute(reportLuns(0, 64));

        assertThat(five.unitAttentions()).containsExactly(Sense.UA_CAPACITY_CHANGED);
        assertThat(far.unitAttentions()).containsExactly(Sense.UA_POWER_ON);
    }

    @Test
    @Rule("SCSI-46")
    void shouldRefuseReportLunsWithTooLittleRoom() {
        five.queueUnitAttention(Sense.UA_LUNS_CHANGED);
        ScsiRequest request = reportLuns(0, 15);

        five.execute(request);

        assertThat(hba.answerTo(request).sense()).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(five.unitAttentions()).containsExactly(Sense.UA_LUNS_CHANGED);
    }

    @Test
    @Rule("SCSI-44")
    @Rule("SCSI-47")
    @Rule("SCSI-48")
    void shouldAnswerForAnAbsentLun() {
        assertThat(absent(3, READ).sense()).isEqualTo(Sense.LUN_NOT_SUPPORTED);
        assertThat(absent(3, FakeUnit.READY).sense()).isEqualTo(Sense.LUN_NOT_SUPPORTED);
        ScsiRequest inquiry = executeAbsent(3, INQUIRY);
        assertThat(hba.answerTo(inquiry).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(FakeHba.dataIn(inquiry, 1)).containsExactly(0x7F);
        ScsiRequest sense = executeAbsent(3, REQUEST_SENSE);
        assertThat(Sense.decode(FakeHba.dataIn(sense, 18), 18)).isEqualTo(Sense.LUN_NOT_SUPPORTED);
    }

    @Test
    @Rule("SCSI-47")
    @Rule("SCSI-48")
    void shouldAnswerForAnAbsentLunZero() {
        assertThat(absent(0, FakeUnit.READY).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(absent(0, READ).sense()).isEqualTo(Sense.INVALID_OPCODE);
        ScsiRequest inquiry = executeAbsent(0, INQUIRY);
        assertThat(FakeHba.dataIn(inquiry, 1)).containsExactly(0x3F);
        ScsiRequest luns = reportLuns(0, 64);
        bus.targetCommands().executeAbsent(luns, 1, 0);
        assertThat(FakeHba.dataIn(luns, 4)).containsExactly(0, 0, 0, 24);
        assertThat(absent(0, 0x28, 0).sense()).isEqualTo(Sense.INVALID_OPCODE);
    }

    @Test
    @Rule("SCSI-47")
    void shouldHaveOnlyTheListOfPagesForAnAbsentLun() {
        ScsiRequest pages = executeAbsent(3, PAGES);

        assertThat(hba.answerTo(pages).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(FakeHba.dataIn(pages, 5)).endsWith(0, 1, 0);
        assertThat(absent(3, 0x12, 1, 0x83, 0, 96, 0).sense())
                .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(absent(3, 0x12, 0, 0x83, 0, 96, 0).sense())
                .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
    }

    @Test
    @Rule("VSCSI-25")
    void shouldServeTheWellKnownUnit() {
        ScsiRequest luns = reportLuns(1, 64);
        bus.targetCommands().executeWellKnown(luns, 1);
        assertThat(FakeHba.dataIn(luns, 10)).containsExactly(0, 0, 0, 8, 0, 0, 0, 0, 0xC1, 1);

        ScsiRequest inquiry = hba.request(rig.a, new byte[0], 96, INQUIRY);
        bus.targetCommands().executeWellKnown(inquiry, 1);
        assertThat(FakeHba.dataIn(inquiry, 1)).containsExactly(0x1E);

        ScsiRequest ready = hba.request(rig.a, FakeUnit.READY);
        bus.targetCommands().executeWellKnown(ready, 1);
        assertThat(hba.answerTo(ready).status()).isEqualTo(ScsiStatus.GOOD);

        ScsiRequest sense = hba.request(rig.a, new byte[0], 18, REQUEST_SENSE);
        bus.targetCommands().executeWellKnown(sense, 1);
        assertThat(hba.answerTo(sense).status()).isEqualTo(ScsiStatus.GOOD);

        ScsiRequest read = hba.request(rig.a, new byte[0], 512, READ);
        bus.targetCommands().executeWellKnown(read, 1);
        assertThat(hba.answerTo(read).sense()).isEqualTo(Sense.INVALID_OPCODE);
    }

    private FakeHba.Answer absent(int lun, int... cdb) {
        return hba.answerTo(executeAbsent(lun, cdb));
    }

    private ScsiRequest executeAbsent(int lun, int... cdb) {
        ScsiRequest request = hba.request(rig.a, new byte[0], 96, cdb);
        bus.targetCommands().executeAbsent(request, 1, lun);
        return request;
    }

    @Test
    @Rule("SCSI-39")
    void shouldKeepTheChangeThatItDidNotReport() {
        ScsiBus bus = new ScsiBus(rig.main, ScsiBusConfig.largest());
        bus.addListener(new BusListener() {});
        FakeUnit first = new FakeUnit(rig, "first");
        bus.plug(first, new ScsiAddress(0, 0));
        first.queueUnitAttention(Sense.UA_LUNS_CHANGED);
        hba.onAnswer = answered -> {
            hba.onAnswer = request -> {};
            bus.plug(new FakeUnit(rig, "second"), new ScsiAddress(0, 1));
        };
        ScsiRequest request = reportLuns(0, 64);

        first.execute(request);

        assertThat(hba.answerTo(request).residual()).isEqualTo(64 - 8 - 8);
        assertThat(first.unitAttentions()).contains(Sense.UA_LUNS_CHANGED);
    }

    private ScsiRequest reportLuns(int select, int room) {
        return hba.request(rig.a, new byte[0], room, 0xA0, 0, select, 0, 0, 0, 0, 0, 0, room, 0, 0);
    }
}
