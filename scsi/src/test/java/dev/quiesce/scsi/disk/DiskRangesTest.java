package dev.quiesce.scsi.disk;

import static dev.quiesce.scsi.disk.DiskReadWriteTest.concat;
import static dev.quiesce.scsi.disk.DiskRig.BLOCK;
import static dev.quiesce.scsi.disk.DiskRig.LENGTH_BYTES;
import static dev.quiesce.scsi.disk.DiskRig.filled;
import static dev.quiesce.scsi.disk.DiskRig.sixteen;
import static dev.quiesce.scsi.disk.DiskRig.ten;
import static dev.quiesce.scsi.spec.BlockLimitsPage.UNMAP_BLOCKS_DEFAULT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.FakeHba;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.ModeParameters;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of several steps: UNMAP, WRITE SAME, VERIFY. */
class DiskRangesTest {
    private static final byte[] NONE = {};
    private static final int BLOCKS = (int) (LENGTH_BYTES / BLOCK);
    private static final ScsiDiskConfig CONFIG = ScsiDiskConfig.of("serial-1");

    @Test
    @Rule("CMD-36")
    void shouldUnmapEveryRangeOfTheList() {
        try (DiskRig rig = new DiskRig()) {
            rig.write(0, filled(16 * BLOCK, 1));

            unmap(rig, list(2, 3, 9, 0, 10, 2));

            assertThat(rig.read(0, 16)).isEqualTo(concat(filled(2 * BLOCK, 1),
                    filled(3 * BLOCK, 0), filled(5 * BLOCK, 1), filled(2 * BLOCK, 0),
                    filled(4 * BLOCK, 1)));
        }
    }

    @Test
    @Rule("CMD-36")
    void shouldUnmapInPiecesThatTheBackendTakes() {
        try (DiskRig rig = new DiskRig(CONFIG, DiskRangesTest::smallPieces)) {
            unmap(rig, list(0, 9, 20, 1));

            assertThat(rig.driver.log).containsExactly("DISCARD 0+2048", "DISCARD 2048+2048",
                    "DISCARD 4096+512", "DISCARD 10240+512");
        }
    }

