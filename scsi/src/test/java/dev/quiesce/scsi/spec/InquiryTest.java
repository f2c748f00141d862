package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.head;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static dev.quiesce.scsi.spec.Bytes.room;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InquiryTest {
    private static final DeviceIdentity IDENTITY =
            DeviceIdentity.of("QUIESCE", "HARDDISK", "0.1", "q-0001");
    private static final BlockLimitsPage LIMITS = BlockLimitsPage.of(512, 0, 4096, true, 4096);

    private final byte[] dst = room(VpdPages.LENGTH_BYTES_MAX);

    private static StandardInquiry disk(boolean removable, boolean commandQueueing) {
        return new StandardInquiry(StandardInquiry.TYPE_DISK, removable, commandQueueing,
                StandardInquiry.VERSION_SPC3, IDENTITY);
    }

    private static VpdPages diskPages(DeviceIdentity identity) {
        return new VpdPages(StandardInquiry.TYPE_DISK, identity, LIMITS, 1, true, true);
    }

    @ParameterizedTest
    @CsvSource({
        "12 00 00, true", "12 00 80, false", "12 01 80, true", "12 01 00, true",
        "12 02 00, false", "12 03 00, false"})
    @Rule("CMD-22")
    void shouldRefuseAPageCodeWithoutVpdAndCommandData(String digits, boolean accepted) {
        Sense expected = accepted ? null : Sense.INVALID_FIELD_IN_CDB;

        assertThat(StandardInquiry.check(cdb(digits))).isEqualTo(expected);
    }

    @Test
    void shouldSayWhichPageIsWanted() {
        assertThat(StandardInquiry.isVpd(cdb("12 01 B0"))).isTrue();
        assertThat(StandardInquiry.isVpd(cdb("12 00 00"))).isFalse();
        assertThat(StandardInquiry.pageCode(cdb("12 01 B0"))).isEqualTo(0xB0);
    }

    @Test
    @Rule("CMD-23")
    @Rule("CMD-24")
    void shouldDescribeADiskInNinetySixBytes() {
        int length = disk(false, true).encode(dst);

        assertThat(length).isEqualTo(96);
        assertThat(head(dst, 8)).isEqualTo(hex("00 00 05 12 5B 00 00 12"));
        assertThat(new String(dst, 8, 24, US_ASCII)).isEqualTo("QUIESCE HARDDISK        ");
        assertThat(Arrays.copyOfRange(dst, 32, 36)).isEqualTo(hex("30 2E 31 00"));
        assertThat(Arrays.copyOfRange(dst, 58, 66)).isEqualTo(hex("00A0 0460 04C0 0000"));
    }

    @Test
    @Rule("CMD-23")
    void shouldShowRemovableMediaAndCommandQueueing() {
        disk(true, false).encode(dst);

        assertThat(head(dst, 8)).isEqualTo(hex("00 80 05 12 5B 00 00 10"));
    }

    @Test
    @Rule("VSCSI-25")
    void shouldDescribeAWellKnownUnit() {
        new StandardInquiry(StandardInquiry.TYPE_WELL_KNOWN, false, true,
                StandardInquiry.VERSION_SPC4, IDENTITY).encode(dst);

        assertThat(head(dst, 5)).isEqualTo(hex("1E 00 06 12 5B"));
        assertThat(Arrays.copyOfRange(dst, 58, 66)).isEqualTo(hex("00A0 0460 0000 0000"));
    }

    @Test
    @Rule("SCSI-47")
    void shouldDescribeATargetWithoutUnitZero() {
        int length = StandardInquiry.encodeTarget(0, true, IDENTITY, dst);

        assertThat(length).isEqualTo(36);
        assertThat(head(dst, 8)).isEqualTo(hex("3F 00 05 12 1F 00 00 12"));
        assertThat(new String(dst, 8, 8, US_ASCII)).isEqualTo("QUIESCE ");
    }

    @Test
    @Rule("SCSI-47")
    void shouldSayThatNoOtherUnitIsPossible() {
        int length = StandardInquiry.encodeTarget(5, true, IDENTITY, dst);

        assertThat(head(dst, length)).isEqualTo(hex("7F" + "00".repeat(35)));
    }

    @Test
    @Rule("SCSI-47")
    void shouldListOnlyTheListAmongThePagesOfATarget() {
        int length = VpdPages.encodeTarget(0x00, dst);

        assertThat(head(dst, length)).isEqualTo(hex("3F 00 0001 00"));
        assertThat(VpdPages.encodeTarget(0x83, dst)).isEqualTo(VpdPages.UNSUPPORTED);
    }

    @Test
    @Rule("CMD-25")
    void shouldListThePagesOfADiskInAscendingOrder() {
        int length = diskPages(IDENTITY).encode(0x00, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00 00 0006 00 80 83 B0 B1 B2"));
    }

    @Test
    @Rule("CMD-25")
    void shouldLeaveTheSerialNumberPageOutWithoutSerialNumber() {
        VpdPages pages = diskPages(new DeviceIdentity("V", "P", "R", null, "id", 0, 0, 0));

        int length = pages.encode(0x00, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00 00 0005 00 83 B0 B1 B2"));
        assertThat(pages.encode(0x80, dst)).isEqualTo(VpdPages.UNSUPPORTED);
    }

    @Test
    @Rule("CMD-25")
    @Rule("VSCSI-25")
    void shouldListNoDiskPagesForAWellKnownUnit() {
        VpdPages pages =
                new VpdPages(StandardInquiry.TYPE_WELL_KNOWN, IDENTITY, null, 0, false, false);

        int length = pages.encode(0x00, dst);

        assertThat(head(dst, length)).isEqualTo(hex("1E 00 0003 00 80 83"));
        assertThat(pages.encode(0xB0, dst)).isEqualTo(VpdPages.UNSUPPORTED);
    }

    @Test
    @Rule("CMD-25")
    void shouldServeTheSerialNumber() {
        int length = diskPages(IDENTITY).encode(0x80, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00 80 0006 71 2D 30 30 30 31"));
    }

    @Test
    @Rule("CMD-25")
    @Rule("CMD-29")
    void shouldServeTheDesignatorsInOrder() {
        DeviceIdentity identity = IDENTITY.withDesignator("id")
                .withNaa(0x5001_0203_0405_0607L).withPort(0x3001_0203_0405_0608L, 2);

        int length = diskPages(identity).encode(0x83, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00 83 0026"
                + "02 00 00 02 6964"
                + "01 03 00 08 5001020304050607"
                + "61 93 00 08 3001020304050608"
                + "61 94 00 04 0000 0002"));
    }

    @Test
    @Rule("CMD-25")
    @Rule("CMD-29")
    void shouldServeTheLongestDesignator() {
        DeviceIdentity identity = IDENTITY.withDesignator("x".repeat(247))
                .withNaa(0x5001_0203_0405_0607L).withPort(0x5001_0203_0405_0608L, 0xFFFF);

        int length = diskPages(identity).encode(0x83, dst);

        assertThat(length).isEqualTo(4 + 4 + 247 + 12 + 12 + 8);
        assertThat(BigEndian.u16(dst, 2)).isEqualTo(length - 4);
        assertThat(dst[7]).isEqualTo((byte) 247);
    }

    @Test
    @Rule("CMD-25")
    @Rule("CMD-26")
    @Rule("CMD-27")
    void shouldServeTheBlockLimits() {
        int length = diskPages(IDENTITY).encode(0xB0, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00 B0 003C"
                + "01 00 0008 003FFFFF 00000000 00000000"
                + "00100000 000000FF 00000008 00000000"
                + "00000000003FFFFF" + "00".repeat(20)));
    }

    @Test
    @Rule("CMD-25")
    void shouldServeTheRotationRate() {
        int length = diskPages(IDENTITY).encode(0xB1, dst);

        assertThat(head(dst, length)).isEqualTo(hex("00 B1 003C 0001" + "00".repeat(58)));
    }

    @Test
    @Rule("CMD-28")
    @Rule("CMD-104")
    void shouldDeriveProvisioningFromOneFlag() {
        VpdPages thin = diskPages(IDENTITY);
        VpdPages plain = new VpdPages(0, IDENTITY, LIMITS, 0, false, true);
        VpdPages dirty = new VpdPages(0, IDENTITY, LIMITS, 0, true, false);

        assertThat(head(dst, thin.encode(0xB2, dst))).isEqualTo(hex("00 B2 0004 00 E4 02 00"));
        assertThat(head(dst, plain.encode(0xB2, dst))).isEqualTo(hex("00 B2 0004 00 00 00 00"));
        assertThat(head(dst, dirty.encode(0xB2, dst))).isEqualTo(hex("00 B2 0004 00 E0 02 00"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x01, 0x81, 0x82, 0x86, 0x8F, 0xAF, 0xB3, 0xFF})
    @Rule("CMD-25")
    void shouldNotKnowOtherPages(int page) {
        assertThat(diskPages(IDENTITY).encode(page, dst)).isEqualTo(VpdPages.UNSUPPORTED);
    }

    @Test
    @Rule("CMD-11")
    void shouldListExactlyThePagesThatItServes() {
        VpdPages pages = diskPages(IDENTITY);
        byte[] list = head(dst, pages.encode(0, dst));
        int served = 0;

        for (int page = 0; page < 256; page++) {
            int length = pages.encode(page, dst);
            if (length != VpdPages.UNSUPPORTED) {
                assertThat(list[4 + served++] & 0xFF).isEqualTo(page);
                assertThat(BigEndian.u16(dst, 2)).isEqualTo(length - 4);
                assertThat(dst[1] & 0xFF).isEqualTo(page);
            }
        }
        assertThat(served).isEqualTo(list.length - 4);
    }

    @ParameterizedTest
    @CsvSource({
        "512,   0,          4194303",
        "4096,  0,          524287",
        "512,   1048576,    2048",
        "512,   9999999999, 4194303",
        "4096,  100,        1"})
    @Rule("CMD-27")
    void shouldBoundTransfersByBackendAndCommandFormat(int blockSize, long max, long blocks) {
        BlockLimitsPage limits = BlockLimitsPage.of(blockSize, max, 1 << 20, true, 1 << 16);

        assertThat(limits.transferBlocksMax()).isEqualTo(blocks);
        assertThat(limits.writeSameBlocksMax()).isEqualTo(blocks);
        assertThat((long) limits.optimalGranularityBlocks())
                .isEqualTo(Math.min(blocks, (1 << 20) / blockSize));
        assertThat(limits.unmapBlocksMax()).isEqualTo(1 << 20);
        assertThat(limits.unmapGranularityBlocks()).isEqualTo((1 << 16) / blockSize);
    }

    @Test
    @Rule("CMD-28")
    void shouldOfferNoUnmapWhereThereIsNone() {
        BlockLimitsPage limits = BlockLimitsPage.of(512, 0, 0, false, 4096);

        assertThat(limits.unmapBlocksMax()).isZero();
        assertThat(limits.unmapDescriptorsMax()).isZero();
        assertThat(limits.unmapGranularityBlocks()).isZero();
    }

    @Test
    @Rule("CMD-26")
    void shouldReportAlignmentOnlyIfItIsKnown() {
        new BlockLimitsPage(0xFF, 0xFFFF, 0xFFFF_FFFFL, 7, 0xFFFF_FFFFL, 1, 8, 3, 9).encode(dst);

        assertThat(Arrays.copyOfRange(dst, 5, 12)).isEqualTo(hex("FF FFFF FFFFFFFF"));
        assertThat(Arrays.copyOfRange(dst, 32, 44)).isEqualTo(hex("80000003 0000000000000009"));
    }

    @Test
    void shouldRejectLimitsThatDoNotFit() {
        assertThatThrownBy(() -> new BlockLimitsPage(256, 0, 0, 0, 0, 0, 0, -1, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("256");
        assertThatThrownBy(() -> new BlockLimitsPage(0, 9, 8, 0, 0, 0, 0, -1, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("9");
        assertThatThrownBy(() -> new BlockLimitsPage(0, 0, 0, 0, 0, 0, 0, -2, 0))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-2");
        assertThatThrownBy(() -> BlockLimitsPage.of(0, 0, 0, true, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BlockLimitsPage.of(512, -1, 0, true, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldRejectPagesAndInquiriesThatMakeNoSense() {
        assertThatThrownBy(() -> new VpdPages(0, IDENTITY, null, 0, true, true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new VpdPages(5, IDENTITY, LIMITS, 0, true, true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new VpdPages(0, IDENTITY, LIMITS, 0x400, true, true))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("1024");
        assertThatThrownBy(() -> new VpdPages(32, IDENTITY, null, 0, true, true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new StandardInquiry(0, false, true, 7, IDENTITY))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("7");
        assertThatThrownBy(() -> new StandardInquiry(-1, false, true, 5, IDENTITY))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("-1");
        assertThatThrownBy(() -> disk(false, false).encode(new byte[95]))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("95");
    }

    @Test
    @Rule("CMD-24")
    @Rule("CMD-25")
    @Rule("CMD-29")
    void shouldRejectNamesThatDoNotFit() {
        assertThatThrownBy(() -> DeviceIdentity.of("QUIESCE!!", "P", "1", "s"))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("QUIESCE!!");
        assertThatThrownBy(() -> DeviceIdentity.of("V", "P", "1", "x".repeat(21)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DeviceIdentity.of("V", "P", "1", ""))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> DeviceIdentity.of("V", "P\n", "1", "s"))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("0xa");
        assertThatThrownBy(() -> IDENTITY.withDesignator(""))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> IDENTITY.withNaa(0x1000_0000_0000_0000L))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("0x1000");
        assertThatThrownBy(() -> IDENTITY.withPort(0, 65536))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("65536");
    }
}
