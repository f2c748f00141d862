package dev.quiesce.scsi.spec;

import static dev.quiesce.scsi.spec.Bytes.head;
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

class SenseTest {
    @Test
    @Rule("SCSI-49")
    void shouldEncodeEighteenBytesOfFixedFormat() {
        byte[] dst = room(32);

        int length = Sense.INVALID_FIELD_IN_CDB.encodeFixed(dst);

        assertThat(head(dst, length))
                .isEqualTo(hex("70 00 05 00000000 0A 00000000 24 00 00000000"));
    }

    @Test
    @Rule("SCSI-49")
    void shouldEncodeEightBytesOfDescriptorFormat() {
        byte[] dst = room(32);

        int length = Sense.UA_CAPACITY_CHANGED.encodeDescriptor(dst);

        assertThat(head(dst, length)).isEqualTo(hex("72 06 2A 09 00000000"));
    }

    @Test
    @Rule("SCSI-51")
    void shouldEncodeInTheFormatThatIsSelected() {
        byte[] dst = room(32);

        assertThat(Sense.NO_MEDIUM.encode(false, dst)).isEqualTo(Sense.FIXED_LENGTH_BYTES);
        assertThat(dst[0]).isEqualTo((byte) 0x70);
        assertThat(Sense.NO_MEDIUM.encode(true, dst)).isEqualTo(Sense.DESCRIPTOR_LENGTH_BYTES);
        assertThat(dst[0]).isEqualTo((byte) 0x72);
    }

    @Test
    @Rule("CMD-81")
    @Rule("CMD-94")
    void shouldCarryTheOffsetOfAMiscompareInFixedFormat() {
        byte[] dst = room(32);

        int length = Sense.MISCOMPARE.encode(false, dst, 0x01020304);

        assertThat(head(dst, length))
                .isEqualTo(hex("F0 00 0E 01020304 0A 00000000 1D 00 00000000"));
    }

    @Test
    void shouldLeaveInformationOutThatFixedFormatCannotHold() {
        byte[] dst = room(32);

        Sense.MISCOMPARE.encodeFixed(dst, 0x1_0000_0000L);

        assertThat(head(dst, 8)).isEqualTo(hex("70 00 0E 00000000 0A"));
    }

    @Test
    @Rule("CMD-81")
    void shouldCarryTheOffsetOfAMiscompareInDescriptorFormat() {
        byte[] dst = room(32);

        int length = Sense.MISCOMPARE.encode(true, dst, 0x1_0203_0405L);

        assertThat(head(dst, length))
                .isEqualTo(hex("72 0E 1D 00 000000 0C 00 0A 80 00 0000000102030405"));
    }

    @Test
    @Rule("SCSI-49")
    void shouldDecodeBothFormats() {
        byte[] dst = room(32);

        int fixed = Sense.COMMAND_TIMEOUT.encodeFixed(dst);
        assertThat(Sense.decode(dst, fixed)).isEqualTo(Sense.COMMAND_TIMEOUT);

        int descriptor = Sense.COMMAND_TIMEOUT.encodeDescriptor(dst);
        assertThat(Sense.decode(dst, descriptor)).isEqualTo(Sense.COMMAND_TIMEOUT);
    }

    @Test
    @Rule("SCSI-49")
    void shouldMaskTheFlagsBesideTheSenseKey() {
        assertThat(Sense.decode(hex("70 00 E5 00000000 0A 00000000 24 00"), 14))
                .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(Sense.decode(hex("72 F5 24 00"), 4)).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
    }

    @Test
    @Rule("SCSI-50")
    void shouldTakeSenseThatIsTooShortForATerminatedProcess() {
        byte[] fixed = hex("70 00 05 00000000 0A 00000000 24 00");
        byte[] descriptor = hex("72 05 24 00");

        assertThat(Sense.decode(fixed, 13)).isEqualTo(Sense.IO_TERMINATED);
        assertThat(Sense.decode(fixed, 14)).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(Sense.decode(descriptor, 3)).isEqualTo(Sense.IO_TERMINATED);
        assertThat(Sense.decode(descriptor, 4)).isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        assertThat(Sense.decode(descriptor, 0)).isEqualTo(Sense.IO_TERMINATED);
    }

    @Test
    @Rule("SCSI-49")
    void shouldKeepOnlyTheCodesWhenConverting() {
        byte[] fixed = hex("F0 00 E3 01020304 0A 00000000 11 00 00 800001");
        byte[] dst = room(32);

        int length = Sense.convert(fixed, fixed.length, true, dst);

        assertThat(head(dst, length)).isEqualTo(hex("72 03 11 00 00000000"));
    }

