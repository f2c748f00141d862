package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.BLOCK_SIZE;
import static dev.quiesce.scsi.spec.Bytes.cdb;
import static dev.quiesce.scsi.spec.Bytes.command;
import static dev.quiesce.scsi.spec.Bytes.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CdbTest {
    private final Cdb cdb = new Cdb();

    @ParameterizedTest
    @ValueSource(strings = {"60", "7F", "C0", "DF", "E0", "FF"})
    @Rule("CMD-1")
    void shouldRefuseReservedAndVendorGroups(String opcode) {
        byte[] bytes = hex(opcode + "00".repeat(31));

        assertThat(cdb.parse(bytes, 32, BLOCK_SIZE)).isEqualTo(Sense.INVALID_OPCODE);
        assertThat(cdb.format()).isEqualTo(CdbFormat.UNKNOWN);
        assertThat(cdb.direction()).isEqualTo(DataDirection.NONE);
    }

    @ParameterizedTest
    @CsvSource({"08,6", "28,10", "5A,10", "88,16", "A8,12"})
    @Rule("CMD-1")
    @Rule("SBUG-29")
    void shouldRefuseCommandsShorterThanTheirGroup(String opcode, int natural) {
        byte[] bytes = hex(opcode + "00".repeat(15));

        assertThat(cdb.parse(bytes, natural - 1, BLOCK_SIZE)).isEqualTo(Sense.INVALID_OPCODE);
        assertThat(cdb.parse(bytes, natural, BLOCK_SIZE)).isNull();
        assertThat(cdb.lengthBytes()).isEqualTo(natural);
    }

    @Test
    @Rule("CMD-1")
    @Rule("SCSI-14")
    void shouldRefuseAnEmptyCommand() {
        assertThat(cdb.parse(new byte[0], 0, BLOCK_SIZE)).isEqualTo(Sense.INVALID_OPCODE);
        assertThat(cdb.parse(command("28"), 0, BLOCK_SIZE)).isEqualTo(Sense.INVALID_OPCODE);
    }

    @Test
    @Rule("CMD-1")
    void shouldIgnoreWhatFollowsTheCommand() {
        byte[] bytes = hex("12 00 00 00 24 00" + "FF".repeat(26));

        assertThat(cdb.parse(bytes, 32, BLOCK_SIZE)).isNull();

        assertThat(cdb.u8(4)).isEqualTo(0x24);
        assertThat(cdb.u8(6)).isZero();
        assertThat(cdb.u8(15)).isZero();
    }

    @Test
    void shouldForgetThePreviousCommandWhenOneIsRefused() {
        cdb.parse(command("2A 18 00000010 00 0008"), 10, BLOCK_SIZE);

        assertThat(cdb.parse(hex("FF"), 1, BLOCK_SIZE)).isNotNull();

        assertThat(cdb.lba()).isZero();
        assertThat(cdb.transferBytes()).isZero();
        assertThat(cdb.fua()).isFalse();
        assertThat(cdb.opcode()).isZero();
    }

    @Test
    void shouldNotSeeLaterChangesOfTheSource() {
        byte[] bytes = command("28 00 00000001 00 0001");
        cdb.parse(bytes, bytes.length, BLOCK_SIZE);

        bytes[0] = 0x2A;
        bytes[5] = 9;

        assertThat(cdb.format()).isEqualTo(CdbFormat.READ_10);
        assertThat(cdb.u8(5)).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "08 FF FFFF 01,           1FFFFF",
        "28 00 FFFFFFFE 00 0001,  FFFFFFFE",
        "A8 00 80000000 00000001, 80000000",
        "88 00 8123456789ABCDEF 00000001, 8123456789ABCDEF",
        "42 00 01020304,          1020304"})
    @Rule("CMD-2")
    void shouldReadTheAddressWhereTheGroupHasIt(String digits, String lba) {
        assertThat(cdb(digits).lba()).isEqualTo(Long.parseUnsignedLong(lba, 16));
    }

    @ParameterizedTest
    @CsvSource({
        "READ_6,  08 00 0000 00,                    256",
        "WRITE_6, 0A 00 0000 00,                    256",
        "READ_6,  08 00 0000 01,                    1",
        "READ_10, 28 00 00000000 00 0000,           0",
        "READ_10, 28 00 00000000 00 FFFF,           65535",
        "READ_12, A8 00 00000000 00010000,          65536",
        "READ_16, 88 00 0000000000000000 00010001,  65537",
        "WRITE_10, 2A 00 00000000 00 0002,          2",
        "WRITE_12, AA 00 00000000 00000003,         3",
        "WRITE_16, 8A 00 0000000000000000 00000004, 4",
        "WRITE_AND_VERIFY_10, 2E 00 00000000 00 0002, 2",
        "WRITE_AND_VERIFY_12, AE 00 00000000 00000002, 2",
        "WRITE_AND_VERIFY_16, 8E 00 0000000000000000 00000002, 2",
        "ORWRITE_16, 8B 00 0000000000000000 00000002, 2",
        "WRITE_ATOMIC_16, 9C 00 0000000000000000 FFFF 0002, 2"})
    @Rule("CMD-3")
    @Rule("CMD-5")
    void shouldCountTheBlocksThatAreMoved(CdbFormat format, String digits, long blocks) {
        Cdb parsed = cdb(digits);

        assertThat(parsed.format()).isEqualTo(format);
        assertThat(parsed.transferBlocks()).isEqualTo(blocks);
        assertThat(parsed.transferBytes()).isEqualTo(blocks * BLOCK_SIZE);
        assertThat(parsed.allocationLengthBytes()).isZero();
        assertThat(parsed.parameterListLengthBytes()).isZero();
    }

    @Test
    @Rule("CMD-5")
    @Rule("CMD-81")
    void shouldSendEachBlockOfACompareAndWriteTwice() {
        Cdb parsed = cdb("89 00 0000000000000000 FFFFFF 03");

        assertThat(parsed.transferBlocks()).isEqualTo(3);
        assertThat(parsed.transferBytes()).isEqualTo(6 * BLOCK_SIZE);
        assertThat(parsed.direction()).isEqualTo(DataDirection.TO_DEVICE);
    }

    @ParameterizedTest
    @CsvSource({"00,0", "02,4", "04,0", "06,1"})
    @Rule("CMD-3")
    @Rule("CMD-94")
    void shouldSizeTheDataOfVerifyByItsByteCheck(String options, long blocksSent) {
        Cdb ten = cdb("2F " + options + " 00000000 00 0004");
        Cdb twelve = cdb("AF " + options + " 00000000 00000004");
        Cdb sixteen = cdb("8F " + options + " 0000000000000000 00000004");

        assertThat(ten.transferBytes()).isEqualTo(blocksSent * BLOCK_SIZE);
        assertThat(twelve.transferBytes()).isEqualTo(blocksSent * BLOCK_SIZE);
        assertThat(sixteen.transferBytes()).isEqualTo(blocksSent * BLOCK_SIZE);
        assertThat(ten.transferBlocks()).isEqualTo(4);
        assertThat(ten.bytchk()).isEqualTo(Integer.parseInt(options, 16) >> 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "41 00 00000000 00 0100", "41 00 00000000 00 0000",
        "93 00 0000000000000000 FFFFFFFF"})
    @Rule("CMD-3")
    @Rule("CMD-38")
    void shouldTakeOneBlockForWriteSameWhateverItsCount(String digits) {
        Cdb parsed = cdb(digits);

        assertThat(parsed.transferBytes()).isEqualTo(BLOCK_SIZE);
        assertThat(parsed.direction()).isEqualTo(DataDirection.TO_DEVICE);
    }

    @Test
    @Rule("CMD-38a")
    void shouldStillCountBlocksWhereWriteSameHasNoDataPhase() {
        Cdb parsed = cdb("93 09 0000000000000010 FFFFFFFF");

        assertThat(parsed.direction()).isEqualTo(DataDirection.NONE);
        assertThat(parsed.ndob()).isTrue();
        assertThat(parsed.unmap()).isTrue();
        assertThat(parsed.anchor()).isFalse();
        assertThat(parsed.fua()).isFalse();
        assertThat(parsed.dpo()).isFalse();
        assertThat(parsed.transferBlocks()).isEqualTo(0xFFFF_FFFFL);
    }

    @ParameterizedTest
    @CsvSource({
        "FROM_DEVICE, 03 00 0000 FC,                 252",
        "FROM_DEVICE, 12 00 00 0123,                 291",
        "FROM_DEVICE, 1A 00 3F 00 C0,                192",
        "FROM_DEVICE, 5A 00 3F 00 000000 0200,       512",
        "FROM_DEVICE, 25,                            8",
        "FROM_DEVICE, 9E 10 0000000000000000 00000020, 32",
        "FROM_DEVICE, 9E 12 0000000000000000 00010000, 65536",
        "FROM_DEVICE, 9E 1F 0000000000000000 00000007, 7",
        "FROM_DEVICE, A0 00 00 000000 00001000,      4096",
        "FROM_DEVICE, A3 0C 01 93 0000 00000200,     512",
        "FROM_DEVICE, A3 1F 00 00 0000 00000009,     9",
        "FROM_DEVICE, 37 00 00 00000000 0010,        16",
        "FROM_DEVICE, B7 00 00000000 00000008,       8",
        "FROM_DEVICE, 4D 00 0000 00 0000 0004,       4",
        "FROM_DEVICE, 5E 00 0000000000 0008,         8",
        "FROM_DEVICE, 84 03 0000000000000000 00000010, 16",
        "FROM_DEVICE, 1C 00 00 0104,                 260",
        "FROM_DEVICE, 3C 00 00 000000 010203,        66051",
        "TO_DEVICE,   15 10 0000 18,                 24",
        "TO_DEVICE,   55 10 0000000000 011C,         284",
        "TO_DEVICE,   42 00 0000000000 0018,         24",
        "TO_DEVICE,   5F 00 00 0000 00000018,        24",
        "TO_DEVICE,   83 00 0000000000000000 00000010, 16",
        "TO_DEVICE,   48 01 0000000000 0005,         5",
        "TO_DEVICE,   1D 00 00 0102,                 258",
        "TO_DEVICE,   3B 00 00 000000 010203,        66051",
        "TO_DEVICE,   A4 0A 0000 0000 00000011,      17",
        "TO_DEVICE,   04 10,                         4",
        "TO_DEVICE,   04 30,                         8"})
    @Rule("CMD-3")
    @Rule("CMD-4")
    void shouldTakeTheSizeOfParameterDataFromTheRightField(
            DataDirection direction, String digits, long bytes) {
        Cdb parsed = cdb(digits);

        assertThat(parsed.direction()).isEqualTo(direction);
        assertThat(parsed.transferBytes()).isEqualTo(bytes);
        boolean in = direction == DataDirection.FROM_DEVICE;
        assertThat(parsed.allocationLengthBytes()).isEqualTo(in ? bytes : 0);
        assertThat(parsed.parameterListLengthBytes()).isEqualTo(in ? 0 : bytes);
        assertThat(parsed.transferBlocks()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "00 FF FFFF FF FF", "1B 01 0000 01", "1E 00 0000 01", "16 00 0000 FF", "17 00 0000 FF",
        "2B 00 00000001 00 FFFF", "35 00 00000000 00 FFFF", "91 00 0000000000000000 FFFFFFFF",
        "34 00 00000000 00 FFFF", "90 00 0000000000000000 FFFFFFFF", "04 00 FFFF FF",
        "56 10 0000000000 FFFF", "57 10 0000000000 FFFF"})
    @Rule("CMD-3")
    @Rule("CMD-4")
    void shouldSeeNoDataPhaseWhereThereIsNone(String digits) {
        Cdb parsed = cdb(digits);

        assertThat(parsed.direction()).isEqualTo(DataDirection.NONE);
        assertThat(parsed.transferBytes()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "28 00 00000000 00 0000", "2A 00 00000000 00 0000", "12 00 00 0000", "42", "15 10 0000 00"})
    @Rule("CMD-4")
    void shouldHaveNoDirectionWhenNothingIsAskedFor(String digits) {
        assertThat(cdb(digits).direction()).isEqualTo(DataDirection.NONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"02", "0B", "1F", "26", "4B", "53", "80", "85", "9F", "A1", "AC", "BE"})
    @Rule("CMD-5")
    void shouldGuessNoDataPhaseForOpcodesThatAreNotListed(String opcode) {
        Cdb parsed = cdb(opcode + "FFFFFFFFFF");

        assertThat(parsed.format()).isEqualTo(CdbFormat.UNKNOWN);
        assertThat(parsed.opcode()).isEqualTo(Integer.parseInt(opcode, 16));
        assertThat(parsed.direction()).isEqualTo(DataDirection.NONE);
        assertThat(parsed.transferBytes()).isZero();
        assertThat(parsed.lengthBytes()).isPositive();
    }

    @Test
    @Rule("SCSI-14")
    @Rule("CMD-16")
    void shouldFlagTransfersBeyondTwoGibibytes() {
        byte[] most = command("88 00 0000000000000000 003FFFFF");
        byte[] more = command("88 00 0000000000000000 00400000");
        byte[] wrapping = command("88 00 0000000000000000 FFFFFFFF");

        assertThat(cdb.parse(most, 16, BLOCK_SIZE)).isNull();
        assertThat(cdb.parse(more, 16, BLOCK_SIZE)).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(cdb.transferBytes()).isEqualTo(0x8000_0000L);
        assertThat(cdb.parse(wrapping, 16, 65536)).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(cdb.transferBytes()).isEqualTo(0xFFFF_FFFFL * 65536);
        assertThat(cdb.direction()).isEqualTo(DataDirection.FROM_DEVICE);
    }

    @Test
    @Rule("SCSI-14")
    void shouldFlagParameterListsBeyondTwoGibibytes() {
        byte[] bytes = command("A0 00 00 000000 80000000");

        assertThat(cdb.parse(bytes, 12, BLOCK_SIZE)).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
    }

    @ParameterizedTest
    @CsvSource({
        "28 00 00000064 00 0000, true",
        "28 00 00000065 00 0000, false",
        "28 00 00000063 00 0001, true",
        "28 00 00000063 00 0002, false",
        "28 00 00000000 00 0064, true",
        "08 00 0000 00,          false",
        "88 00 FFFFFFFFFFFFFFFF 00000001, false",
        "88 00 FFFFFFFFFFFFFFFF 00000000, false",
        "88 00 7FFFFFFFFFFFFFFF 00000001, false",
        "93 01 0000000000000000 FFFFFFFF, false",
        "35 00 00000064 00 0000, true",
        "35 00 00000065 00 0000, false"})
    @Rule("CMD-8")
    void shouldAdmitBlocksUpToTheCapacityWithoutWrapping(String digits, boolean inRange) {
        assertThat(cdb(digits).isInRange(100)).isEqualTo(inRange);
    }

    @Test
    @Rule("CMD-8")
    void shouldAdmitTheLastBlockOfTheLargestDisk() {
        assertThat(cdb("88 00 7FFFFFFFFFFFFFFE 00000001").isInRange(Long.MAX_VALUE)).isTrue();
        assertThat(cdb("88 00 7FFFFFFFFFFFFFFE 00000002").isInRange(Long.MAX_VALUE)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "28, true, true, 7, 0", "2A, true, true, 7, 0", "A8, true, true, 7, 0",
        "88, true, true, 7, 0", "89, true, true, 7, 0", "8B, true, true, 7, 0",
        "9C, true, true, 7, 0", "2E, true, false, 7, 3", "8E, true, false, 7, 3",
        "2F, true, false, 7, 3", "8F, true, false, 7, 3", "41, false, false, 7, 0",
        "93, false, false, 7, 0", "08, false, false, 7, 0", "0A, false, false, 7, 0",
        "35, false, false, 0, 0", "42, false, false, 0, 0", "12, false, false, 0, 0",
        "1A, false, false, 0, 0"})
    @Rule("CMD-90")
    @Rule("CMD-91")
    @Rule("CMD-18")
    void shouldFindOptionsOnlyInCommandsThatHaveThem(
            String opcode, boolean dpo, boolean fua, int protect, int bytchk) {
        Cdb parsed = cdb(opcode + "FF 0000");

        assertThat(parsed.dpo()).isEqualTo(dpo);
        assertThat(parsed.fua()).isEqualTo(fua);
        assertThat(parsed.protect()).isEqualTo(protect);
        assertThat(parsed.bytchk()).isEqualTo(bytchk);
    }

    @ParameterizedTest
    @CsvSource({
        "28 00, true, true", "28 10, false, true", "28 08, false, true", "28 20, false, false",
        "8A 18, false, true", "8A 80, false, false", "2E 08, true, true", "8F 10, false, true",
        "41 40, false, false", "93 08, true, true", "93 20, false, false", "89 08, false, true"})
    @Rule("CMD-90")
    @Rule("CMD-91")
    void shouldRefuseProtectionAndUnadvertisedCacheControl(
            String digits, boolean without, boolean withDpoFua) {
        Sense refused = Sense.INVALID_FIELD_IN_CDB;

        assertThat(cdb(digits).checkProtection(false)).isEqualTo(without ? null : refused);
        assertThat(cdb(digits).checkProtection(true)).isEqualTo(withDpoFua ? null : refused);
    }

    @ParameterizedTest
    @CsvSource({
        "35 02, true", "35 01, false", "91 02, true", "34 02, true", "90 02, true",
        "1B 01, true", "1B 02, false", "48 80, true", "28 02, false"})
    @Rule("CMD-84")
    @Rule("CMD-85")
    void shouldFindTheImmediateBit(String digits, boolean immed) {
        assertThat(cdb(digits).immed()).isEqualTo(immed);
    }

    @Test
    @Rule("CMD-36")
    @Rule("CMD-38")
    void shouldFindTheAnchorBitOfUnmapAndWriteSame() {
        assertThat(cdb("42 01").anchor()).isTrue();
        assertThat(cdb("42 10").anchor()).isFalse();
        assertThat(cdb("41 10").anchor()).isTrue();
        assertThat(cdb("93 10").anchor()).isTrue();
        assertThat(cdb("93 01").anchor()).isFalse();
        assertThat(cdb("28 11").anchor()).isFalse();
    }

    @Test
    void shouldNameTheServiceActionOnlyWhereThereIsOne() {
        assertThat(cdb("9E 10").serviceAction()).isEqualTo(0x10);
        assertThat(cdb("A3 0C").serviceAction()).isEqualTo(0x0C);
        assertThat(cdb("28 10").serviceAction()).isEqualTo(-1);
    }

    @Test
    void shouldRejectMisuseByTheEmbedder() {
        assertThatThrownBy(() -> cdb.parse(new byte[6], 7, BLOCK_SIZE))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> cdb.parse(new byte[6], -1, BLOCK_SIZE))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> cdb.parse(new byte[6], 6, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0");
    }

    @Test
    void shouldDescribeItself() {
        assertThat(cdb("28 00 00000001 00 0002"))
                .hasToString("READ_10(opcode 0x28, lba 1, blocks 2, bytes 1024 FROM_DEVICE)");
    }
}
