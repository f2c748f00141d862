package dev.quiesce.driver.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.RandomRequests;
import dev.quiesce.driver.Recorder;
import dev.quiesce.driver.Rig;
import dev.quiesce.driver.ScriptedDriver;
import dev.quiesce.driver.TestNode;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.rules.Rule;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class OverlayDriverTest {
    private static final int SECTOR = 512;
    private static final int CLUSTER = 65_536;
    private static final OverlayConfig AMPLE = new OverlayConfig(1 << 30);

    /** A base that answers with a pattern and remembers what it was asked for. */
    private final List<String> asked = new ArrayList<>();
    private final ScriptedDriver base = new ScriptedDriver().onSubmit((r, node) -> {
        asked.add(r.operation() + " " + r.offsetBytes() + "+" + r.lengthBytes());
        r.payload().copyFrom(0, pattern(r.offsetBytes(), (int) r.lengthBytes()), 0,
                (int) r.lengthBytes());
        r.complete(BlockStatus.OK, null);
    });

    private static byte[] pattern(long offset, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ((offset + i) / SECTOR + 1);
        }
        return bytes;
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static Rig over(OverlayConfig config, ScriptedDriver below) {
        return new Rig(TestNode.of(new OverlayDriver(config), TestNode.of(below)));
    }

    @Test
    @Rule("REQ-44")
    void shouldNeverShowAgainWhatWasCutOffTheBase() {
        MemoryDriver memory = new MemoryDriver(4 * CLUSTER);
        TestNode below = TestNode.of(memory);
        TestNode overlay = TestNode.of(new OverlayDriver(AMPLE), below);
        try (Rig whole = new Rig(below); Rig rig = new Rig(overlay)) {
            whole.write(0, filled(4 * CLUSTER, 9));

            rig.run(Operation.TRUNCATE, CLUSTER + SECTOR, 0);
            rig.run(Operation.TRUNCATE, 3 * CLUSTER, 0);

            assertThat(rig.read(CLUSTER, SECTOR)).containsOnly(9);
            assertThat(rig.read(CLUSTER + SECTOR, CLUSTER)).containsOnly(0);
            assertThat(whole.read(0, 4 * CLUSTER)).containsOnly(9);
            assertThat(memory.lengthBytes()).isEqualTo(4 * CLUSTER);
        }
    }

    @Test
    @Rule("REQ-44")
    void shouldGiveBackTheSpaceOfWhatIsCutOff() {
        OverlayDriver driver = new OverlayDriver(AMPLE);
        TestNode overlay = TestNode.of(driver, TestNode.of(new MemoryDriver(4 * CLUSTER)));
        try (Rig rig = new Rig(overlay)) {
            rig.write(0, filled(4 * CLUSTER, 3));

            rig.run(Operation.TRUNCATE, CLUSTER, 0);

            assertThat(driver.usedBytes()).isLessThan(2 * CLUSTER);
            assertThat(rig.read(0, CLUSTER)).containsOnly(3);
        }
    }

    @Test
    @Rule("REQ-47")
    void shouldFollowItsBaseUntilItHasALengthOfItsOwn() {
        TestNode below = TestNode.of(new MemoryDriver(CLUSTER));
        TestNode overlay = TestNode.of(new OverlayDriver(AMPLE), below);
        try (Rig whole = new Rig(below); Rig rig = new Rig(overlay)) {
            whole.run(Operation.TRUNCATE, 2 * CLUSTER, 0);
            assertThat(overlay.lengthBytes()).isEqualTo(2 * CLUSTER);

            rig.run(Operation.TRUNCATE, 3 * CLUSTER, 0);
            whole.run(Operation.TRUNCATE, 4 * CLUSTER, 0);
            whole.write(2 * CLUSTER, filled(CLUSTER, 5));

            assertThat(overlay.lengthBytes()).isEqualTo(3 * CLUSTER);
            assertThat(rig.read(2 * CLUSTER, CLUSTER)).containsOnly(0);
        }
    }

    @Test
    void shouldAgreeWithAnArrayOverARandomBase() {
        for (int round = 0; round < 4; round++) {
            long seed = new Random().nextLong();
            byte[] content = new byte[(1 << 20) + 1024 * round];
            new Random(seed).nextBytes(content);
            MemoryDriver memory = new MemoryDriver(content.length);
            TestNode below = TestNode.of(memory);
            OverlayDriver overlay = new OverlayDriver(AMPLE);

            try (Rig whole = new Rig(below); Rig rig = new Rig(TestNode.of(overlay, below))) {
                whole.write(0, content);
                new RandomRequests(rig, overlay.limits(), true, seed).run(content.clone(), 200);

                assertThat(whole.read(0, content.length)).as("base, seed %d", seed)
                        .isEqualTo(content);
            }
        }
    }

    @Test
    void shouldAskTheBaseForNothingButReads() {
        try (Rig rig = over(AMPLE, base)) {
            rig.write(SECTOR, filled(SECTOR, 9));
            rig.run(Operation.WRITE_ZEROES, 4 * SECTOR, SECTOR);
            rig.run(Operation.DISCARD, 6 * SECTOR, SECTOR);
            assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
            assertThat(asked).isEmpty();

            rig.read(0, 8 * SECTOR);

            assertThat(asked).containsExactly(
                    "READ 0+512", "READ 1024+1024", "READ 2560+512", "READ 3584+512");
        }
    }

    @Test
    void shouldMixMemoryAndBaseInOneRead() {
        try (Rig rig = over(AMPLE, base)) {
            rig.write(CLUSTER - SECTOR, filled(2 * SECTOR, 0xEE));
            rig.run(Operation.DISCARD, CLUSTER + 2 * SECTOR, SECTOR);

            byte[] seen = rig.read(CLUSTER - 3 * SECTOR, 8 * SECTOR);

            byte[] model = pattern(CLUSTER - 3 * SECTOR, 8 * SECTOR);
            Arrays.fill(model, 2 * SECTOR, 4 * SECTOR, (byte) 0xEE);
            Arrays.fill(model, 5 * SECTOR, 6 * SECTOR, (byte) 0);
            assertThat(seen).isEqualTo(model);
        }
    }

    @Test
    void shouldReadAnUntouchedRangeWithOneRequestAcrossClusters() {
        try (Rig rig = over(AMPLE, base)) {
            rig.read(SECTOR, 5 * CLUSTER);

            assertThat(asked).containsExactly("READ 512+327680");
        }
    }

    @Test
    @Rule("REQ-29")
    void shouldKeepToTheTransfersItsBaseAllows() {
        base.withLimits(BlockLimits.unlimited().withBounds(1000, 1, 1));
        try (Rig rig = over(AMPLE, base)) {
            assertThat(rig.read(0, 1536)).isEqualTo(pattern(0, 1536));

            assertThat(asked).containsExactly("READ 0+512", "READ 512+512", "READ 1024+512");
        }
    }

    @Test
    void shouldKeepToTheAlignmentOfItsBase() {
        base.withLimits(BlockLimits.unlimited().withAlignment(4096, 64));
        try (Rig rig = over(AMPLE, base)) {
            assertThat(rig.tryRead(512, 4096)).isEqualTo(BlockStatus.INVALID);
            assertThat(rig.read(4096, 4096)).isEqualTo(pattern(4096, 4096));
        }
    }

    @Test
    void shouldKeepToTheAlignmentOfItsBaseAlsoWhenThatChanges() {
        OverlayDriver overlay = new OverlayDriver(AMPLE);
        try (Rig rig = new Rig(TestNode.of(overlay, TestNode.of(base)))) {
            assertThat(overlay.limits().requestAlignmentBytes()).isEqualTo(SECTOR);

            base.withLimits(BlockLimits.unlimited().withAlignment(4096, 64));

            assertThat(overlay.limits().requestAlignmentBytes()).isEqualTo(4096);
            assertThat(overlay.limits().memoryAlignmentBytes()).isEqualTo(64);
            assertThat(overlay.limits()).isSameAs(overlay.limits());
            assertThat(rig.tryRead(512, 4096)).isEqualTo(BlockStatus.INVALID);
        }
    }

    @Test
    void shouldRefuseMoreZeroesThanItPromises() {
        try (Rig rig = over(AMPLE, base)) {
            long most = new OverlayDriver(AMPLE).limits().maxWriteZeroesBytes();

            for (Operation op : List.of(Operation.WRITE_ZEROES, Operation.DISCARD)) {
                assertThat(rig.run(op, 0, most)).isEqualTo(BlockStatus.OK);
                assertThat(rig.run(op, 0, most + SECTOR)).isEqualTo(BlockStatus.INVALID);
            }
        }
    }

    @Test
    void shouldBeWritableOverAReadOnlyBase() {
        base.withLimits(BlockLimits.unlimited().withReadOnly(true));
        OverlayDriver overlay = new OverlayDriver(AMPLE);
        TestNode.of(overlay, TestNode.of(base));

        assertThat(overlay.limits().readOnly()).isFalse();
    }

    @Test
    void shouldRoundItsLengthUpAndReadTheTailAsZeroes() {
        TestNode below = TestNode.of(new MemoryDriver(1300));
        TestNode node = TestNode.of(new OverlayDriver(AMPLE), below);
        assertThat(node.lengthBytes()).isEqualTo(1536);
        try (Rig whole = new Rig(below); Rig rig = new Rig(node)) {
            whole.write(0, filled(1300, 7));

            byte[] model = filled(1536, 7);
            Arrays.fill(model, 1300, 1536, (byte) 0);
            assertThat(rig.read(0, 1536)).isEqualTo(model);

            rig.write(1024, filled(512, 8));
            assertThat(rig.read(1024, 512)).containsOnly(8);
            assertThat(whole.read(1024, 276)).containsOnly(7);
        }
    }

    @Test
    void shouldFailTheReadWhenItsBaseFails() {
        IOException cause = new IOException("bad sector");
        base.onSubmit((r, node) -> r.complete(
                r.offsetBytes() == 0 ? BlockStatus.OK : BlockStatus.IO_ERROR, cause));
        try (Rig rig = over(AMPLE, base)) {
            rig.write(SECTOR, filled(SECTOR, 1));

            assertThat(rig.tryRead(0, 3 * SECTOR)).isEqualTo(BlockStatus.IO_ERROR);

            assertThat(rig.cause()).isSameAs(cause);
            assertThat(rig.tryRead(SECTOR, SECTOR)).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    @Rule("BB-41")
    void shouldStopAtTheNextStepWhenCancelled() {
        ScriptedDriver slow = new ScriptedDriver();
        try (Rig rig = over(AMPLE, slow)) {
            rig.write(SECTOR, filled(SECTOR, 1));
            Recorder recorder = new Recorder();
            BlockRequest request = new BlockRequest(recorder);
            rig.port().submit(request.prepare(Operation.READ, 0, 3 * SECTOR,
                    Rig.vectorOf(new byte[3 * SECTOR]), 0));
            BlockRequest child = slow.held().get(0);

            request.cancel();
            child.complete(BlockStatus.OK, null);
            rig.port().settle();

            assertThat(slow.cancelled()).containsExactly(child);
            assertThat(slow.held()).hasSize(1);
            assertThat(recorder.only()).isEqualTo(BlockStatus.CANCELLED);
        }
    }

    @Test
    void shouldNotRecurseHoweverManyRunsAReadHas() {
        int runs = 16_384;
        byte[] memory = new byte[1 << 20];
        IoVector payload = new IoVector();
        for (int i = 0; i < 16; i++) {
            payload.add(ByteBuffer.wrap(memory), 0, memory.length);
        }
        try (Rig rig = over(AMPLE, base)) {
            for (int i = 0; i < runs; i++) {
                rig.run(Operation.WRITE_ZEROES, i * 2L * SECTOR, SECTOR);
            }

            assertThat(rig.run(Operation.READ, 0, runs * 2L * SECTOR, payload, 0))
                    .isEqualTo(BlockStatus.OK);

            assertThat(asked).hasSize(runs);
        }
    }

    @Test
    void shouldRefuseWritesBeyondItsMemory() {
        OverlayDriver overlay = new OverlayDriver(new OverlayConfig(2 * CLUSTER + 1000));
        TestNode node = TestNode.of(overlay, TestNode.of(base));
        try (Rig rig = new Rig(node)) {
            assertThat(rig.write(0, filled(SECTOR, 1))).isEqualTo(BlockStatus.OK);
            assertThat(rig.write(CLUSTER, filled(SECTOR, 2))).isEqualTo(BlockStatus.OK);

            assertThat(rig.write(2L * CLUSTER, filled(SECTOR, 3))).isEqualTo(BlockStatus.NO_SPACE);

            assertThat(rig.read(0, SECTOR)).containsOnly(1);
            assertThat(rig.read(2L * CLUSTER, SECTOR)).isEqualTo(pattern(2L * CLUSTER, SECTOR));
            assertThat(rig.write(SECTOR, filled(SECTOR, 4))).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void shouldGetMemoryBackFromWhatIsZeroedWhole() {
        OverlayDriver overlay = new OverlayDriver(new OverlayConfig(CLUSTER + 1000));
        TestNode node = TestNode.of(overlay, TestNode.of(base));
        try (Rig rig = new Rig(node)) {
            rig.write(0, filled(2 * SECTOR, 1));
            assertThat(rig.write(CLUSTER, filled(SECTOR, 2))).isEqualTo(BlockStatus.NO_SPACE);

            rig.run(Operation.DISCARD, 0, SECTOR);
            assertThat(rig.write(CLUSTER, filled(SECTOR, 2))).isEqualTo(BlockStatus.NO_SPACE);
            rig.run(Operation.WRITE_ZEROES, SECTOR, SECTOR);

            assertThat(rig.write(CLUSTER, filled(SECTOR, 2))).isEqualTo(BlockStatus.OK);
            assertThat(rig.read(0, 2 * SECTOR)).containsOnly(0);
        }
    }

    @Test
    void shouldCountWhatItRemembersOfZeroes() {
        OverlayDriver overlay = new OverlayDriver(new OverlayConfig(1000));
        TestNode node = TestNode.of(overlay, TestNode.of(base));
        try (Rig rig = new Rig(node)) {
            assertThat(rig.run(Operation.DISCARD, 0, 6L * CLUSTER)).isEqualTo(BlockStatus.OK);

            assertThat(rig.run(Operation.DISCARD, 6L * CLUSTER, CLUSTER))
                    .isEqualTo(BlockStatus.NO_SPACE);
            assertThat(overlay.usedBytes()).isBetween(6L, 1000L);
        }
    }

    @Test
    void shouldFailOnlyTheRequestWhosePayloadCannotBeRead() {
        try (Rig rig = over(AMPLE, base)) {
            IoVector readOnly = new IoVector();
            readOnly.add(ByteBuffer.allocate(SECTOR).asReadOnlyBuffer(), 0, SECTOR);

            assertThat(rig.run(Operation.WRITE, 0, SECTOR, readOnly, 0)).isEqualTo(BlockStatus.OK);
            assertThat(rig.run(Operation.READ, 0, SECTOR, readOnly, 0))
                    .isEqualTo(BlockStatus.IO_ERROR);

            assertThat(rig.read(0, SECTOR)).containsOnly(0);
        }
    }

    @Test
    void shouldForgetEverythingWhenClosed() {
        OverlayDriver overlay = new OverlayDriver(AMPLE);
        TestNode node = TestNode.of(overlay, TestNode.of(base));
        try (Rig rig = new Rig(node)) {
            rig.write(0, filled(SECTOR, 1));

            overlay.close();

            assertThat(overlay.usedBytes()).isZero();
        }
    }

    @Test
    void shouldRefuseANegativeBound() {
        assertThatThrownBy(() -> new OverlayConfig(-5)).hasMessageContaining("-5");
    }
}
