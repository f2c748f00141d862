package dev.quiesce.scsi.spec;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.rules.Rule;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.RepeatedTest;

/**
 * Random bytes for everything that a guest can send; nothing may throw, and what is accepted must
 * be consistent.
 */
class HostileInputTest {
    private static final int ROUNDS = 60;
    private static final int[] BLOCK_SIZES = {1, 512, 4096, 65536, 0xFF_FFFF};
    private static final ModeParameters MODES = new ModeParameters(true, false, false);
    private static final Capacity CAPACITY = new Capacity(2048, 512, 3, 0, true, true);
    private static final ModePages PAGES = new ModePages(CAPACITY, false, true, MODES);

    /** Runs with a new seed, or with that of the property; a failure names it. */
    private static void withRandom(Consumer<Random> body) {
        long seed = Long.getLong("quiesce.seed", new Random().nextLong());
        try {
            body.accept(new Random(seed));
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError("run again with -Dquiesce.seed=" + seed, e);
        }
    }

    @RepeatedTest(4)
    @Rule("CMD-1")
    @Rule("SCSI-14")
    void shouldParseEveryOpcodeWithRandomBytes() {
        withRandom(HostileInputTest::parseEveryOpcodeWithRandomBytes);
    }

    private static void parseEveryOpcodeWithRandomBytes(Random random) {
        Cdb cdb = new Cdb();
        byte[] bytes = new byte[40];
        for (int opcode = 0; opcode < 256; opcode++) {
            for (int round = 0; round < ROUNDS; round++) {
                random.nextBytes(bytes);
                bytes[0] = (byte) opcode;
                int blockSize = BLOCK_SIZES[random.nextInt(BLOCK_SIZES.length)];
                Sense sense = cdb.parse(bytes, random.nextInt(bytes.length + 1), blockSize);
                checkView(cdb, sense, blockSize);
            }
        }
    }

    private static void checkView(Cdb cdb, Sense sense, int blockSize) {
        boolean blank = Sense.INVALID_OPCODE.equals(sense);
        boolean tooLong = Sense.INVALID_FIELD_IN_CDB.equals(sense);
        boolean consistent = (sense == null || blank || tooLong)
                && blank == (cdb.lengthBytes() == 0)
                && (!blank || cdb.format() == CdbFormat.UNKNOWN)
                && cdb.transferBytes() >= 0
                && tooLong == (cdb.transferBytes() > Cdb.TRANSFER_BYTES_MAX)
                && (cdb.transferBytes() == 0) == (cdb.direction() == DataDirection.NONE)
                && cdb.transferBlocks() >= 0
                && cdb.transferBlocks() <= 0xFFFF_FFFFL
                && cdb.transferBytes() <= 2 * Math.max(0xFFFF_FFFFL, 1) * blockSize
                && (cdb.allocationLengthBytes() == 0
                        || cdb.allocationLengthBytes() == cdb.transferBytes())
                && (!cdb.isInRange(100) || cdb.lba() + cdb.transferBlocks() <= 100);
        assertThat(consistent).as("%s %s", cdb, sense).isTrue();
        assertThat(cdb.protect()).isBetween(0, 7);
        assertThat(cdb.bytchk()).isBetween(0, 3);
    }

    @RepeatedTest(4)
    @Rule("CMD-33")
    @Rule("CMD-43")
    @Rule("CMD-87")
    @Rule("SCSI-46")
    void shouldAnswerRandomQuestionsOrRefuseThem() {
        withRandom(HostileInputTest::answerRandomQuestionsOrRefuseThem);
    }

    private static void answerRandomQuestionsOrRefuseThem(Random random) {
        SupportedOpcodes opcodes =
                new SupportedOpcodes(EnumSet.range(CdbFormat.READ_10, CdbFormat.UNMAP), true, true);
        byte[] dst = new byte[2048];
        for (int round = 0; round < 20 * ROUNDS; round++) {
            Cdb cdb = randomCdb(random, CdbFormat.MODE_SENSE_6, CdbFormat.MODE_SENSE_10);
            if (ModePages.check(cdb) == null) {
                assertThat(PAGES.encode(cdb, MODES, dst)).isGreaterThanOrEqualTo(4);
            }
            cdb = randomCdb(random, CdbFormat.READ_CAPACITY_10, CdbFormat.READ_CAPACITY_16);
            if (CAPACITY.check(cdb) == null) {
                assertThat(CAPACITY.encode(cdb, dst)).isPositive();
            }
            cdb = randomCdb(random, CdbFormat.REPORT_LUNS, CdbFormat.REPORT_LUNS);
            if (LunList.check(cdb) == null) {
                assertThat(LunList.encode(cdb.u8(2), new int[] {3}, 1, true, dst)).isPositive();
            }
            cdb = randomCdb(random, CdbFormat.REPORT_SUPPORTED_OPCODES,
                    CdbFormat.REPORT_SUPPORTED_OPCODES);
            if (opcodes.check(cdb) == null) {
                assertThat(opcodes.encode(cdb, dst)).isGreaterThanOrEqualTo(4);
            }
        }
    }

