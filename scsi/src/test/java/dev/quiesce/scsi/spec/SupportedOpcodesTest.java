package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.head;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static dev.quiesce.scsi.spec.Bytes.room;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SupportedOpcodesTest {
    private static final Set<CdbFormat> SET = EnumSet.of(
            CdbFormat.REPORT_SUPPORTED_OPCODES, CdbFormat.TEST_UNIT_READY, CdbFormat.READ_10,
            CdbFormat.READ_CAPACITY_16, CdbFormat.WRITE_SAME_16, CdbFormat.WRITE_AND_VERIFY_10);
    private static final String TIMEOUTS = "000A 00 00 00000000 00000000";

    private final SupportedOpcodes opcodes = new SupportedOpcodes(SET, true, true);
    private final byte[] dst = room(512);

    private byte[] report(SupportedOpcodes of, String digits) {
        assertThat(of.check(cdb(digits))).isNull();
        return head(dst, of.encode(cdb(digits), dst));
    }

    @Test
    @Rule("CMD-87")
    void shouldListAllCommandsByOpcode() {
        assertThat(report(opcodes, "A3 0C 00 00 0000 00000200")).isEqualTo(hex("00000030"
                + "00 00 0000 00 00 0006" + "28 00 0000 00 00 000A" + "2E 00 0000 00 00 000A"
                + "93 00 0000 00 00 0010" + "9E 00 0010 00 01 0010" + "A3 00 000C 00 01 000C"));
    }

    @Test
    @Rule("CMD-87")
    void shouldAddTimeoutsOnRequest() {
        SupportedOpcodes two = new SupportedOpcodes(
                EnumSet.of(CdbFormat.READ_10, CdbFormat.READ_CAPACITY_16), true, true);

        assertThat(report(two, "A3 0C 80 00 0000 00000200")).isEqualTo(hex("00000028"
                + "28 00 0000 00 02 000A" + TIMEOUTS + "9E 00 0010 00 03 0010" + TIMEOUTS));
    }

    @Test
    @Rule("CMD-87")
    @Rule("CMD-90")
    void shouldReportTheUsageOfOneCommand() {
        assertThat(report(opcodes, "A3 0C 01 28 0000 00000200"))
                .isEqualTo(hex("00 03 000A 28 18 FFFFFFFF 00 FFFF 00"));
        assertThat(report(opcodes, "A3 0C 81 28 0000 00000200"))
                .isEqualTo(hex("00 83 000A 28 18 FFFFFFFF 00 FFFF 00" + TIMEOUTS));
    }

    @Test
    @Rule("CMD-87")
    @Rule("CMD-90")
    @Rule("CMD-104")
    void shouldReportOnlyOptionsThatAreHonoured() {
        SupportedOpcodes plain = new SupportedOpcodes(SET, false, false);

        assertThat(report(plain, "A3 0C 01 28")[5]).isZero();
        assertThat(report(plain, "A3 0C 01 2E")[5]).isEqualTo((byte) 0x06);
        assertThat(report(plain, "A3 0C 01 93")[5]).isEqualTo((byte) 0x01);
        assertThat(report(opcodes, "A3 0C 01 2E")[5]).isEqualTo((byte) 0x16);
        assertThat(report(opcodes, "A3 0C 01 93")[5]).isEqualTo((byte) 0x09);
    }

    @ParameterizedTest
    @ValueSource(strings = {"A3 0C 02 9E 0010", "A3 0C 03 9E 0010"})
    @Rule("CMD-87")
    void shouldReportOneServiceAction(String digits) {
        byte[] data = report(opcodes, digits);

        assertThat(head(data, 6)).isEqualTo(hex("00 03 0010 9E 1F"));
        assertThat(data).hasSize(20);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "A3 0C 01 2A", "A3 0C 01 FF", "A3 0C 02 9E 0012", "A3 0C 02 9E 0110", "A3 0C 02 7F 0009",
        "A3 0C 03 28 0001", "A3 0C 03 9E 0000", "A3 0C 81 2A"})
    @Rule("CMD-87")
    void shouldSayThatACommandIsNotSupported(String digits) {
        assertThat(report(opcodes, digits)).isEqualTo(hex("00 01 0000"));
    }

    @ParameterizedTest
    @CsvSource({
        "A3 0C 01 9E 0010, false", "A3 0C 01 A3, false", "A3 0C 02 28 0000, false",
        "A3 0C 02 00 0000, false", "A3 0C 04, false", "A3 0C 07, false", "A3 0C 00 9E 0010, true",
        "A3 0C 03 28 0000, true"})
    @Rule("CMD-87")
    void shouldRefuseQuestionsThatDoNotFitTheOpcode(String digits, boolean accepted) {
        Sense expected = accepted ? null : Sense.INVALID_FIELD_IN_CDB;

        assertThat(opcodes.check(cdb(digits))).isEqualTo(expected);
    }

    @Test
    @Rule("CMD-87")
    void shouldReportEveryCommandOfTheTable() {
        EnumSet<CdbFormat> all = EnumSet.allOf(CdbFormat.class);
        all.removeIf(format -> format == CdbFormat.UNKNOWN
                || (format.hasServiceAction() && format.serviceAction() < 0));
        SupportedOpcodes of = new SupportedOpcodes(all, true, true);
        byte[] room = room(of.lengthBytesMax());

        int length = of.encode(cdb("A3 0C 80"), room);

        assertThat(length).isEqualTo(4 + 20 * all.size());
        for (CdbFormat format : all) {
            Cdb one = cdb(String.format("A3 0C 03 %02X %04X", format.opcode(),
                    Math.max(format.serviceAction(), 0)));
            int size = of.encode(one, room);
            assertThat(size).isEqualTo(4 + format.lengthBytes());
            assertThat(room[4] & 0xFF).isEqualTo(format.opcode());
        }
    }

    @Test
    void shouldRejectRowsThatNameNoSingleCommand() {
        assertThatThrownBy(() ->
                new SupportedOpcodes(EnumSet.of(CdbFormat.MAINTENANCE_IN), true, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("MAINTENANCE_IN");
        assertThatThrownBy(() -> new SupportedOpcodes(EnumSet.of(CdbFormat.UNKNOWN), true, true))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
