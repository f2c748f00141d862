package dev.quiesce.scsi.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CdbFormatTest {
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    @Rule("CMD-1")
    @Rule("CMD-5")
    void shouldFindEveryRowByItsOwnCode(CdbFormat format) {
        int action = Math.max(format.serviceAction(), 0x1E);
        int code = format.serviceAction() >= 0 ? format.serviceAction() : action;

        assertThat(CdbFormat.of(format.opcode(), code)).isEqualTo(format);
        assertThat(format.lengthBytes()).isEqualTo(CdbFormat.groupLengthBytes(format.opcode()));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    @Rule("CMD-87")
    void shouldStartTheUsageMapWithTheOpcodeAndLeaveTheControlByteOut(CdbFormat format) {
        byte[] usage = format.usage();

        assertThat(usage[0] & 0xFF).isEqualTo(format.opcode());
        assertThat(usage).hasSize(format.lengthBytes());
        assertThat(usage[usage.length - 1]).isZero();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    void shouldMakeCommandsThatParseAsThemselves(CdbFormat format) {
        byte[] bytes = format.newCdb();
        Cdb cdb = new Cdb();

        assertThat(cdb.parse(bytes, bytes.length, 512)).isNull();

        CdbFormat expected = CdbFormat.of(format.opcode(), Math.max(format.serviceAction(), 0));
        assertThat(cdb.format()).isEqualTo(expected);
    }

    @Test
    void shouldFallBackToTheRowForAnyServiceAction() {
        assertThat(CdbFormat.of(0x9E, 0x10)).isEqualTo(CdbFormat.READ_CAPACITY_16);
        assertThat(CdbFormat.of(0x9E, 0x11)).isEqualTo(CdbFormat.SERVICE_ACTION_IN_16);
        assertThat(CdbFormat.of(0xA3, 0x0C)).isEqualTo(CdbFormat.REPORT_SUPPORTED_OPCODES);
        assertThat(CdbFormat.of(0xA3, 0x0D)).isEqualTo(CdbFormat.MAINTENANCE_IN);
        assertThat(CdbFormat.SERVICE_ACTION_IN_16.hasServiceAction()).isTrue();
        assertThat(CdbFormat.SERVICE_ACTION_IN_16.serviceAction()).isEqualTo(-1);
        assertThat(CdbFormat.READ_10.hasServiceAction()).isFalse();
        assertThat(CdbFormat.READ_10.serviceAction()).isEqualTo(-1);
    }

    @Test
    void shouldAnswerUnknownForEveryCodeThatIsNotListed() {
        int listed = 0;
        for (int opcode = 0; opcode < 256; opcode++) {
            for (int action = 0; action < 32; action++) {
                CdbFormat format = CdbFormat.of(opcode, action);
                listed += format == CdbFormat.UNKNOWN ? 0 : 1;
                boolean own = format == CdbFormat.UNKNOWN || format.opcode() == opcode;
                assertThat(own).isTrue();
            }
        }

        assertThat(listed).isGreaterThan(32 * 40);
        assertThat(CdbFormat.UNKNOWN.lengthBytes()).isZero();
        assertThat(CdbFormat.UNKNOWN.opcode()).isEqualTo(-1);
    }

    @Test
    void shouldRejectWhatIsNoOpcode() {
        assertThatThrownBy(() -> CdbFormat.of(256, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("256");
        assertThatThrownBy(() -> CdbFormat.of(-1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(CdbFormat.UNKNOWN::newCdb).isInstanceOf(IllegalStateException.class);
    }
}
