package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.head;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static dev.quiesce.scsi.spec.Bytes.room;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModePagesTest {
    private static final ModeParameters DEFAULTS = new ModeParameters(true, false, false);
    private static final String RECOVERY = "01 0A 80 000000000000000000";
    private static final String CACHING = "08 12 04" + "00".repeat(17);
    private static final String CONTROL = "0A 0A 00 10 0000000000000000";
    private static final String DESCRIPTOR = "00000800 00 000200";

    private final byte[] dst = room(ModePages.LENGTH_BYTES_MAX);

    private static ModePages pages(long blocks) {
        return new ModePages(
                new Capacity(blocks, 512, 0, 0, true, true), false, true, DEFAULTS);
    }

    private byte[] sense(ModePages pages, String digits, ModeParameters current) {
        assertThat(ModePages.check(cdb(digits))).isNull();
        return head(dst, pages.encode(cdb(digits), current, dst));
    }

    @Test
    @Rule("CMD-31")
    @Rule("CMD-33")
    void shouldReturnAllPagesInAscendingOrder() {
        byte[] data = sense(pages(2048), "1A 00 3F 00 FF", DEFAULTS);

        assertThat(data).isEqualTo(hex(
                "37 00 10 08" + DESCRIPTOR + RECOVERY + CACHING + CONTROL));
    }

    @Test
    @Rule("CMD-31")
    @Rule("CMD-32")
    void shouldUseTheLongerHeaderInTheTenByteForm() {
        byte[] data = sense(pages(2048), "5A 00 08 00 000000 00FF", DEFAULTS);

        assertThat(data).isEqualTo(hex("0022 00 10 00 00 0008" + DESCRIPTOR + CACHING));
    }

    @Test
    @Rule("CMD-32")
    void shouldReturnALongDescriptorOnRequest() {
        byte[] data = sense(pages(0x1_0000_0000L), "5A 10 0A 00 000000 00FF", DEFAULTS);

        assertThat(data).isEqualTo(hex(
                "0022 00 10 01 00 0010 0000000100000000 00000000 00000200" + CONTROL));
    }

    @Test
    @Rule("CMD-32")
    void shouldIgnoreTheLongDescriptorBitInTheSixByteForm() {
        byte[] data = sense(pages(2048), "1A 10 08 00 FF", DEFAULTS);

        assertThat(data[3]).isEqualTo((byte) 8);
    }

    @Test
    @Rule("CMD-32")
    void shouldClipTheNumberOfBlocks() {
        byte[] largest = sense(pages(0xFF_FFFF), "1A 00 08", DEFAULTS);
        byte[] larger = sense(pages(0x100_0000), "1A 00 08", DEFAULTS);

        assertThat(Arrays.copyOfRange(largest, 4, 12)).isEqualTo(hex("00FFFFFF 00 000200"));
        assertThat(Arrays.copyOfRange(larger, 4, 12)).isEqualTo(hex("00FFFFFF 00 000200"));
    }

    @Test
    @Rule("CMD-32")
    void shouldStateAnyBlockSize() {
        ModePages pages = new ModePages(
                new Capacity(16, 0x1_0000, 0, 0, false, false), false, false, DEFAULTS);

        byte[] data = sense(pages, "1A 00 08", DEFAULTS);

        assertThat(Arrays.copyOfRange(data, 4, 12)).isEqualTo(hex("00000010 00 010000"));
    }

    @Test
    @Rule("CMD-32")
    void shouldOmitTheDescriptorOnRequestAndWithoutBlocks() {
        byte[] onRequest = sense(pages(2048), "1A 08 0A", DEFAULTS);
        byte[] withoutBlocks = sense(pages(0), "1A 00 0A", DEFAULTS);

        assertThat(onRequest).isEqualTo(hex("0F 00 10 00" + CONTROL));
        assertThat(withoutBlocks).isEqualTo(onRequest);
    }

    @ParameterizedTest
    @CsvSource({"false, false, false, 00", "true, false, false, 80", "false, true, false, 10",
        "false, false, true, 80", "true, true, true, 90"})
    @Rule("CMD-31")
    @Rule("CMD-89")
    void shouldShowWriteProtectionAndCacheControl(
            boolean readOnly, boolean dpoFua, boolean software, String device) {
        ModePages pages = new ModePages(
                new Capacity(1, 512, 0, 0, false, false), readOnly, dpoFua, DEFAULTS);
        ModeParameters current = DEFAULTS.withSoftwareWriteProtect(software);

        assertThat(sense(pages, "1A 00 3F", current)[2]).isEqualTo(hex(device)[0]);
        assertThat(sense(pages, "5A 00 3F", current)[3]).isEqualTo(hex(device)[0]);
    }

    @Test
    @Rule("CMD-33")
    @Rule("CMD-89")
    void shouldReturnCurrentChangeableAndDefaultValues() {
        ModeParameters current = new ModeParameters(false, true, true);

        byte[] values = sense(pages(0), "1A 00 3F", current);
        byte[] changeable = sense(pages(0), "1A 00 7F", current);
        byte[] defaults = sense(pages(0), "1A 00 BF", current);

        assertThat(Arrays.copyOfRange(values, 4, values.length)).isEqualTo(hex(RECOVERY
                + "08 12 00" + "00".repeat(17) + "0A 0A 04 10 08 00000000000000"));
        assertThat(Arrays.copyOfRange(changeable, 4, changeable.length)).isEqualTo(hex(
                "01 0A 00000000000000000000" + CACHING + "0A 0A 04 00 08 00000000000000"));
        assertThat(Arrays.copyOfRange(defaults, 4, defaults.length))
                .isEqualTo(hex(RECOVERY + CACHING + CONTROL));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1A 00 C8", "1A 00 FF", "5A 00 CA", "1A 00 C2"})
    @Rule("CMD-33")
    void shouldHaveNoSavedValues(String digits) {
        assertThat(ModePages.check(cdb(digits))).isEqualTo(Sense.SAVING_NOT_SUPPORTED);
    }

    @ParameterizedTest
    @CsvSource({
        "1A 00 3F 00, true", "1A 00 3F FF, true", "1A 00 08 00, true", "1A 00 08 FF, true",
        "5A 00 0A 00, true", "1A 00 01 00, true", "1A 00 3F 01, false", "1A 00 08 01, false",
        "1A 00 0A 05, false", "1A 00 00 00, false", "1A 00 02 00, false", "5A 00 1C 00, false",
        "1A 00 3E 00, false"})
    @Rule("CMD-33")
    void shouldRefusePagesAndSubpagesThatDoNotExist(String digits, boolean exists) {
        Sense expected = exists ? null : Sense.INVALID_FIELD_IN_CDB;

        assertThat(ModePages.check(cdb(digits))).isEqualTo(expected);
    }

    @Test
    @Rule("CMD-33")
    void shouldReturnTheSameWithAllSubpages() {
        byte[] plain = sense(pages(2048), "1A 00 3F 00", DEFAULTS);
        byte[] all = sense(pages(2048), "1A 00 3F FF", DEFAULTS);

        assertThat(all).isEqualTo(plain);
    }

    @Test
    @Rule("CMD-11")
    @Rule("CMD-31")
    void shouldStateTheFullLengthWhateverIsAllocated() {
        byte[] data = sense(pages(2048), "1A 00 3F 00 04", DEFAULTS);

        assertThat(data[0] + 1).isEqualTo(data.length);
        assertThat(data.length).isGreaterThan(4);
    }
}