    @Test
    @Rule("CMD-36")
    void shouldValidateTheWholeListFirst() {
        try (DiskRig rig = new DiskRig()) {
            assertThat(unmapSense(rig, list(0, 4, BLOCKS, 1))).isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(unmapSense(rig, list(0, 4, BLOCKS - 1, 2)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(unmapSense(rig, Arrays.copyOf(list(0, 4), 20)))
                    .isEqualTo(Sense.LIST_LENGTH_ERROR);
            assertThat(rig.senseOf(list(0, 4), 0, ten(0x42, 1, 0, 24)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            rig.good(NONE, ten(0x42, 0, 0, 0));
            unmap(rig, list());

            assertThat(rig.driver.log).isEmpty();
        }
    }

    @Test
    @Rule("CMD-93")
    void shouldNotUnmapAReadOnlyDisk() {
        try (DiskRig rig = new DiskRig(CONFIG.withReadOnly(true))) {
            assertThat(unmapSense(rig, list(0, 4))).isEqualTo(Sense.WRITE_PROTECTED);
        }
    }

    @Test
    @Rule("CMD-37")
    void shouldTakeUnmapAsAHint() {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.fault = request -> BlockStatus.NOT_SUPPORTED;
            unmap(rig, list(0, 4, 8, 4));
            rig.driver.fault = request -> BlockStatus.IO_ERROR;

            assertThat(unmapSense(rig, list(0, 4))).isEqualTo(Sense.WRITE_ERROR);
        }
    }

    @Test
    @Rule("CMD-43")
    void shouldKeepThePromiseOfZeroesWhenTheBackendNoLongerGivesIt() {
        try (DiskRig rig = new DiskRig()) {
            TestDriver other = new TestDriver(LENGTH_BYTES);
            other.limits = BlockLimits.unlimited().withDiscard(512, false);
            rig.backend.replace(rig.graph.add("other", other));

            unmap(rig, list(0, 4));

            assertThat(other.log).containsExactly("WRITE_ZEROES 0+2048 UNMAP");
            rig.backend.replace(rig.graph.find("data"));
            rig.graph.remove(rig.graph.find("other"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x41, 0x93})
    @Rule("CMD-38")
    void shouldWriteTheSameBlockEverywhere(int opcode) {
        try (DiskRig rig = new DiskRig(CONFIG, DiskRangesTest::smallPieces)) {
            byte[] block = pattern();

            rig.good(block, writeSame(opcode, 0, 3, 5));

            byte[] all = rig.read(2, 7);
            assertThat(Arrays.copyOf(all, BLOCK)).isEqualTo(filled(BLOCK, 0));
            for (int i = 1; i <= 5; i++) {
                assertThat(Arrays.copyOfRange(all, i * BLOCK, (i + 1) * BLOCK)).isEqualTo(block);
            }
            assertThat(Arrays.copyOfRange(all, 6 * BLOCK, 7 * BLOCK)).isEqualTo(filled(BLOCK, 0));
            assertThat(rig.driver.log.subList(0, 3)).containsExactly(
                    "WRITE 1536+1024", "WRITE 2560+1024", "WRITE 3584+512");
        }
    }

    @Test
    @Rule("CMD-38")
    void shouldWriteALongRangeOfAPattern() {
        try (DiskRig rig = new DiskRig()) {
            byte[] block = pattern();

            rig.good(block, sixteen(0x93, 0, 0, BLOCKS));

            byte[] end = rig.read(BLOCKS - 1, 1);
            assertThat(end).isEqualTo(block);
            assertThat(rig.driver.log).hasSize((int) (LENGTH_BYTES / Scratch.SIZE_BYTES) + 1);
        }
    }

    @Test
    @Rule("CMD-38")
    void shouldTurnABlockOfZeroesIntoWriteZeroes() {
        try (DiskRig rig = new DiskRig(CONFIG, DiskRangesTest::smallPieces)) {
            rig.good(filled(BLOCK, 0), ten(0x41, 0, 0, 4));
            rig.good(filled(BLOCK, 0), ten(0x41, 8, 0, 2));

            assertThat(rig.driver.log).containsExactly("WRITE_ZEROES 0+1536",
                    "WRITE_ZEROES 1536+512", "WRITE_ZEROES 0+1024 UNMAP");
        }
    }

    @Test
    @Rule("CMD-16")
    @Rule("SBUG-18")
    void shouldReachEveryByteOfRangesOfGigabytesOrRefuseThem() {
        reachesEveryByteOrRefuses(512);
        reachesEveryByteOrRefuses(4096);
    }

    private static void reachesEveryByteOrRefuses(int blockSize) {
        try (DiskRig rig = new DiskRig(CONFIG.withBlockSizes(blockSize, 4096), driver -> {
            driver.lengthBytes = 16L << 30;
            driver.fault = request -> BlockStatus.OK; // It has no memory of that size.
        })) {
            long most = rig.disk.limitsPage().writeSameBlocksMax();
            int past4GiB = (int) ((4L << 30) / blockSize) + 8;

            assertThat(rig.senseOf(NONE, 0, sixteen(0x93, 1, 0, past4GiB)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.driver.log).as("nothing is zeroed in part").isEmpty();
            rig.good(NONE, sixteen(0x93, 1, past4GiB, (int) most));
            unmap(rig, list(past4GiB, UNMAP_BLOCKS_DEFAULT));

            assertThat(most).isGreaterThanOrEqualTo((1L << 30) / blockSize);
            long start = (long) past4GiB * blockSize;
            assertThat(rig.driver.log).containsExactly(
                    "WRITE_ZEROES " + start + "+" + most * blockSize,
                    "DISCARD " + start + "+" + UNMAP_BLOCKS_DEFAULT * blockSize);
        }
    }

    @Test
    @Rule("CMD-38a")
    @Rule("SBUG-19")
    void shouldZeroTheRangeWithoutADataBlock() {
        try (DiskRig rig = new DiskRig()) {
            rig.write(0, filled(8 * BLOCK, 7));

            rig.good(NONE, sixteen(0x93, 1, 2, 3));

            assertThat(rig.read(0, 8)).isEqualTo(concat(filled(2 * BLOCK, 7),
                    filled(3 * BLOCK, 0), filled(3 * BLOCK, 7)));
            assertThat(rig.senseOf(NONE, 0, ten(0x41, 1, 2, 3)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    @Test
    @Rule("CMD-38")
    void shouldWriteZeroesItselfWhereTheBackendCannot() {
        try (DiskRig rig = new DiskRig()) {
            rig.write(0, filled(4 * BLOCK, 7));
            rig.driver.fault = r -> r.operation() == Operation.WRITE_ZEROES
                    ? BlockStatus.NOT_SUPPORTED : null;

            rig.good(filled(BLOCK, 0), ten(0x41, 0, 0, 4));

            assertThat(rig.read(0, 4)).isEqualTo(filled(4 * BLOCK, 0));
            assertThat(rig.driver.log).contains("WRITE_ZEROES 0+2048", "WRITE 0+2048");
        }
    }

    @Test
    @Rule("CMD-38")
    @Rule("CMD-91")
    void shouldRefuseWhatWriteSameDoesNotOffer() {
        try (DiskRig rig = new DiskRig()) {
            for (int flags : new int[] {0x02, 0x04, 0x10, 0x20}) {
                assertThat(rig.senseOf(filled(BLOCK, 0), 0, sixteen(0x93, flags, 0, 1)))
                        .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            }
            assertThat(rig.senseOf(filled(BLOCK, 0), 0, ten(0x41, 0, 0, 0)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(filled(2 * BLOCK, 0), 0, ten(0x41, 0, 0, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.senseOf(filled(BLOCK, 0), 0, ten(0x41, 0, BLOCKS, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
            assertThat(rig.senseOf(filled(BLOCK, 0), 0, sixteen(0x93, 0, 0, -1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
            assertThat(rig.driver.log).isEmpty();
        }
    }

    @Test
    @Rule("CMD-35")
    void shouldBeDurableWithoutAWriteCache() {
        ModeParameters noCache = new ModeParameters(false, false, false);
        try (DiskRig rig = new DiskRig(CONFIG.withModes(noCache))) {
            unmap(rig, list(0, 4));
            rig.good(filled(BLOCK, 0), ten(0x41, 0, 0, 4));
            rig.good(pattern(), ten(0x41, 0, 0, 1));

            assertThat(rig.driver.log).containsExactly("DISCARD 0+2048 FUA",
                    "WRITE_ZEROES 0+2048 FUA", "WRITE 0+512 FUA");
        }
    }

    @Test
    @Rule("CMD-94")
    @Rule("CMD-17")
    void shouldVerifyTheMediumByReadingItAfterAFlush() {
        try (DiskRig rig = new DiskRig()) {
            rig.good(NONE, ten(0x2F, 0, 0, 200));
            rig.good(NONE, sixteen(0x8F, 0, 0, 0));
            rig.good(NONE, 0xAF, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0);
            assertThat(rig.driver.log)
                    .containsExactly("FLUSH 0+0", "READ 0+65536", "READ 65536+36864",
                            "FLUSH 0+0", "READ 512+512");

            rig.driver.fault = request ->
                    request.operation() == Operation.READ ? BlockStatus.IO_ERROR : null;
            assertThat(rig.senseOf(NONE, 0, ten(0x2F, 0, 0, 1))).isEqualTo(Sense.READ_ERROR);
            rig.driver.fault = request ->
                    request.operation() == Operation.FLUSH ? BlockStatus.IO_ERROR : null;
            assertThat(rig.senseOf(NONE, 0, ten(0x2F, 0, 0, 1))).isEqualTo(Sense.WRITE_ERROR);
            assertThat(rig.senseOf(NONE, 0, ten(0x2F, 0, BLOCKS, 1)))
                    .isEqualTo(Sense.LBA_OUT_OF_RANGE);
        }
    }

    @Test
    @Rule("CMD-94")
    void shouldCompareTheRangeWithWhatWasSent() {
        try (DiskRig rig = new DiskRig(CONFIG, DiskRangesTest::smallPieces)) {
            byte[] content = counted(5 * BLOCK);
            byte[] other = content.clone();
            other[4 * BLOCK + 17]++;
            rig.write(1, content);

            rig.good(content, ten(0x2F, 2, 1, 5));
            FakeHba.Answer miss = rig.answer(other, 0, ten(0x2F, 2, 1, 5));

            assertThat(miss.sense()).isEqualTo(Sense.MISCOMPARE);
            assertThat(information(miss)).isEqualTo(4 * BLOCK + 17);
        }
    }

    @Test
    @Rule("CMD-94")
    void shouldCompareEveryBlockWithTheOneThatWasSent() {
        try (DiskRig rig = new DiskRig(CONFIG, DiskRangesTest::smallPieces)) {
            byte[] block = pattern();
            rig.good(block, ten(0x41, 0, 0, 5));

            rig.good(block, ten(0x2F, 6, 0, 5));
            rig.write(4, filled(BLOCK, 0));
            FakeHba.Answer miss = rig.answer(block, 0, ten(0x2F, 6, 0, 5));

            assertThat(miss.sense()).isEqualTo(Sense.MISCOMPARE);
            assertThat(information(miss)).isEqualTo(1);
            assertThat(rig.senseOf(block, 0, ten(0x2F, 4, 0, 1)))
                    .isEqualTo(Sense.INVALID_FIELD_IN_CDB);
        }
    }

    private static void smallPieces(TestDriver driver) {
        driver.limits = driver.limits.withBounds(2 * BLOCK, 3 * BLOCK, 4 * BLOCK);
    }

    private static long information(FakeHba.Answer answer) {
        byte[] data = new byte[answer.senseData().size()];
        for (int i = 0; i < data.length; i++) {
            data[i] = answer.senseData().get(i);
        }
        assertThat(data[0]).isEqualTo((byte) 0xF0);
        return ByteBuffer.wrap(data).getInt(3);
    }

    @Test
    @Rule("CMD-35")
    void shouldFlushRangesUnderWhichTheWriteCacheWasSwitchedOff() {
        shouldFlush(pattern(), writeSame(0x41, 0, 0, 8));
        shouldFlush(new byte[BLOCK], writeSame(0x41, 0, 0, 8));
        shouldFlush(list(0, 8), ten(0x42, 0, 0, 24));
    }

    private static void shouldFlush(byte[] out, int... cdb) {
        try (DiskRig rig = new DiskRig()) {
            rig.driver.stalled = true;
            ScsiRequest hung = rig.start(rig.rig.a, out, 0, cdb);
            rig.rig.settle();
            rig.driver.stalled = false;
            rig.good(DiskRig.cachingPage(false), 0x15, 0x10, 0, 0, 24, 0);
            rig.driver.log.clear();

            rig.driver.releaseAll();
            rig.rig.settle();

            assertThat(rig.driver.log).containsExactly("FLUSH 0+0");
            assertThat(rig.hba.answerTo(hung).status()).isEqualTo(ScsiStatus.GOOD);
        }
    }

    private static int[] writeSame(int opcode, int flags, long lba, int blocks) {
        return opcode == 0x41 ? ten(opcode, flags, lba, blocks)
                : sixteen(opcode, flags, lba, blocks);
    }

    private static byte[] pattern() {
        return counted(BLOCK);
    }

    private static byte[] counted(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31);
        }
        return bytes;
    }

    private static void unmap(DiskRig rig, byte[] list) {
        rig.good(list, ten(0x42, 0, 0, list.length));
    }

    private static Sense unmapSense(DiskRig rig, byte[] list) {
        FakeHba.Answer answer = rig.answer(list, 0, ten(0x42, 0, 0, list.length));
        assertThat(answer.status()).isEqualTo(ScsiStatus.CHECK_CONDITION);
        return answer.sense();
    }

    /** An UNMAP parameter list of (lba, blocks) pairs. */
    private static byte[] list(long... pairs) {
        int bytes = pairs.length / 2 * 16;
        ByteBuffer list = ByteBuffer.allocate(8 + bytes);
        list.putShort((short) (6 + bytes)).putShort((short) bytes).putInt(0);
        for (int i = 0; i < pairs.length; i += 2) {
            list.putLong(pairs[i]).putInt((int) pairs[i + 1]).putInt(0);
        }
        return list.array();
    }
}
