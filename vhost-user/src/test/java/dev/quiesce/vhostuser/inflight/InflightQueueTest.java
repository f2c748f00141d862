package dev.quiesce.vhostuser.inflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.rules.Rule;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.memory.RegionMap;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The layout, byte by byte, and what is made of what a killed back end left. */
class InflightQueueTest {
    private static final int ENTRIES = 4;
    private static final int PART = 128; // 16 + 4 * 16, rounded up
    private static final long SEED = System.nanoTime();

    private final ByteBuffer bytes =
            ByteBuffer.allocateDirect(3 * PART).order(ByteOrder.LITTLE_ENDIAN);
    private final MemoryMap map = RegionMap.builder().add(0, bytes).build();

    @Test
    @Rule("VHU-25")
    @Rule("VHU-26")
    void shouldTakeWholeLinesPerQueue() {
        assertThat(InflightBuffer.bytes(1, 1)).isEqualTo(64);
        assertThat(InflightBuffer.bytes(1, 3)).isEqualTo(64);
        assertThat(InflightBuffer.bytes(1, 4)).isEqualTo(PART);
        assertThat(InflightBuffer.bytes(3, 4)).isEqualTo(3 * PART);
        assertThat(InflightBuffer.bytes(1024, 32768)).isEqualTo(1024L * (16 + 16 * 32768 + 48));
        assertThatThrownBy(() -> new InflightBuffer(map, 4, ENTRIES))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Rule("VHU-26")
    @Rule("VHU-27")
    void shouldWriteEachStepWhereTheLayoutSays() throws Exception {
        InflightQueue queue = resume(0xABCD);
        assertThat(queue.wasUsedBefore()).isFalse();
        assertPart("0000000000000000 0100 0400 0000 cdab", "", "", "", "");

        queue.fetched(2);
        queue.fetched(1);
        queue.fetched(3);
        assertPart("0000000000000000 0100 0400 0000 cdab", "",
                "01 0000000000 0000 0100000000000000", "01 0000000000 0000 0000000000000000",
                "01 0000000000 0000 0200000000000000");

        queue.pushed(1);
        queue.pushed(3);
        assertPart("0000000000000000 0100 0400 0300 cdab", "",
                "01 0000000000 0000 0100000000000000", "01 0000000000 0000 0000000000000000",
                "01 0000000000 0100 0200000000000000");

        queue.published(0xABCF);
        assertPart("0000000000000000 0100 0400 0300 cfab", "",
                "00 0000000000 0000 0100000000000000", "01 0000000000 0000 0000000000000000",
                "00 0000000000 0100 0200000000000000");

        queue.unfetched(2);
        assertThat(bytes.get(PART + 16 + 2 * 16)).isZero();
    }

    @Test
    void shouldLeaveTheOtherQueuesAlone() throws Exception {
        InflightQueue queue = resume(7);
        for (int head = 0; head < ENTRIES; head++) {
            queue.fetched(head);
        }

        for (int at = 0; at < PART; at++) {
            assertThat(bytes.get(at)).isZero();
            assertThat(bytes.get(2 * PART + at)).isZero();
        }
    }

    @Test
    @Rule("VHU-28")
    void shouldNameWhatIsUnfinishedInTheOrderInWhichItWasFetched() throws Exception {
        left(5, 0);
        entry(0, 1, 0, 30);
        entry(1, 0, 0, 10);
        entry(2, 1, 0, -1); // The largest there is.
        entry(3, 1, 0, 20);

        InflightQueue queue = resume(5);

        assertThat(queue.wasUsedBefore()).isTrue();
        assertThat(queue.unfinished()).containsExactly(3, 0, 2);
    }

    @Test
    @Rule("VHU-28")
    void shouldCountOnFromWhatIsUnfinished() throws Exception {
        left(5, 0);
        entry(3, 1, 0, 20);

        resume(5).fetched(1);

        assertThat(bytes.getLong(PART + 16 + 16 + 8)).isEqualTo(21);
    }

    @Test
    @Rule("VHU-28")
    @Rule("SCHED-26")
    void shouldClearTheBatchThatWasPublished() throws Exception {
        for (int cleared = 0; cleared <= 2; cleared++) {
            bytes.clear().put(new byte[bytes.capacity()]);
            left(65535, 3);
            entry(0, 1, 2, 3); // Linked before that batch: unfinished all the same.
            entry(1, cleared > 1 ? 0 : 1, 0, 1);
            entry(2, 1, 0, 2);
            entry(3, cleared > 0 ? 0 : 1, 1, 0);

            InflightQueue queue = resume(1);

            assertThat(queue.unfinished()).containsExactly(2, 0);
            assertThat(bytes.get(PART + 16 + 16)).isZero();
            assertThat(bytes.get(PART + 16 + 3 * 16)).isZero();
            assertThat(bytes.getShort(PART + 14)).isEqualTo((short) 1);
        }
    }

    /** The links say more than was published: those are unfinished. */
    @Test
    @Rule("VHU-28")
    void shouldNotClearWhatWasLinkedAndNotPublished() throws Exception {
        left(9, 2);
        entry(1, 1, 0, 1);
        entry(2, 1, 1, 2);

        assertThat(resume(9).unfinished()).containsExactly(1, 2);
    }

    /** The guest has set its ring up anew since, with nothing in flight: there is no batch. */
    @Test
    @Rule("VHU-28")
    void shouldFollowARingThatBeganAnew() throws Exception {
        left(60000, 0xFFFF);

        InflightQueue queue = resume(0);

        assertThat(queue.unfinished()).isEmpty();
        assertThat(bytes.getShort(PART + 14)).isZero();
    }

    @Test
    @Rule("VHU-26")
    void shouldBeginAnewWhatWasNeverUsedWhateverElseIsThere() throws Exception {
        new Random(1).ints(bytes.capacity()).forEach(any -> bytes.put((byte) any));
        bytes.putShort(PART + 8, (short) 0);

        InflightQueue queue = resume(17);

        assertThat(queue.wasUsedBefore()).isFalse();
        assertThat(queue.unfinished()).isEmpty();
        assertThat(resume(17).unfinished()).isEmpty();
    }

    @Test
    void shouldForgetOnlyWhatItHasResumed() throws Exception {
        left(5, 0);
        entry(3, 1, 0, 20);
        InflightBuffer buffer = new InflightBuffer(map, 3, ENTRIES);

        buffer.forget();
        assertThat(bytes.getShort(PART + 8)).isOne();
        assertThat(buffer.resume(1, ENTRIES, 5).unfinished()).containsExactly(3);
        buffer.forget();

        assertThat(bytes.getShort(PART + 8)).isZero();
        assertThat(buffer.resume(1, ENTRIES, 5).unfinished()).isEmpty();
    }

    @Test
    @Rule("VHU-25")
    @Rule("SBUG-28")
    void shouldRefuseWhatNoBackEndHasLeft() {
        left(5, 0);
        bytes.putShort(PART + 8, (short) 2);
        assertRefused("version 2", 5);

        left(5, 0);
        bytes.putShort(PART + 10, (short) 5);
        assertRefused("5 entries", 5);

        left(5, 0);
        bytes.putLong(PART, 1);
        assertRefused("features 0x1", 5);
        bytes.putLong(PART, 0);

        left(5, 0);
        entry(2, 2, 0, 0);
        assertRefused("head 2 is marked 2", 5);
    }

    @Test
    @Rule("VHU-28")
    @Rule("SBUG-28")
    void shouldRefuseABatchThatCannotBe() {
        left(5, 4);
        entry(0, 1, 0, 0);
        assertRefused("comes to head 4 after 0", 6);

        left(5, 1);
        entry(0, 1, 0, 0);
        entry(1, 1, 0xFFFF, 0);
        assertRefused("comes to head 65535 after 1", 7);

        left(5, 1);
        entry(0, 1, 1, 0);
        entry(1, 1, 0, 0);
        assertRefused("comes to head 1 after 2", 8);

        left(5, 0);
        entry(0, 1, 1, 0);
        entry(1, 1, 2, 0);
        entry(2, 1, 3, 0);
        entry(3, 1, 0, 0);
        assertRefused("comes to head 0 after 4", 5 + 5);
        assertRefused("the last batch of 65535", 4);
    }

    @Test
    @Rule("VHU-25")
    @Rule("SBUG-28")
    void shouldRefuseARingThatItIsNotFor() {
        InflightBuffer buffer = new InflightBuffer(map, 2, ENTRIES);
        assertThatThrownBy(() -> buffer.resume(2, ENTRIES, 0))
                .isInstanceOf(InflightException.class).hasMessageContaining("none of its 2");
        assertThatThrownBy(() -> buffer.resume(1, 8, 0))
                .isInstanceOf(InflightException.class).hasMessageContaining("a ring of 8 for 4");
        left(5, 0);
        entry(2, 1, 0, 0);
        assertThatThrownBy(() -> buffer.resume(1, 2, 5)).isInstanceOf(InflightException.class)
                .hasMessageContaining("head 2 in flight in a ring of 2");
    }

    /** Whatever a front end has written: a refusal, or distinct heads of the ring. */
    @Test
    @Rule("SBUG-28")
    void shouldMakeSomethingSaneOfAnything() {
        Random random = new Random(SEED);
        int accepted = 0;
        for (int round = 0; round < 200_000; round++) {
            forge(random);
            int used = random.nextInt(8);
            try {
                int[] heads = resume(used).unfinished();
                accepted++;
                assertThat(Arrays.stream(heads).distinct().count()).isEqualTo(heads.length);
                assertThat(Arrays.stream(heads)).allMatch(head -> head >= 0 && head < ENTRIES);
                assertThat(bytes.getShort(PART + 14)).isEqualTo((short) used);
                assertThat(resume(used).unfinished()).as("seed %s", SEED).isEqualTo(heads);
            } catch (InflightException refused) {
                assertThat(refused).hasMessageStartingWith("queue 1: ");
            }
        }
        assertThat(accepted).as("seed %s", SEED).isBetween(1000, 199_000);
    }

    private void forge(Random random) {
        left(random.nextInt(8), random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(5));
        for (int head = 0; head < ENTRIES; head++) {
            entry(head, random.nextInt(30) == 0 ? random.nextInt() : random.nextInt(2),
                    random.nextInt(10) == 0 ? random.nextInt() : random.nextInt(5),
                    random.nextBoolean() ? random.nextInt(3) : random.nextLong());
        }
        if (random.nextInt(4) == 0) {
            bytes.put(PART + random.nextInt(PART), (byte) random.nextInt());
        }
    }

    private InflightQueue resume(int ringUsed) throws InflightException {
        return new InflightBuffer(map, 3, ENTRIES).resume(1, ENTRIES, ringUsed);
    }

    private void assertRefused(String why, int ringUsed) {
        assertThatThrownBy(() -> resume(ringUsed))
                .isInstanceOf(InflightException.class).hasMessageContaining(why);
    }

    /** A header as a back end leaves it. */
    private void left(int usedIndex, int lastBatchHead) {
        bytes.putLong(PART, 0).putShort(PART + 8, (short) 1).putShort(PART + 10, (short) ENTRIES)
                .putShort(PART + 12, (short) lastBatchHead)
                .putShort(PART + 14, (short) usedIndex);
        for (int head = 0; head < ENTRIES; head++) {
            entry(head, 0, 0, 0);
        }
    }

    private void entry(int head, int inFlight, int next, long counter) {
        int at = PART + 16 + 16 * head;
        bytes.put(at, (byte) inFlight).putShort(at + 6, (short) next).putLong(at + 8, counter);
    }

    /** The part of queue 1: its header, then as many heads, "" for zeroes. */
    private void assertPart(String... hex) {
        StringBuilder expected = new StringBuilder();
        for (String each : hex) {
            expected.append(each.isEmpty() ? "0".repeat(32) : each.replace(" ", ""));
        }
        StringBuilder found = new StringBuilder();
        for (int at = PART; at < PART + 16 + 16 * ENTRIES; at++) {
            found.append(String.format("%02x", bytes.get(at)));
        }
        assertThat(found).hasToString(expected.toString());
    }
}