    @Test
    @Rule("SCSI-49")
    void shouldCopyUnchangedWhatHasTheFormatAlready() {
        byte[] fixed = hex("F0 00 E3 01020304 0A 00000000 11 00 00 800001");
        byte[] dst = room(32);

        int length = Sense.convert(fixed, fixed.length, false, dst);

        assertThat(head(dst, length)).isEqualTo(fixed);
    }

    @Test
    @Rule("SCSI-52")
    void shouldStoreNoMoreThanAnInitiatorCanBeGiven() {
        byte[] fixed = new byte[300];
        Arrays.fill(fixed, (byte) 0x70);

        for (int length : new int[] {251, 252, 253, 300}) {
            int stored = Math.min(length, 252);
            byte[] dst = room(400);
            assertThat(Sense.convert(fixed, length, false, dst)).isEqualTo(stored);
            assertThat(head(dst, stored)).containsOnly(0x70);
            assertThat(dst[stored]).isEqualTo(room(1)[0]);
        }
    }

    @Test
    @Rule("SCSI-50")
    void shouldConvertNothingToNoSense() {
        byte[] dst = room(32);

        assertThat(Sense.convert(new byte[0], 0, true, dst)).isEqualTo(8);
        assertThat(head(dst, 8)).isEqualTo(hex("72 00 00 00 00000000"));
        assertThat(Sense.convert(new byte[0], 0, false, dst)).isEqualTo(18);
        assertThat(Sense.decode(dst, 18)).isEqualTo(Sense.NO_SENSE);
    }

    @ParameterizedTest
    @CsvSource({
        "29, 00, 0", "29, 01, 1", "29, 04, 1", "29, 02, 2", "3F, 01, 2", "29, 03, 3",
        "29, 07, 7", "2F, 01, 8", "29, 05, 10501", "29, 06, 10502", "28, 00, 10240",
        "2A, 09, 10761", "3F, 0E, 16142"})
    @Rule("SCSI-33")
    void shouldOrderUnitAttentions(String asc, String ascq, int precedence) {
        Sense sense = new Sense(6, Integer.parseInt(asc, 16), Integer.parseInt(ascq, 16));

        assertThat(sense.precedence()).isEqualTo(precedence);
    }

    @Test
    @Rule("SCSI-33")
    void shouldGiveNoPrecedenceToOtherKeys() {
        assertThat(new Sense(5, 0x29, 0).precedence()).isEqualTo(Sense.PRECEDENCE_NONE);
        assertThat(Sense.NEXUS_LOSS.precedence()).isEqualTo(Sense.PRECEDENCE_NONE);
        assertThat(Sense.NEXUS_LOSS.isUnitAttention()).isFalse();
        assertThat(Sense.UA_RESET.isUnitAttention()).isTrue();
    }

    @Test
    @Rule("SCSI-34")
    @Rule("PURGE-8")
    void shouldLetAResetSubsumeWhatItImpliesAndNothingElse() {
        assertThat(Sense.UA_RESET.subsumes(Sense.UA_BUS_RESET)).isTrue();
        assertThat(Sense.UA_RESET.subsumes(new Sense(6, 0x29, 0x07))).isTrue();
        assertThat(Sense.UA_RESET.subsumes(new Sense(6, 0x2F, 0x01))).isTrue();
        assertThat(Sense.UA_RESET.subsumes(Sense.UA_MODE_CHANGED)).isTrue();
        assertThat(Sense.UA_RESET.subsumes(Sense.UA_RESET)).isTrue();
        assertThat(Sense.UA_BUS_RESET.subsumes(Sense.UA_RESET)).isFalse();
        assertThat(Sense.UA_RESET.subsumes(Sense.UA_CAPACITY_CHANGED)).isFalse();
        assertThat(Sense.UA_RESET.subsumes(Sense.UA_LUNS_CHANGED)).isFalse();
        assertThat(Sense.UA_RESET.subsumes(Sense.UA_MEDIUM_CHANGED)).isFalse();
        assertThat(Sense.UA_CAPACITY_CHANGED.subsumes(Sense.UA_MODE_CHANGED)).isFalse();
        assertThat(Sense.NO_SENSE.subsumes(Sense.NO_SENSE)).isFalse();
        assertThat(Sense.UA_RESET.subsumes(Sense.READ_ERROR)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 00, 00, true", "1, 5D, 00, true", "6, 29, 00, true", "B, 00, 06, true",
        "5, 24, 00, true", "5, 20, 00, true", "5, 1A, 00, true", "5, 25, 00, true",
        "5, 26, 00, true", "5, 21, 04, true", "2, 04, 01, true", "2, 04, 02, true",
        "7, 55, 0E, true", "5, 21, 00, false", "7, 27, 07, false", "2, 3A, 00, false",
        "3, 11, 00, false", "4, 44, 00, false", "E, 1D, 00, false"})
    @Rule("SENSE-29")
    void shouldTellWhatTheGuestCanDealWith(
            String key, String asc, String ascq, boolean recoverable) {
        Sense sense = new Sense(Integer.parseInt(key, 16), Integer.parseInt(asc, 16),
                Integer.parseInt(ascq, 16));

        assertThat(sense.isGuestRecoverable()).isEqualTo(recoverable);
    }