    private static Cdb randomCdb(Random random, CdbFormat one, CdbFormat other) {
        CdbFormat format = random.nextBoolean() ? one : other;
        byte[] bytes = new byte[format.lengthBytes()];
        random.nextBytes(bytes);
        byte[] fixed = format.newCdb();
        bytes[0] = fixed[0];
        if (format.hasServiceAction()) {
            bytes[1] = (byte) ((bytes[1] & 0xE0) | fixed[1]);
        }
        Cdb cdb = new Cdb();
        Sense sense = cdb.parse(bytes, bytes.length, 512);
        assertThat(sense).isIn(null, Sense.INVALID_FIELD_IN_CDB);
        assertThat(cdb.format()).isEqualTo(format);
        return cdb;
    }

    @RepeatedTest(4)
    @Rule("CMD-35")
    void shouldSurviveRandomModeLists() {
        withRandom(HostileInputTest::surviveRandomModeLists);
    }

    private static void surviveRandomModeLists(Random random) {
        byte[] list = new byte[80];
        byte[] valid = new byte[ModePages.LENGTH_BYTES_MAX];
        for (int round = 0; round < 100 * ROUNDS; round++) {
            boolean six = random.nextBoolean();
            CdbFormat select = six ? CdbFormat.MODE_SELECT_6 : CdbFormat.MODE_SELECT_10;
            CdbFormat sense = six ? CdbFormat.MODE_SENSE_6 : CdbFormat.MODE_SENSE_10;
            byte[] question = sense.newCdb();
            question[1] = (byte) (random.nextInt(4) << 3);
            question[2] = 0x3F;
            PAGES.encode(parsed(question), MODES, valid);
            System.arraycopy(valid, 0, list, 0, list.length);
            for (int flips = random.nextInt(4); flips > 0; flips--) {
                list[random.nextInt(list.length)] = (byte) random.nextInt(256);
            }
            byte[] command = select.newCdb();
            command[1] = (byte) (random.nextInt(8) == 0 ? random.nextInt(256) : 0x10);
            int length = random.nextInt(list.length + 1);

            ModeSelect outcome = ModeSelect.decode(parsed(command), list, length, PAGES, MODES);

            boolean kept = outcome.parameters().equals(MODES);
            assertThat(outcome.sense() == null || kept).isTrue();
        }
    }

    private static Cdb parsed(byte[] bytes) {
        Cdb cdb = new Cdb();
        assertThat(cdb.parse(bytes, bytes.length, 512)).isNull();
        return cdb;
    }

    @RepeatedTest(4)
    @Rule("CMD-36")
    void shouldAdmitOnlyRangesOnTheDiskFromRandomUnmapLists() {
        withRandom(HostileInputTest::admitOnlyRangesOnTheDiskFromRandomUnmapLists);
    }

    private static void admitOnlyRangesOnTheDiskFromRandomUnmapLists(Random random) {
        UnmapParameters parameters = new UnmapParameters();
        BlockLimitsPage limits = BlockLimitsPage.of(512, 0, 0, true, 512);
        byte[] list = new byte[120];
        int admitted = 0;
        for (int round = 0; round < 100 * ROUNDS; round++) {
            random.nextBytes(list);
            int descriptors = random.nextInt(8);
            BigEndian.put16(list, 0, descriptors * 16 + 6 + random.nextInt(2));
            BigEndian.put16(list, 2, descriptors * 16 + (random.nextInt(8) == 0 ? 1 : 0));
            for (int i = 0; i < 7; i++) {
                Arrays.fill(list, 8 + 16 * i, 8 + 16 * i + 5, (byte) 0);
                BigEndian.put32(list, 8 + 16 * i + 8, random.nextInt(1 << 24));
            }
            long capacity = random.nextInt(1 << 25);
            int length = random.nextInt(list.length + 1);
            if (parameters.parse(list, length, capacity, limits) == null) {
                admitted += parameters.count();
                for (int i = 0; i < parameters.count(); i++) {
                    assertThat(parameters.lba(i)).isBetween(0L, capacity);
                    assertThat(parameters.lba(i) + parameters.blocks(i)).isBetween(0L, capacity);
                }
            } else {
                assertThat(parameters.count()).isZero();
            }
        }
        assertThat(admitted).isPositive();
    }

    @RepeatedTest(4)
    @Rule("SCSI-49")
    @Rule("SCSI-50")
    @Rule("VSCSI-24")
    void shouldDecodeRandomSenseAndAddresses() {
        withRandom(HostileInputTest::decodeRandomSenseAndAddresses);
    }

    private static void decodeRandomSenseAndAddresses(Random random) {
        byte[] bytes = new byte[Sense.STORED_LENGTH_BYTES_MAX];
        byte[] dst = new byte[Sense.STORED_LENGTH_BYTES_MAX];
        for (int round = 0; round < 20 * ROUNDS; round++) {
            random.nextBytes(bytes);
            int length = random.nextInt(bytes.length + 1);
            Sense sense = Sense.decode(bytes, length);
            int converted = Sense.convert(bytes, length, random.nextBoolean(), dst);
            if (length > 0) {
                assertThat(Sense.decode(dst, converted)).isEqualTo(sense);
            }
            int decoded = LunAddress.decode(bytes, random.nextInt(200));
            assertThat(decoded).isBetween(LunAddress.INVALID, LunAddress.REPORT_LUNS_WELL_KNOWN);
        }
    }
}
