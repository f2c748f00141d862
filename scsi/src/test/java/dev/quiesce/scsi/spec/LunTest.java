package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.head;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static dev.quiesce.scsi.spec.Bytes.room;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LunTest {
    private static final int[] UNITS = {0, 1, 255, 256, 16383};
    private static final String LISTED = "0000000000000000 0001000000000000 00FF000000000000"
            + "4100000000000000 7FFF000000000000";

    private final byte[] dst = room(256);

    @ParameterizedTest
    @CsvSource({
        "01 00 0000 00000000, 0, 0", "01 05 0007 00000000, 5, 7", "01 FF 40FF 00000000, 255, 255",
        "01 00 4100 00000000, 0, 256", "01 00 7FFF 00000000, 0, 16383",
        "01 00 4000 00000000, 0, 0"})
    @Rule("VSCSI-24")
    void shouldDecodePeripheralAndFlatAddresses(String digits, int target, int lun) {
        int decoded = LunAddress.decode(hex(digits), 0);

        assertThat(LunAddress.target(decoded)).isEqualTo(target);
        assertThat(LunAddress.lun(decoded)).isEqualTo(lun);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "00 00 0000 00000000", "02 00 0000 00000000", "01 00 0100 00000000", "01 00 3FFF 00000000",
        "01 00 8000 00000000", "01 00 C101 00000000", "01 00 0000 00000001", "01 00 0000 01000000",
        "C1 00 0000 00000000", "C1 02 0000 00000000", "C1 01 0001 00000000", "C1 01 0000 00000001",
        "FF FF FFFF FFFFFFFF"})
    @Rule("VSCSI-24")
    void shouldKnowNoOtherForms(String digits) {
        assertThat(LunAddress.decode(hex(digits), 0)).isEqualTo(LunAddress.INVALID);
    }

    @Test
    @Rule("VSCSI-25")
    void shouldDecodeTheReportLunsWellKnownUnit() {
        assertThat(LunAddress.decode(hex("C1 01 0000 00000000"), 0))
                .isEqualTo(LunAddress.REPORT_LUNS_WELL_KNOWN);
    }

    @Test
    void shouldDecodeInTheMiddleOfAHeader() {
        int decoded = LunAddress.decode(hex("FFFF 01 02 0003 00000000 FF"), 2);

        assertThat(LunAddress.target(decoded)).isEqualTo(2);
        assertThat(LunAddress.lun(decoded)).isEqualTo(3);
    }

    @Test
    @Rule("VSCSI-24")
    @Rule("VSCSI-42")
    void shouldDecodeWhatItEncodes() {
        for (int target = 0; target <= LunAddress.TARGET_MAX; target += 51) {
            for (int lun = 0; lun <= LunAddress.LUN_MAX; lun++) {
                LunAddress.encode(target, lun, dst, 8);
                int decoded = LunAddress.decode(dst, 8);
                assertThat(decoded).isEqualTo(target << 16 | lun);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 255, 0103 00FF 00000000", "3, 256, 0103 4100 00000000"})
    @Rule("VSCSI-42")
    void shouldUseTheFlatFormFromLun256On(int target, int lun, String digits) {
        LunAddress.encode(target, lun, dst, 0);

        assertThat(head(dst, 8)).isEqualTo(hex(digits));
    }

    @Test
    void shouldRejectAddressesOutOfRange() {
        assertThatThrownBy(() -> LunAddress.encode(256, 0, dst, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("256");
        assertThatThrownBy(() -> LunAddress.encode(0, 16384, dst, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("16384");
        assertThatThrownBy(() -> LunAddress.encodeLun(-1, dst, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "A0 00 00 000000 00000010, true", "A0 00 02 000000 00001000, true",
        "A0 00 00 000000 0000000F, false", "A0 00 00 000000 00000000, false",
        "A0 00 03 000000 00001000, false", "A0 00 10 000000 00001000, false",
        "A0 00 12 000000 00001000, false"})
    @Rule("SCSI-46")
    void shouldCheckAllocationAndSelection(String digits, boolean accepted) {
        Sense expected = accepted ? null : Sense.INVALID_FIELD_IN_CDB;

        assertThat(LunList.check(cdb(digits))).isEqualTo(expected);
    }

    @Test
    @Rule("SCSI-46")
    void shouldListUnitsWithoutWellKnownOnes() {
        int length = LunList.encode(0, UNITS, UNITS.length, true, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00000028 00000000" + LISTED));
    }

    @Test
    @Rule("SCSI-46")
    @Rule("VSCSI-25")
    void shouldListWellKnownUnitsAlone() {
        int length = LunList.encode(1, UNITS, UNITS.length, true, dst);
        assertThat(head(dst, length)).isEqualTo(hex("00000008 00000000 C101000000000000"));

        int none = LunList.encode(1, UNITS, UNITS.length, false, dst);
        assertThat(head(dst, none)).isEqualTo(hex("00000000 00000000"));
    }

    @Test
    @Rule("SCSI-46")
    void shouldListEverything() {
        int length = LunList.encode(2, UNITS, UNITS.length, true, dst);

        assertThat(head(dst, length))
                .isEqualTo(hex("00000030 00000000" + LISTED + "C101000000000000"));
    }

    @Test
    @Rule("SCSI-46")
    void shouldListUnitZeroEvenIfItIsAbsent() {
        int length = LunList.encode(0, new int[] {7, 99}, 1, false, dst);

        assertThat(head(dst, length))
                .isEqualTo(hex("00000010 00000000 0000000000000000 0007000000000000"));
    }

    @Test
    @Rule("SCSI-46")
    @Rule("SBUG-26")
    void shouldListAsManyUnitsAsThereAre() {
        int[] luns = new int[LunAddress.LUN_MAX + 1];
        for (int i = 0; i < luns.length; i++) {
            luns[i] = i;
        }
        byte[] large = room(LunList.lengthBytes(luns.length));

        int length = LunList.encode(2, luns, luns.length, true, large);

        assertThat(length).isEqualTo(8 + 8 * 16384 + 8);
        assertThat(BigEndian.u32(large, 0)).isEqualTo(length - 8);
        assertThatThrownBy(() -> LunList.encode(0, luns, luns.length, true, dst))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
