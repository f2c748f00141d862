package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnmapParametersTest {
    private static final long CAPACITY = 0x1000;
    private static final BlockLimitsPage LIMITS =
            new BlockLimitsPage(0, 0, 0, 0, 0x800, 3, 0, -1, 0);
    private static final BlockLimitsPage UNLIMITED =
            new BlockLimitsPage(0, 0, 0, 0, BlockLimitsPage.UNLIMITED, 3, 0, -1, 0);

    private final UnmapParameters parameters = new UnmapParameters();

    private static String descriptor(String lba, String blocks) {
        return "0".repeat(16 - lba.length()) + lba + "0".repeat(8 - blocks.length()) + blocks
                + "00000000";
    }

    private static byte[] list(String... descriptors) {
        int bytes = descriptors.length * 16;
        return hex(String.format("%04X %04X 00000000", bytes + 6, bytes)
                + String.join("", descriptors));
    }

    private Sense parse(byte[] list) {
        return parameters.parse(list, list.length, CAPACITY, LIMITS);
    }

    @Test
    @Rule("CMD-36")
    void shouldRefuseToAnchor() {
        assertThat(UnmapParameters.checkCdb(cdb("42 01"))).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(UnmapParameters.checkCdb(cdb("42 00"))).isNull();
    }

    @Test
    @Rule("CMD-36")
    void shouldShowTheRangesOfAValidList() {
        assertThat(parse(list(descriptor("10", "20"), descriptor("FF0", "10")))).isNull();

        assertThat(parameters.count()).isEqualTo(2);
        assertThat(parameters.lba(0)).isEqualTo(0x10);
        assertThat(parameters.blocks(0)).isEqualTo(0x20);
        assertThat(parameters.lba(1)).isEqualTo(0xFF0);
        assertThat(parameters.blocks(1)).isEqualTo(0x10);
    }

    @Test
    @Rule("CMD-36")
    void shouldAskForNothingWithoutDescriptorsOrList() {
        assertThat(parse(list())).isNull();
        assertThat(parameters.count()).isZero();
        assertThat(parse(new byte[0])).isNull();
        assertThat(parameters.count()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "00", "0006 0000 000000", "0007 0000 00000000", "FFFF 0000 00000000",
        "0006 0010 00000000", "0006 FFFF 00000000",
        "0016 0008 00000000 0000000000000000 00000000 00000000",
        "0016 0001 00000000 0000000000000000 00000000 00000000",
        "0017 0010 00000000 0000000000000000 00000000 00000000"})
    @Rule("CMD-36")
    void shouldRefuseListsWhoseLengthsDisagree(String digits) {
        assertThat(parse(hex(digits))).isEqualTo(Sense.LIST_LENGTH_ERROR);
        assertThat(parameters.count()).isZero();
    }

    @Test
    @Rule("CMD-36")
    void shouldIgnoreWhatFollowsTheDescriptors() {
        byte[] list = hex("0006 0010 00000000" + descriptor("1", "2") + "FFFFFFFF");

        assertThat(parse(list)).isNull();
        assertThat(parameters.count()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "1000, 0, true", "FFF, 1, true", "FFF, 2, false", "1001, 0, false", "1000, 1, false",
        "FFFFFFFFFFFFFFFF, 1, false", "FFFFFFFFFFFFFFFF, 0, false",
        "7FFFFFFFFFFFFFFF, FFFFFFFF, false"})
    @Rule("CMD-36")
    @Rule("CMD-8")
    void shouldAdmitOnlyExistingBlocks(String lba, String blocks, boolean accepted) {
        byte[] list = list(descriptor(lba, blocks));

        Sense sense = parameters.parse(list, list.length, CAPACITY, UNLIMITED);

        assertThat(sense).isEqualTo(accepted ? null : Sense.LBA_OUT_OF_RANGE);
    }

    @Test
    @Rule("CMD-36")
    void shouldRefuseTheWholeListForItsLastRange() {
        assertThat(parse(list(descriptor("0", "1"), descriptor("1000", "1"))))
                .isEqualTo(Sense.LBA_OUT_OF_RANGE);
        assertThat(parameters.count()).isZero();
    }

    @Test
    @Rule("CMD-36")
    void shouldEnforceTheAdvertisedLimits() {
        String one = descriptor("0", "1");

        assertThat(parse(list(one, one, one))).isNull();
        assertThat(parse(list(one, one, one, one))).isEqualTo(Sense.INVALID_FIELD_IN_LIST);
        assertThat(parse(list(descriptor("0", "800")))).isNull();
        assertThat(parse(list(descriptor("0", "801")))).isEqualTo(Sense.INVALID_FIELD_IN_LIST);
        assertThat(parse(list(descriptor("0", "400"), descriptor("0", "401"))))
                .isEqualTo(Sense.INVALID_FIELD_IN_LIST);
    }

    @Test
    @Rule("CMD-36")
    void shouldKnowNoLimitWhereNoneIsAdvertised() {
        byte[] list = list(descriptor("0", "1000"), descriptor("0", "1000"));

        assertThat(parameters.parse(list, list.length, CAPACITY, UNLIMITED)).isNull();
    }

    @Test
    void shouldNotShowTheRangesOfAnEarlierList() {
        parse(list(descriptor("0", "1")));

        assertThat(parse(hex("00"))).isNotNull();

        assertThatThrownBy(() -> parameters.lba(0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> parameters.blocks(0))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }
}
