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

class CapacityTest {
    private static final String TEN = "25";
    private static final String SIXTEEN = "9E 10 0000000000000000 00000020";

    private final byte[] dst = room(64);

    private static Capacity of(long blocks) {
        return new Capacity(blocks, 512, 0, 0, false, false);
    }

    @ParameterizedTest
    @CsvSource({
        "1,          00000000", "2048,       000007FF", "4294967295, FFFFFFFE",
        "4294967296, FFFFFFFF", "4294967297, FFFFFFFF", "9223372036854775807, FFFFFFFF"})
    @Rule("CMD-43")
    void shouldReportTheLastBlockInTenByteForm(long blocks, String last) {
        int length = of(blocks).encode(cdb(TEN), dst);

        assertThat(head(dst, length)).isEqualTo(hex(last + "00000200"));
    }

    @Test
    @Rule("CMD-43")
    void shouldReportAllOfItInSixteenByteForm() {
        Capacity capacity = new Capacity(0x1_0000_0001L, 4096, 3, 5, true, true);

        int length = capacity.encode(cdb(SIXTEEN), dst);

        assertThat(head(dst, length))
                .isEqualTo(hex("0000000100000000 00001000 00 03 C005" + "00".repeat(16)));
    }

    @Test
    @Rule("CMD-28")
    @Rule("CMD-43")
    void shouldClaimZeroesOnlyForAThinDisk() {
        new Capacity(8, 512, 0, 0, true, false).encode16(dst);
        assertThat(dst[14]).isEqualTo((byte) 0x80);

        new Capacity(8, 512, 0, 0, false, true).encode16(dst);
        assertThat(dst[14]).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {TEN, SIXTEEN})
    @Rule("CMD-43")
    void shouldNotBeReadyWithoutBlocks(String digits) {
        assertThat(of(0).check(cdb(digits))).isEqualTo(Sense.NOT_READY_NO_CAPACITY);
        assertThat(of(1).check(cdb(digits))).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "25 00 00000001 0000 00, false", "25 00 00000001 0000 01, true",
        "25 00 00000000 0000 01, true",
        "9E 10 0000000000000001 00000020 00, false",
        "9E 10 0000000000000001 00000020 01, true",
        "9E 10 8000000000000000 00000020 00, false"})
    @Rule("CMD-43")
    void shouldRefuseAnAddressWithoutPartialMediumIndicator(String digits, boolean accepted) {
        Sense expected = accepted ? null : Sense.INVALID_FIELD_IN_CDB;

        assertThat(of(100).check(cdb(digits))).isEqualTo(expected);
    }

    @Test
    void shouldRejectGeometryThatDoesNotFit() {
        assertThatThrownBy(() -> of(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
        assertThatThrownBy(() -> new Capacity(1, 0, 0, 0, false, false))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Capacity(1, 512, 16, 0, false, false))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("16");
        assertThatThrownBy(() -> new Capacity(1, 512, 0, 0x4000, false, false))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