    @Test
    @Rule("SENSE-7")
    @Rule("SENSE-8")
    @Rule("SENSE-10")
    @Rule("SENSE-14")
    @Rule("SENSE-16")
    void shouldHaveTheCodesOfTheTable() {
        assertThat(Sense.INVALID_OPCODE).hasToString("05/20/00");
        assertThat(Sense.LBA_OUT_OF_RANGE).hasToString("05/21/00");
        assertThat(Sense.INVALID_FIELD_IN_CDB).hasToString("05/24/00");
        assertThat(Sense.LUN_NOT_SUPPORTED).hasToString("05/25/00");
        assertThat(Sense.INVALID_FIELD_IN_LIST).hasToString("05/26/00");
        assertThat(Sense.LIST_LENGTH_ERROR).hasToString("05/1A/00");
        assertThat(Sense.SAVING_NOT_SUPPORTED).hasToString("05/39/00");
        assertThat(Sense.IO_TERMINATED).hasToString("0B/00/06");
        assertThat(Sense.SPACE_ALLOCATION_FAILED).hasToString("07/27/07");
        assertThat(Sense.WRITE_PROTECTED).hasToString("07/27/00");
        assertThat(Sense.UA_LUNS_CHANGED).hasToString("06/3F/0E");
        assertThat(Sense.UA_CAPACITY_CHANGED).hasToString("06/2A/09");
        assertThat(Sense.NOT_READY_NO_CAPACITY).hasToString("02/04/03");
    }

