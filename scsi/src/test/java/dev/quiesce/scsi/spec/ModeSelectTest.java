package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static dev.quiesce.scsi.spec.Bytes.room;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModeSelectTest {
    private static final ModeParameters CURRENT = new ModeParameters(true, false, false);
    private static final ModePages PAGES = new ModePages(
            new Capacity(2048, 512, 0, 0, true, true), false, true, CURRENT);
    private static final String SIX = "15 10 0000 FF";
    private static final String TEN = "55 10 0000000000 00FF";
    private static final String HEADER_6 = "00 00 00 00";
    private static final String HEADER_10 = "0000 00 00 00 00 0000";
    private static final String CACHE_OFF = "08 12 00" + "00".repeat(17);
    private static final String CONTROL_ON = "0A 0A 04 10 08 00000000000000";

    private static ModeSelect decode(String command, String list) {
        byte[] bytes = hex(list);
        return ModeSelect.decode(cdb(command), bytes, bytes.length, PAGES, CURRENT);
    }

    private static void assertRefused(ModeSelect outcome, Sense sense) {
        assertThat(outcome.sense()).isEqualTo(sense);
        assertThat(outcome.parameters()).isEqualTo(CURRENT);
    }

    @Test
    @Rule("CMD-35")
    void shouldSwitchTheWriteCacheOff() {
        ModeSelect outcome = decode(SIX, HEADER_6 + CACHE_OFF);

        assertThat(outcome.sense()).isNull();
        assertThat(outcome.parameters()).isEqualTo(CURRENT.withWriteCache(false));
    }

    @Test
    @Rule("CMD-35")
    @Rule("CMD-89")
    void shouldTakeSeveralPagesInTheTenByteForm() {
        ModeSelect outcome = decode(TEN, HEADER_10 + CACHE_OFF + CONTROL_ON);

        assertThat(outcome.sense()).isNull();
        assertThat(outcome.parameters()).isEqualTo(new ModeParameters(false, true, true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1A 00 3F 00 FF", "1A 08 3F 00 FF", "5A 00 3F 00 000000 00FF",
        "5A 10 3F 00 000000 00FF", "5A 08 3F 00 000000 00FF"})
    @Rule("CMD-35")
    void shouldAcceptWhatModeSenseReturned(String modeSense) {
        byte[] list = room(ModePages.LENGTH_BYTES_MAX);
        int length = PAGES.encode(cdb(modeSense), CURRENT, list);
        String command = modeSense.startsWith("1A") ? SIX : TEN;

        ModeSelect outcome = ModeSelect.decode(cdb(command), list, length, PAGES, CURRENT);

        assertThat(outcome).isEqualTo(new ModeSelect(null, CURRENT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"15 00 0000 FF", "15 11 0000 FF", "15 01 0000 FF", "55 00", "55 11"})
    @Rule("CMD-35")
    void shouldRequirePageFormatWithoutSaving(String command) {
        assertRefused(decode(command, HEADER_6 + CACHE_OFF), Sense.INVALID_FIELD_IN_CDB);
        assertRefused(decode(command, ""), Sense.INVALID_FIELD_IN_CDB);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", HEADER_6})
    @Rule("CMD-35")
    void shouldDoNothingForAnEmptyList(String list) {
        assertThat(decode(SIX, list)).isEqualTo(new ModeSelect(null, CURRENT));
    }

    @ParameterizedTest
    @CsvSource({
        "6,  00",
        "6,  00 00 00",
        "10, 0000 00 00 00 00 00",
        "6,  00 00 00 08 00000800 00 0002",
        "6,  00 00 00 FF",
        "10, 0000 00 00 00 00 0008",
        "10, 0000 00 00 00 00 FFFF",
        "6,  00 00 00 00 08",
        "6,  00 00 00 00 08 12",
        "6,  00 00 00 00 08 12 0000",
        "6,  00 00 00 00 48 01 00",
        "6,  00 00 00 00 01 0A 80 0000000000000000"})
    @Rule("CMD-35")
    void shouldRefuseTruncatedLists(int form, String list) {
        assertRefused(decode(form == 6 ? SIX : TEN, list), Sense.LIST_LENGTH_ERROR);
    }

    @ParameterizedTest
    @CsvSource({
        "6,  00 00 00 01 00",
        "6,  00 00 00 10 00000000000000000000000000000000",
        "10, 0000 00 00 01 00 0008 00000000 00 000200",
        "10, 0000 00 00 00 00 0010 0000000000000800 00000000 00000200"})
    @Rule("CMD-35")
    void shouldRefuseDescriptorsOfAnotherLength(int form, String list) {
        assertRefused(decode(form == 6 ? SIX : TEN, list), Sense.INVALID_FIELD_IN_LIST);
    }

    @ParameterizedTest
    @CsvSource({
        "00000000 00 000200, true", "00000800 00 000200, true", "FFFFFFFF 00 000200, true",
        "00000400 00 000200, false", "00000000 00 001000, false", "00000000 00 000000, false",
        "00000000 00 000100, false", "00000000 00 010200, false"})
    @Rule("CMD-35")
    @Rule("SBUG-13")
    void shouldRefuseToChangeTheBlocks(String descriptor, boolean accepted) {
        ModeSelect outcome = decode(SIX, "00 00 00 08" + descriptor);

        assertThat(outcome.sense()).isEqualTo(accepted ? null : Sense.INVALID_FIELD_IN_LIST);
    }

    @ParameterizedTest
    @CsvSource({
        "0000000000000000 00000000 00000200, true", "0000000000000800 00000000 00000200, true",
        "FFFFFFFFFFFFFFFF 00000000 00000200, true", "0000000000000001 00000000 00000200, false",
        "0000000000000000 00000000 80000200, false"})
    @Rule("CMD-32")
    @Rule("CMD-35")
    void shouldRefuseToChangeTheBlocksInALongDescriptor(String descriptor, boolean accepted) {
        ModeSelect outcome = decode(TEN, "0000 00 00 01 00 0010" + descriptor);

        assertThat(outcome.sense()).isEqualTo(accepted ? null : Sense.INVALID_FIELD_IN_LIST);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "3F 00",
        "3F FF 00",
        "02 0E 0000000000000000000000000000",
        "00 00",
        "08 11 00" + "00000000000000000000000000000000",
        "08 00",
        "48 01 0000 00",
        "48 00 0012 04" + "0000000000000000000000000000000000",
        "01 0A 00 000000000000000000",
        "08 12 05" + "0000000000000000000000000000000000",
        "08 12 04 01" + "00000000000000000000000000000000",
        "0A 0A 00 00 0000000000000000",
        "0A 0A 02 10 0000000000000000",
        "0A 0A 00 10 0000000000000001"})
    @Rule("CMD-35")
    @Rule("SBUG-25")
    void shouldRefuseUnknownPagesAndUnchangeableBits(String page) {
        assertRefused(decode(SIX, HEADER_6 + page), Sense.INVALID_FIELD_IN_LIST);
    }

    @Test
    @Rule("CMD-35")
    @Rule("SBUG-67")
    void shouldChangeNothingIfALaterPageIsRefused() {
        assertRefused(decode(SIX, HEADER_6 + CACHE_OFF + "3F 00"), Sense.INVALID_FIELD_IN_LIST);
        assertRefused(decode(SIX, HEADER_6 + CACHE_OFF + "0A 0A 00"), Sense.LIST_LENGTH_ERROR);
    }

    @Test
    @Rule("CMD-35")
    void shouldReadNoFurtherThanWhatWasReceived() {
        byte[] list = Arrays.copyOf(hex(HEADER_6 + CACHE_OFF), 64);
        list[24] = 0x3F;

        ModeSelect outcome = ModeSelect.decode(cdb(SIX), list, 24, PAGES, CURRENT);

        assertThat(outcome.sense()).isNull();
        assertThatThrownBy(() -> ModeSelect.decode(cdb(SIX), list, 65, PAGES, CURRENT))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    @Rule("CMD-35")
    void shouldCompareWithTheParametersInEffect() {
        ModeParameters changed = new ModeParameters(false, true, true);
        byte[] list = hex(HEADER_6 + CONTROL_ON);

        ModeSelect outcome = ModeSelect.decode(cdb(SIX), list, list.length, PAGES, changed);

        assertThat(outcome).isEqualTo(new ModeSelect(null, changed));
    }
}
