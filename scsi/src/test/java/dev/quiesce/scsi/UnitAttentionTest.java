package dev.quiesce.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class UnitAttentionTest {
    private static final int[] INQUIRY = {0x12, 0, 0, 0, 36, 0};
    private static final int[] REQUEST_SENSE = {0x03, 0, 0, 0, 18, 0};
    private static final int[] REPORT_LUNS = {0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0};

    private final Rig rig = new Rig();
    private final FakeHba hba = new FakeHba();
    private final FakeUnit unit = new FakeUnit(rig, "unit");

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    @Rule("SCSI-35")
    @Rule("SCSI-36")
    @Rule("SCSI-40")
    @Rule("SBUG-9")
    void shouldReportOneConditionToOneCommand() {
        unit.queueUnitAttention(Sense.UA_RESET);

        assertThat(execute(FakeUnit.READY).sense()).isEqualTo(Sense.UA_RESET);

        assertThat(execute(FakeUnit.READY).status()).isEqualTo(ScsiStatus.GOOD);
    }

    @Test
    @Rule("SCSI-36")
    @Rule("SBUG-44")
    void shouldKeepTheConditionWhenAPreparedRequestIsNeverExecuted() {
        unit.queueUnitAttention(Sense.UA_RESET);
        ScsiRequest rejected = hba.request(rig.a, FakeUnit.READY);
        rejected.parse(unit.blockSizeBytes());

        rejected.prepare(rig.a, 7, FakeHba.bytes(FakeUnit.READY), 6);

        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
    }

    @Test
    @Rule("SCSI-14")
    void shouldNotSpendTheConditionOnABrokenCdb() {
        unit.queueUnitAttention(Sense.UA_RESET);

        assertThat(execute(0x28, 0).sense()).isEqualTo(Sense.INVALID_OPCODE);

        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
    }

    @Test
    @Rule("SCSI-14")
    @Rule("SBUG-9")
    void shouldExemptInquiryAndReportLuns() {
        unit.queueUnitAttention(Sense.UA_RESET);

        assertThat(execute(INQUIRY).sense()).isEqualTo(Sense.INVALID_OPCODE);
        assertThat(execute(REPORT_LUNS).status()).isEqualTo(ScsiStatus.GOOD);

        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
    }

    @Test
    @Rule("SCSI-38")
    void shouldReturnTheConditionAsDataOfRequestSense() {
        unit.queueUnitAttention(Sense.UA_CAPACITY_CHANGED);

        ScsiRequest first = hba.request(rig.a, new byte[0], 18, REQUEST_SENSE);
        unit.execute(first);
        ScsiRequest second = hba.request(rig.a, new byte[0], 18, REQUEST_SENSE);
        unit.execute(second);

        assertThat(hba.answerTo(first).status()).isEqualTo(ScsiStatus.GOOD);
        assertThat(Sense.decode(FakeHba.dataIn(first, 18), 18))
                .isEqualTo(Sense.UA_CAPACITY_CHANGED);
        assertThat(Sense.decode(FakeHba.dataIn(second, 18), 18)).isEqualTo(Sense.NO_SENSE);
    }

    @Test
    @Rule("SCSI-48")
    void shouldHonourTheDescriptorBitOfRequestSense() {
        ScsiRequest request = hba.request(rig.a, new byte[0], 18, 0x03, 1, 0, 0, 18, 0);
        unit.execute(request);

        assertThat(FakeHba.dataIn(request, 1)[0]).isEqualTo((byte) 0x72);
        assertThat(hba.answerTo(request).residual()).isEqualTo(10);
    }

    @Test
    @Rule("SCSI-33")
    @Rule("SCSI-34")
    void shouldReportInOrderOfPrecedenceAndLoseNothing() {
        unit.queueUnitAttention(Sense.UA_LUNS_CHANGED);
        unit.queueUnitAttention(Sense.UA_CAPACITY_CHANGED);
        unit.queueUnitAttention(Sense.UA_RESET);
        unit.queueUnitAttention(Sense.UA_CAPACITY_CHANGED);

        List<Sense> reported = List.of(execute(FakeUnit.READY).sense(),
                execute(FakeUnit.READY).sense(), execute(FakeUnit.READY).sense());

        assertThat(reported).containsExactly(
                Sense.UA_RESET, Sense.UA_CAPACITY_CHANGED, Sense.UA_LUNS_CHANGED);
        assertThat(execute(FakeUnit.READY).status()).isEqualTo(ScsiStatus.GOOD);
    }

    @Test
    @Rule("SCSI-34")
    void shouldDropWhatAResetMakesSuperfluous() {
        unit.queueUnitAttention(Sense.UA_MODE_CHANGED);
        unit.queueUnitAttention(Sense.UA_BUS_RESET);
        unit.queueUnitAttention(Sense.UA_RESET);
        unit.queueUnitAttention(Sense.UA_MODE_CHANGED);

        assertThat(unit.unitAttentions()).containsExactly(Sense.UA_RESET);
    }

    @Test
    @Rule("SCSI-33")
    void shouldIgnoreWhatIsNoUnitAttention() {
        unit.queueUnitAttention(Sense.READ_ERROR);

        assertThat(unit.unitAttentions()).isEmpty();
    }

    @Test
    void shouldBoundWhatWaits() {
        for (int i = 0; i < 2 * UnitAttentions.CONDITIONS_MAX; i++) {
            unit.queueUnitAttention(new Sense(6, 0x50, i));
        }

        assertThat(unit.unitAttentions()).hasSize(UnitAttentions.CONDITIONS_MAX)
                .startsWith(new Sense(6, 0x50, 0));
    }

    private FakeHba.Answer execute(int... cdb) {
        ScsiRequest request = hba.request(rig.a, new byte[0], 64, cdb);
        unit.execute(request);
        return hba.answerTo(request);
    }
}