    @Test
    @Rule("SENSE-1")
    @Rule("SENSE-2")
    @Rule("SENSE-3")
    @Rule("SENSE-4")
    @Rule("SENSE-5")
    @Rule("SENSE-6")
    @Rule("SENSE-9")
    @Rule("SENSE-11")
    @Rule("SENSE-12")
    @Rule("SENSE-13")
    @Rule("SENSE-15")
    @Rule("SENSE-17")
    @Rule("SENSE-18")
    @Rule("SENSE-19")
    void shouldHaveTheCodesOfTheRestOfTheTable() {
        assertThat(Sense.NOT_READY_NO_CAPACITY).hasToString("02/04/03");
        assertThat(Sense.SAVING_NOT_SUPPORTED).hasToString("05/39/00");
        assertThat(Sense.NO_SENSE).hasToString("00/00/00");
        assertThat(Sense.NOT_READY_UNKNOWN_CAUSE).hasToString("02/04/00");
        assertThat(Sense.NO_MEDIUM).hasToString("02/3A/00");
        assertThat(Sense.NO_MEDIUM_TRAY_CLOSED).hasToString("02/3A/01");
        assertThat(Sense.NO_MEDIUM_TRAY_OPEN).hasToString("02/3A/02");
        assertThat(Sense.NO_MEDIUM_REMOVAL_PREVENTED).hasToString("02/53/02");
        assertThat(Sense.REMOVAL_PREVENTED).hasToString("05/53/02");
        assertThat(Sense.TARGET_FAILURE).hasToString("04/44/00");
        assertThat(Sense.INCOMPATIBLE_MEDIUM).hasToString("05/30/00");
        assertThat(Sense.INVALID_TRANSFER_TAG).hasToString("05/4B/01");
        assertThat(Sense.NEXUS_LOSS).hasToString("0B/29/07");
        assertThat(Sense.LUN_FAILURE).hasToString("0B/3E/01");
        assertThat(Sense.OVERLAPPED_COMMANDS).hasToString("0B/4E/00");
        assertThat(Sense.LUN_COMMUNICATION_FAILURE).hasToString("0B/08/00");
        assertThat(Sense.LUN_NOT_RESPONDING).hasToString("0B/05/00");
        assertThat(Sense.COMMAND_TIMEOUT).hasToString("0B/2E/02");
        assertThat(Sense.COMMANDS_CLEARED).hasToString("0B/2F/02");
        assertThat(Sense.READ_ERROR).hasToString("03/11/00");
        assertThat(Sense.UA_RESET).hasToString("06/29/00");
        assertThat(Sense.UA_BUS_RESET).hasToString("06/29/02");
        assertThat(Sense.UA_INTERNAL_RESET).hasToString("06/29/04");
        assertThat(Sense.UA_MODE_CHANGED).hasToString("06/2A/01");
        assertThat(Sense.UA_RESERVATIONS_PREEMPTED).hasToString("06/2A/03");
        assertThat(Sense.UA_RESERVATIONS_RELEASED).hasToString("06/2A/04");
        assertThat(Sense.UA_REGISTRATIONS_PREEMPTED).hasToString("06/2A/05");
        assertThat(Sense.MISCOMPARE).hasToString("0E/1D/00");
        assertThat(Sense.MISCOMPARE_UNMAPPED).hasToString("0E/1D/01");
        assertThat(Sense.SANITIZE_IN_PROGRESS).hasToString("02/04/1B");
        assertThat(Sense.SANITIZE_FAILED).hasToString("03/31/03");
        assertThat(Sense.COPY_TOO_MANY_TARGETS).hasToString("05/26/06");
        assertThat(Sense.COPY_TOO_MANY_SEGMENTS).hasToString("05/26/08");
        assertThat(Sense.COPY_TARGET_UNSUPPORTED).hasToString("05/26/07");
        assertThat(Sense.COPY_SEGMENT_UNSUPPORTED).hasToString("05/26/09");
        assertThat(Sense.COPY_ABORTED).hasToString("0A/00/00");
        assertThat(Sense.COPY_TARGET_UNREACHABLE).hasToString("0A/08/04");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 256})
    void shouldRejectCodesThatDoNotFit(int code) {
        assertThatThrownBy(() -> new Sense(0, code, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(Integer.toString(code));
        assertThatThrownBy(() -> new Sense(0, 0, code))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Sense(code, 0, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldRejectRoomThatIsTooSmallAndNegativeInformation() {
        assertThatThrownBy(() -> Sense.NO_SENSE.encodeFixed(new byte[17]))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("18");
        assertThatThrownBy(() -> Sense.NO_SENSE.encodeDescriptor(new byte[7]))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Sense.MISCOMPARE.encodeDescriptor(new byte[32], -1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Sense.MISCOMPARE.encodeFixed(new byte[32], -1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "OK, GOOD,", "NO_LUN, CHECK_CONDITION, 0B/05/00", "BUSY, BUSY,",
        "TIMEOUT, CHECK_CONDITION, 0B/2E/02", "BAD_RESPONSE, CHECK_CONDITION, 0B/08/00",
        "ABORTED, CHECK_CONDITION, 0B/2F/02", "ERROR, CHECK_CONDITION, 04/44/00",
        "RESET, CHECK_CONDITION, 06/29/00", "TRANSPORT_DISRUPTED, CHECK_CONDITION, 0B/29/07",
        "TARGET_FAILURE, CHECK_CONDITION, 04/44/00", "RESERVATION_ERROR, RESERVATION_CONFLICT,",
        "ALLOCATION_FAILURE, CHECK_CONDITION, 07/27/07",
        "MEDIUM_ERROR, CHECK_CONDITION, 03/11/00"})
    @Rule("SENSE-32")
    @Rule("SCSI-24")
    void shouldMapEveryHostStatus(HostStatus host, ScsiStatus status, String sense) {
        assertThat(host.status()).isEqualTo(status);
        assertThat(host.sense() == null ? null : host.sense().toString()).isEqualTo(sense);
    }

    @Test
    @Rule("SENSE-31")
    @Rule("SENSE-32")
    void shouldTakeUnknownHostStatusesForErrors() {
        assertThat(HostStatus.of(6)).isEqualTo(HostStatus.ERROR);
        assertThat(HostStatus.of(-1).status()).isEqualTo(ScsiStatus.CHECK_CONDITION);
        assertThat(HostStatus.of(0x0E)).isEqualTo(HostStatus.TRANSPORT_DISRUPTED);
        assertThat(Arrays.stream(HostStatus.values()).map(HostStatus::code))
                .containsExactly(0, 1, 2, 3, 4, 5, 7, 8, 0x0E, 0x10, 0x11, 0x12, 0x13);
    }

    @Test
    @Rule("SENSE-30")
    void shouldHaveTheStatusCodesOfTheStandard() {
        assertThat(Arrays.stream(ScsiStatus.values()).map(ScsiStatus::code))
                .containsExactly(0x00, 0x02, 0x04, 0x08, 0x18, 0x28, 0x30, 0x40);
        assertThat(ScsiStatus.of(0x18)).isEqualTo(ScsiStatus.RESERVATION_CONFLICT);
        assertThat(ScsiStatus.of(0x01)).isNull();
    }
}
