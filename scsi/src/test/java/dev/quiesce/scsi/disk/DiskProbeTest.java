package dev.quiesce.scsi.disk;

import static dev.quiesce.scsi.disk.DiskRig.BLOCK;
import static dev.quiesce.scsi.disk.DiskRig.LENGTH_BYTES;
import static dev.quiesce.scsi.disk.DiskRig.cachingPage;
import static dev.quiesce.scsi.disk.DiskRig.filled;
import static dev.quiesce.scsi.disk.DiskRig.read10;
import static dev.quiesce.scsi.disk.DiskRig.sixteen;
import static dev.quiesce.scsi.disk.DiskRig.ten;
import static dev.quiesce.scsi.disk.DiskRig.write10;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.BusListener;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.CdbFormat;
import dev.quiesce.scsi.spec.ModeParameters;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiskProbeTest {
    private static final byte[] NONE = {};
    private static final int BLOCKS = (int) (LENGTH_BYTES / BLOCK);
    private static final ScsiDiskConfig CONFIG = ScsiDiskConfig.of("serial-1");

    @Test
    @Rule("CMD-23")
    @Rule("CMD-24")
    void shouldPresentItselfInInquiry() {
        try (DiskRig rig = new DiskRig()) {
            byte[] data = rig.data(255, 0x12, 0, 0, 0, 255, 0);

            assertThat(data).hasSize(96);
            assertThat(data[0]).isZero();
            assertThat(data[4]).isEqualTo((byte) 91);
            assertThat(new String(data, 8, 24, StandardCharsets.US_ASCII))
                    .isEqualTo("QUIESCE DISK            ");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 36, 96, 511, 512, 4096})
    @Rule("CMD-10")
    @Rule("CMD-11")
    void shouldMoveNoMoreInquiryDataThanThereIsOrIsAllowed(int allocation) {
        try (DiskRig rig = new DiskRig()) {
            int room = Math.max(allocation, 1);
            ScsiRequest request = rig.run(
                    NONE, room, 0x12, 0, 0, allocation >> 8, allocation & 0xFF, 0);

            assertThat(rig.hba.answerTo(request).residual())
                    .isEqualTo(room - Math.min(allocation, 96));
        }
    }

    @Test
    @Rule("CMD-22")
    void shouldRefuseAPageCodeWithoutEvpd() {
        try (DiskRig rig = new DiskRig()) {
            assertThat(rig.senseOf(NONE, 96, 0x12, 0, 0x83, 0, 96, 0))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(NONE, 96, 0x12, 1, 0x55, 0, 96, 0))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    @Test
    @Rule("CMD-25")
    void shouldServeEveryPageThatItLists() {
        try (DiskRig rig = new DiskRig()) {
            byte[] list = vpd(rig, 0);

            assertThat(list).endsWith(0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2);
            for (int i = 4; i < list.length; i++) {
                byte[] page = vpd(rig, list[i] & 0xFF);
                assertThat(page[1]).isEqualTo(list[i]);
                assertThat(ByteBuffer.wrap(page).getShort(2)).isEqualTo((short) (page.length - 4));
            }
            assertThat(new String(vpd(rig, 0x80), StandardCharsets.US_ASCII)).endsWith("serial-1");
        }
    }

    @Test
    @Rule("CMD-26")
    @Rule("CMD-27")
    void shouldReportTheLimitsOfTheBackend() {
        Consumer<TestDriver> limited = d -> d.limits = d.limits
                .withBounds(64 * 1024, 64 * 1024, 64 * 1024).withDiscard(4096, true);
        try (DiskRig rig = new DiskRig(CONFIG.withBlockSizes(512, 4096), limited)) {
            ByteBuffer page = ByteBuffer.wrap(vpd(rig, 0xB0));

            assertThat(page.getShort(6)).isEqualTo((short) 8);
            assertThat(page.getInt(8)).isEqualTo(128);
            assertThat(page.getInt(28)).isEqualTo(8);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Rule("CMD-28")
    @Rule("CMD-104")
    void shouldDeriveAllProvisioningBitsFromOneFlag(boolean thin) {
        try (DiskRig rig = new DiskRig(CONFIG.withThin(thin))) {
            int provisioning = vpd(rig, 0xB2)[5] & 0xFF;
            byte[] capacity = rig.data(32, sixteen(0x9E, 0x10, 0, 32));
            boolean unmapMax = ByteBuffer.wrap(vpd(rig, 0xB0)).getInt(20) != 0;

            assertThat(provisioning >> 5).isEqualTo(thin ? 7 : 0);
            assertThat(provisioning >> 2 & 7).isEqualTo(thin ? 1 : 0);
            assertThat(capacity[14] & 0xC0).isEqualTo(thin ? 0xC0 : 0);
            assertThat(unmapMax).isEqualTo(thin);
            assertThat(rig.answer(NONE, 0, ten(0x42, 0, 0, 0)).status())
                    .isEqualTo(thin ? ScsiStatus.GOOD : ScsiStatus.CHECK_CONDITION);
            assertThat(rig.answer(filled(BLOCK, 0), 0, ten(0x41, 0x08, 0, 1)).status())
                    .isEqualTo(thin ? ScsiStatus.GOOD : ScsiStatus.CHECK_CONDITION);
        }
    }

    @Test
    @Rule("CMD-28")
    void shouldNotBeThinOnABackendThatCannotDiscard() {
        try (DiskRig rig = new DiskRig(CONFIG, d -> d.limits =
                BlockLimits.unlimited())) {
            assertThat(vpd(rig, 0xB2)[5]).isZero();
            assertThat(rig.senseOf(NONE, 0, ten(0x42, 0, 0, 0))).isEqualTo(Sense.INVALID_OPCODE);
        }
    }

    @Test
    @Rule("CMD-43")
    void shouldReportTheCapacityInBothForms() {
        try (DiskRig rig = new DiskRig(CONFIG.withBlockSizes(512, 4096))) {
            byte[] ten = rig.data(8, ten(0x25, 0, 0, 0));
            byte[] sixteen = rig.data(32, sixteen(0x9E, 0x10, 0, 32));

            assertThat(ByteBuffer.wrap(ten).getInt(0)).isEqualTo(BLOCKS - 1);
            assertThat(ByteBuffer.wrap(ten).getInt(4)).isEqualTo(512);
            assertThat(ByteBuffer.wrap(sixteen).getLong(0)).isEqualTo(BLOCKS - 1);
            assertThat(sixteen[13] & 0x0F).isEqualTo(3);
            assertThat(rig.senseOf(NONE, 8, ten(0x25, 0, 7, 0)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(NONE, 8, sixteen(0x9E, 0x12, 0, 8)))
                    .isEqualTo(Sense.INVALID_OPCODE);
        }
    }

    @Test
    @Rule("SCSI-42")
    void shouldReportAChangedCapacityOnce() {
        try (DiskRig rig = new DiskRig()) {
            List<Sense> heard = new ArrayList<>();
            ScsiBus bus = new ScsiBus(rig.rig.main, ScsiBusConfig.largest());
            bus.addListener(new BusListener() {
                @Override
                public void unitChanged(LogicalUnit unit, ScsiAddress address, Sense what) {
                    heard.add(what);
                }
            });
            bus.plug(rig.disk, ScsiAddress.auto()).toCompletableFuture().join();
            assertThat(rig.senseOf(NONE, 0, 0, 0, 0, 0, 0, 0)).isEqualTo(Sense.UA_POWER_ON);

            rig.backend.removeRoot();

            assertThat(heard).containsExactly(Sense.UA_CAPACITY_CHANGED);
            assertThat(rig.senseOf(NONE, 0, 0, 0, 0, 0, 0, 0))
                    .isEqualTo(Sense.UA_CAPACITY_CHANGED);
            assertThat(rig.senseOf(NONE, 8, ten(0x25, 0, 0, 0))).isEqualTo(Sense.NO_MEDIUM);
            bus.unplug(new ScsiAddress(0, 0));
            rig.rig.settle();
            rig.backend.insert(rig.graph.find("data"));
        }
    }

    @Test
    @Rule("CMD-31")
    @Rule("CMD-33")
    @Rule("CMD-89")
    @Rule("BB-1")
    void shouldShowItsModes() {
        try (DiskRig rig = new DiskRig()) {
            byte[] six = rig.data(192, 0x1A, 0, 0x3F, 0, 192, 0);
            byte[] ten = rig.data(192, 0x5A, 0, 0x3F, 0, 0, 0, 0, 0, 192, 0);

            assertThat(six[0]).isEqualTo((byte) (six.length - 1));
            assertThat(six[2]).isEqualTo((byte) 0x10);
            assertThat(six[3]).isEqualTo((byte) 8);
            assertThat(ByteBuffer.wrap(ten).getShort(0)).isEqualTo((short) (ten.length - 2));
            assertThat(rig.data(64, 0x1A, 8, 0x08, 0, 64, 0)[6]).isEqualTo((byte) 0x04);
            assertThat(rig.senseOf(NONE, 64, 0x1A, 0, 0xC8, 0, 64, 0))
                    .isEqualTo(Sense.SAVING_NOT_SUPPORTED);
        }
    }

    @Test
    @Rule("CMD-35")
    void shouldFlushWhenTheWriteCacheIsSwitchedOff() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(cachingPage(false), 0x15, 0x10, 0, 0, 24, 0);

            assertThat(rig.disk.modes().writeCache()).isFalse();
            assertThat(rig.driver.log).containsExactly("FLUSH 0+0");
            rig.good(cachingPage(true), 0x15, 0x10, 0, 0, 24, 0);
            assertThat(rig.driver.log).hasSize(1);
            assertThat(rig.disk.modes().writeCache()).isTrue();
        }
    }

    @Test
    @Rule("CMD-35")
    void shouldRefuseABadModeListWithoutAnyEffect() {
        try (DiskRig rig = new DiskRig()) {
            byte[] truncated = Arrays.copyOf(cachingPage(false), 20);

            assertThat(rig.senseOf(truncated, 0, 0x15, 0x10, 0, 0, 20, 0))
                    .isEqualTo(Sense.LIST_LENGTH_ERROR);
            assertThat(rig.senseOf(cachingPage(false), 0, 0x15, 0x11, 0, 0, 24, 0))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);

            assertThat(rig.disk.modes()).isEqualTo(CONFIG.modes());
        }
    }

    @Test
    @Rule("CMD-89")
    @Rule("SCSI-51")
    void shouldReturnSenseInTheFormatOfTheControlPage() {
        ModeParameters descriptor = new ModeParameters(true, true, false);
        try (DiskRig rig = new DiskRig(CONFIG.withModes(descriptor))) {
            FakeHba.Answer inDescriptor = rig.answer(NONE, BLOCK, read10(BLOCKS, 1));
            assertThat(inDescriptor.senseData()).hasSize(8).startsWith((byte) 0x72);
        }
        try (DiskRig rig = new DiskRig()) {
            FakeHba.Answer fixed = rig.answer(NONE, BLOCK, read10(BLOCKS, 1));
            assertThat(fixed.senseData()).hasSize(18).startsWith((byte) 0x70);
        }
    }

    @Test
    @Rule("CMD-89")
    @Rule("PURGE-8")
    void shouldForgetSoftwareWriteProtectionInAReset() {
        try (DiskRig rig = new DiskRig()) {
            byte[] page = new byte[16];
            page[4] = 0x0A;
            page[5] = 0x0A;
            page[7] = 0x10;
            page[8] = 0x08;
            rig.good(page, 0x15, 0x10, 0, 0, 16, 0);
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, write10(0, 1)))
                    .isEqualTo(Sense.SOFTWARE_WRITE_PROTECTED);
            assertThat(rig.read(0, 1)).hasSize(BLOCK);

            rig.disk.resetAsync();
            rig.rig.settle();

            assertThat(rig.senseOf(filled(BLOCK, 1), 0, write10(0, 1))).isEqualTo(Sense.UA_RESET);
            rig.write(0, filled(BLOCK, 1));
        }
    }

    @Test
    @Rule("CMD-39")
    void shouldWriteBackWhenItIsStopped() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(NONE, 0x1B, 0, 0, 0, 1, 0);
            rig.good(NONE, 0x1B, 0, 0, 0, 0x30, 0);
            rig.good(NONE, 0x1B, 0, 0, 0, 4, 0);
            assertThat(rig.driver.log).isEmpty();

            rig.good(NONE, 0x1B, 1, 0, 0, 0, 0);

            assertThat(rig.driver.log).containsExactly("FLUSH 0+0");
            assertThat(rig.read(0, 1)).hasSize(BLOCK);
        }
    }

    @ParameterizedTest
    @EnumSource(CdbFormat.class)
    @Rule("CMD-80")
    @Rule("CMD-87")
    void shouldReportExactlyTheCommandsThatItExecutes(CdbFormat format) {
        if (format.opcode() < 0 || (format.hasServiceAction() && format.serviceAction() < 0)) {
            return;
        }
        try (DiskRig rig = new DiskRig()) {
            boolean action = format.hasServiceAction();
            byte[] report = rig.data(64, 0xA3, 0x0C, action ? 2 : 1, format.opcode(), 0,
                    action ? format.serviceAction() : 0, 0, 0, 0, 64, 0, 0);
            ScsiRequest request = rig.hba.request(rig.rig.a, filled(BLOCK, 0), BLOCK,
                    ints(format.newCdb()));
            rig.disk.execute(request);
            rig.rig.settle();
            boolean executed = !Sense.INVALID_OPCODE.equals(rig.hba.answerTo(request).sense());

            assertThat((report[1] & 7) == 3).as(format.name()).isEqualTo(executed);
        }
    }

    @Test
    @Rule("CMD-12")
    @Rule("CMD-80")
    void shouldAnswerUnknownCommandsWithInvalidOpcode() {
        try (DiskRig rig = new DiskRig()) {
            assertThat(rig.senseOf(NONE, 0, 0x16, 0, 0, 0, 0, 0)).isEqualTo(Sense.INVALID_OPCODE);
            assertThat(rig.senseOf(NONE, 8, ten(0x43, 0, 0, 8))).isEqualTo(Sense.INVALID_OPCODE);
            assertThat(rig.senseOf(NONE, 0, 0xFF)).isEqualTo(Sense.INVALID_OPCODE);
            assertThat(rig.senseOf(NONE, 32, sixteen(0x9E, 0x1F, 0, 32)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    private static byte[] vpd(DiskRig rig, int page) {
        return rig.data(512, 0x12, 1, page, 2, 0, 0);
    }

    private static int[] ints(byte[] bytes) {
        int[] values = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = bytes[i] & 0xFF;
        }
        return values;
    }
}
