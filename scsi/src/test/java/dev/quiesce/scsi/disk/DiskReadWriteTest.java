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
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.ModeParameters;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiskReadWriteTest {
    private static final int BLOCKS = (int) (LENGTH_BYTES / BLOCK);
    private static final ScsiDiskConfig CONFIG = ScsiDiskConfig.of("serial-1");

    @Test
    void shouldReadBackWhatWasWrittenByEveryForm() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(filled(BLOCK, 6), 0x0A, 0, 0, 1, 1, 0);
            rig.good(filled(BLOCK, 10), ten(0x2A, 0, 2, 1));
            rig.good(filled(BLOCK, 12), 0xAA, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0);
            rig.good(filled(BLOCK, 16), sixteen(0x8A, 0, 4, 1));

            assertThat(rig.data(BLOCK, 0x08, 0, 0, 1, 1, 0)).isEqualTo(filled(BLOCK, 6));
            assertThat(rig.data(BLOCK, ten(0x28, 0, 2, 1))).isEqualTo(filled(BLOCK, 10));
            assertThat(rig.data(BLOCK, 0xA8, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0))
                    .isEqualTo(filled(BLOCK, 12));
            assertThat(rig.data(BLOCK, sixteen(0x88, 0, 4, 1))).isEqualTo(filled(BLOCK, 16));
        }
    }

    @Test
    @Rule("CMD-3")
    void shouldTakeALengthOfZeroInTheShortestFormAs256() {
        try (DiskRig rig = new DiskRig()) {
            byte[] content = filled(256 * BLOCK, 3);

            rig.good(content, 0x0A, 0, 0, 8, 0, 0);

            assertThat(rig.data(256 * BLOCK, 0x08, 0, 0, 8, 0, 0)).isEqualTo(content);
        }
    }

    @Test
    @Rule("CMD-35")
    void shouldFlushAWriteUnderWhichTheWriteCacheWasSwitchedOff() {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.stalled = true;
            ScsiRequest hung = rig.start(rig.rig.a, filled(BLOCK, 1), 0, write10(0, 1));
            ScsiRequest durable = rig.start(rig.rig.a, filled(BLOCK, 1), 0, ten(0x2A, 8, 1, 1));
            ScsiRequest read = rig.start(rig.rig.a, new byte[0], BLOCK, read10(2, 1));
            rig.rig.settle();
            rig.driver.stalled = false;
            rig.good(cachingPage(false), 0x15, 0x10, 0, 0, 24, 0);
            rig.driver.log.clear();

            rig.driver.stalled = true;
            rig.driver.release(rig.driver.held.get(0));
            rig.rig.settle();
            assertThat(rig.driver.log).containsExactly("FLUSH 0+0");
            assertThat(rig.hba.hasAnswered(hung)).isFalse();
            rig.driver.releaseAll();
            rig.rig.settle();

            assertThat(rig.driver.log).hasSize(1);
            for (ScsiRequest request : new ScsiRequest[] {hung, durable, read}) {
                assertThat(rig.hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
            }
        }
    }

    @Test
    @Rule("CMD-35")
    void shouldFailAWriteWhoseLateFlushFails() {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.stalled = true;
            ScsiRequest hung = rig.start(rig.rig.a, filled(BLOCK, 1), 0, write10(0, 1));
            rig.rig.settle();
            rig.driver.stalled = false;
            rig.good(cachingPage(false), 0x15, 0x10, 0, 0, 24, 0);
            rig.driver.fault = request ->
                    request.operation() == Operation.FLUSH ? BlockStatus.IO_ERROR : null;

            rig.driver.releaseAll();
            rig.rig.settle();

            assertThat(rig.hba.answerTo(hung).status()).isEqualTo(ScsiStatus.CHECK_CONDITION);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 2, 0x400, 0xFFFF})
    void shouldRefuseARotationRateThatNoPageCanTell(int rate) {
        assertThatThrownBy(() -> new ScsiDiskConfig(CONFIG.identity(), BLOCK, BLOCK, false, true,
                true, rate, CONFIG.modes()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(String.valueOf(rate));
    }

    @ParameterizedTest
    @CsvSource({"512", "2048", "4096"})
    void shouldWorkWithEveryBlockSize(int blockSize) {
        try (DiskRig rig = new DiskRig(CONFIG.withBlockSizes(blockSize, 4096))) {
            byte[] content = filled(3 * blockSize, 9);

            rig.write(5, content);

            assertThat(rig.read(5, 3)).isEqualTo(content);
            assertThat(rig.driver.log.get(0)).isEqualTo("WRITE " + 5 * blockSize + "+"
                    + 3 * blockSize);
            long last = LENGTH_BYTES / blockSize - 1;
            rig.write(last, filled(blockSize, 1));
            assertThat(rig.senseOf(filled(2 * blockSize, 1), 0, write10(last, 2)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
        }
    }

    @Test
    @Rule("CMD-8")
    @Rule("CMD-19")
    void shouldCheckTheRangeAlsoOfAnEmptyTransfer() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(new byte[0], read10(BLOCKS, 0));
            rig.good(new byte[0], write10(BLOCKS, 0));
            assertThat(rig.senseOf(new byte[0], 0, read10(BLOCKS + 1, 0)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(rig.senseOf(new byte[0], BLOCK, read10(BLOCKS, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(rig.senseOf(new byte[0], BLOCK, sixteen(0x88, 0, -1, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(rig.senseOf(new byte[0], 2 * BLOCK, sixteen(0x88, 0, Long.MAX_VALUE, 2)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(rig.driver.log).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"512", "4096"})
    @Rule("CMD-14")
    void shouldMoveTheLongestTransferThatTheDiskPromises(int blockSize) {
        ScsiDiskConfig config = CONFIG.withBlockSizes(blockSize, 4096);
        try (DiskRig rig = new DiskRig(config, driver -> driver.lengthBytes = 8L << 30)) {
            rig.driver.fault = request -> BlockStatus.OK;
            int blocks = (int) rig.disk.limitsPage().transferBlocksMax();
            IoVector room = new IoVector();
            ByteBuffer memory = ByteBuffer.allocate(16 << 20);
            for (int i = 0; i < 128; i++) {
                room.add(memory, 0, memory.capacity());
            }
            ScsiRequest request = rig.hba.request(rig.rig.a, sixteen(0x88, 0, 0, blocks))
                    .withData(new IoVector(), room);

            rig.disk.execute(request);
            rig.rig.settle();

            assertThat(rig.hba.answerTo(request).status()).isEqualTo(ScsiStatus.GOOD);
            assertThat(blocks).isEqualTo((int) ((2L << 30) / blockSize) - 1);
            assertThat(rig.driver.log).containsExactly("READ 0+" + (long) blocks * blockSize);
        }
    }

    @Test
    @Rule("CMD-9")
    void shouldCheckAgainstTheCapacityOfTheMoment() {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.lengthBytes = LENGTH_BYTES / 2;

            assertThat(rig.senseOf(new byte[0], BLOCK, read10(BLOCKS - 1, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            rig.driver.lengthBytes = LENGTH_BYTES;

            assertThat(rig.read(BLOCKS - 1, 1)).hasSize(BLOCK);
        }
    }

    @Test
    @Rule("CMD-14")
    @Rule("SCSI-53")
    @Rule("SBUG-17")
    void shouldTouchNoMoreThanTheCommandSaysHoweverLargeTheBuffer() {
        try (DiskRig rig = new DiskRig()) {
            rig.write(0, filled(16 * BLOCK, 1));

            FakeHba.Answer written = rig.answer(filled(16 * BLOCK, 2), 0, write10(0, 1));
            ScsiRequest read = rig.run(new byte[0], 4 * BLOCK, read10(0, 2));

            assertThat(written.residual()).isEqualTo(15 * BLOCK);
            assertThat(rig.hba.answerTo(read).residual()).isEqualTo(2 * BLOCK);
            assertThat(FakeHba.dataIn(read, 4 * BLOCK)).isEqualTo(concat(
                    filled(BLOCK, 2), filled(BLOCK, 1), filled(2 * BLOCK, 0xEE)));
            assertThat(rig.driver.log).contains("WRITE 0+512", "READ 0+1024");
        }
    }

    @Test
    void shouldRefuseABufferThatIsTooShort() {
        try (DiskRig rig = new DiskRig()) {
            assertThat(rig.senseOf(new byte[0], BLOCK, read10(0, 2)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, write10(0, 2)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    @Test
    @Rule("CMD-90")
    void shouldHonourFuaWhenItIsAdvertised() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(filled(BLOCK, 1), ten(0x2A, 0x18, 0, 1));
            rig.data(BLOCK, ten(0x28, 0x18, 0, 1));

            assertThat(rig.driver.log)
                    .containsExactly("WRITE 0+512 FUA", "FLUSH 0+0", "READ 0+512");
        }
    }

    @Test
    @Rule("CMD-17")
    void shouldFlushOnceBeforeTheFirstPieceOfAReadThatForcesUnitAccess() {
        Consumer<TestDriver> small = d -> d.limits = d.limits.withBounds(1100, 1100, 1100);
        try (DiskRig rig = new DiskRig(CONFIG, small)) {
            rig.data(5 * BLOCK, ten(0x28, 0x08, 0, 5));

            assertThat(rig.driver.log).containsExactly(
                    "FLUSH 0+0", "READ 0+1024", "READ 1024+1024", "READ 2048+512");
        }
    }

    @Test
    @Rule("CMD-90")
    void shouldRefuseDpoAndFuaWhenTheyAreNotAdvertised() {
        try (DiskRig rig = new DiskRig(CONFIG.withDpoFua(false))) {
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, ten(0x2A, 0x08, 0, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(new byte[0], BLOCK, ten(0x28, 0x10, 0, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    @Test
    @Rule("CMD-91")
    void shouldRefuseProtection() {
        try (DiskRig rig = new DiskRig()) {
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, ten(0x2A, 0x20, 0, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(new byte[0], BLOCK, sixteen(0x88, 0xE0, 0, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    @Test
    @Rule("CMD-7")
    @Rule("CMD-93")
    void shouldCheckWriteProtectionBeforeProtectionAndRange() {
        try (DiskRig rig = new DiskRig(CONFIG.withReadOnly(true))) {
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, ten(0x2A, 0x20, BLOCKS, 1)))
                    .isEqualTo(Sense.WRITE_PROTECTED);
            assertThat(rig.senseOf(new byte[0], BLOCK, ten(0x28, 0x20, BLOCKS, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.read(0, 1)).hasSize(BLOCK);
        }
    }

    @Test
    @Rule("CMD-93")
    void shouldBeReadOnlyWhenTheNodeIs() {
        Consumer<TestDriver> readOnly = d -> d.limits = d.limits.withReadOnly(true);
        try (DiskRig rig = new DiskRig(CONFIG, readOnly)) {
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, write10(0, 1)))
                    .isEqualTo(Sense.WRITE_PROTECTED);
        }
    }

    @Test
    @Rule("CMD-21")
    @Rule("CMD-93")
    void shouldReportAMissingMedium() {
        try (DiskRig rig = new DiskRig()) {
            rig.backend.removeRoot();

            assertThat(rig.senseOf(new byte[0], BLOCK, read10(0, 1)))
                    .isEqualTo(Sense.UA_CAPACITY_CHANGED);
            assertThat(rig.senseOf(new byte[0], BLOCK, read10(0, 1))).isEqualTo(Sense.NO_MEDIUM);
            assertThat(rig.senseOf(filled(BLOCK, 1), 0, write10(0, 1))).isEqualTo(Sense.NO_MEDIUM);
            assertThat(rig.senseOf(new byte[0], 0, 0x00, 0, 0, 0, 0, 0)).isEqualTo(Sense.NO_MEDIUM);
            assertThat(rig.data(96, 0x12, 0, 0, 0, 96, 0)).hasSize(96);
            rig.backend.insert(rig.graph.find("data"));
        }
    }

    @Test
    @Rule("CMD-35")
    void shouldWriteThroughWithoutAWriteCache() {
        ModeParameters noCache = new ModeParameters(false, false, false);
        try (DiskRig rig = new DiskRig(CONFIG.withModes(noCache))) {
            rig.write(0, filled(BLOCK, 1));

            assertThat(rig.driver.log).containsExactly("WRITE 0+512 FUA");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "READ, IO_ERROR, 3, 11", "WRITE, IO_ERROR, 3, 0C", "WRITE, NO_SPACE, 7, 27",
        "READ, NO_MEDIUM, 2, 3A", "WRITE, READ_ONLY, 7, 27", "READ, INVALID, 5, 24",
        "READ, NOT_SUPPORTED, 4, 44", "READ, CANCELLED, B, 00"})
    @Rule("SENSE-20")
    void shouldMapAFailureToSense(Operation operation, BlockStatus status, String key, String asc) {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.fault = request -> status;

            Sense sense = operation == Operation.READ
                    ? rig.senseOf(new byte[0], BLOCK, read10(0, 1))
                    : rig.senseOf(filled(BLOCK, 1), 0, write10(0, 1));

            assertThat(sense.key()).isEqualTo(Integer.parseInt(key, 16));
            assertThat(sense.asc()).isEqualTo(Integer.parseInt(asc, 16));
        }
    }

    @Test
    @Rule("SENSE-20")
    void shouldReportABusyBackendAsBusy() {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.fault = request -> BlockStatus.BUSY;

            assertThat(rig.answer(new byte[0], BLOCK, read10(0, 1)).status())
                    .isEqualTo(ScsiStatus.BUSY);
        }
    }

    @Test
    @Rule("CMD-9")
    void shouldReportARangeThatVanishedBeforeItWasReached() {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.fault = request -> {
                rig.driver.lengthBytes = BLOCK;
                return BlockStatus.INVALID;
            };

            assertThat(rig.senseOf(new byte[0], BLOCK, read10(4, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
        }
    }

    @Test
    @Rule("CMD-20")
    @Rule("CMD-116")
    void shouldTransferInPiecesThatTheBackendTakes() {
        Consumer<TestDriver> small = d -> d.limits = d.limits.withBounds(1100, 1100, 1100);
        try (DiskRig rig = new DiskRig(CONFIG, small)) {
            byte[] content = concat(filled(BLOCK, 1), filled(BLOCK, 2), filled(BLOCK, 3));
            rig.write(0, content);
            assertThat(rig.read(0, 3)).isEqualTo(content);
            assertThat(rig.driver.log).containsExactly(
                    "WRITE 0+1024", "WRITE 1024+512", "READ 0+1024", "READ 1024+512");

            rig.driver.fault = r -> r.offsetBytes() == 1024 ? BlockStatus.IO_ERROR : null;
            FakeHba.Answer failed = rig.answer(new byte[0], 3 * BLOCK, read10(0, 3));

            assertThat(failed.sense()).isEqualTo(Sense.READ_ERROR);
            assertThat(failed.residual()).isEqualTo(BLOCK);
        }
    }

    @Test
    @Rule("CMD-85")
    void shouldFlushOnSynchronizeCache() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(new byte[0], ten(0x35, 0, 0, 0));
            rig.good(new byte[0], sixteen(0x91, 2, 5, 10));
            assertThat(rig.driver.log).containsExactly("FLUSH 0+0", "FLUSH 0+0");
            assertThat(rig.senseOf(new byte[0], 0, ten(0x35, 0, BLOCKS, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);

            rig.driver.fault = request -> BlockStatus.IO_ERROR;

            assertThat(rig.senseOf(new byte[0], 0, ten(0x35, 0, 0, 0)))
                    .isEqualTo(Sense.WRITE_ERROR);
        }
    }

    @Test
    void shouldNameABlockSizeThatTheBackendDoesNotTake() {
        Consumer<TestDriver> direct = d -> d.limits = d.limits.withAlignment(4096, 4096);

        assertThatThrownBy(() -> new DiskRig(CONFIG, direct).close())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("512").hasMessageContaining("4096");
        assertThatThrownBy(() -> CONFIG.withBlockSizes(1000, 4096))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("1000");
        assertThatThrownBy(() -> CONFIG.withBlockSizes(4096, 512))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("512");
    }

    static byte[] concat(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
