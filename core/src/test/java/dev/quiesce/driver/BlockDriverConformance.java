package dev.quiesce.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.Workers;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.rules.Rule;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every driver promises. A new driver extends this and says how it is made. */
public abstract class BlockDriverConformance {
    private Workers workers;
    private TestNode node;
    private Rig rig;

    /** A fresh node, writable, reading as zeroes, of {@link #lengthBytes}. */
    protected abstract TestNode makeNode() throws Exception;

    /** The length that the node is to have: at least 1 MiB, at most 16 MiB. */
    protected long lengthBytes() {
        return 3 << 20;
    }

    /** Whether what was written can be read. */
    protected boolean keepsData() {
        return true;
    }

    /** Whether the node's end can be moved. */
    protected boolean canTruncate() {
        return true;
    }

    /** Where blocking work is done. */
    protected Workers makeWorkers() {
        return Workers.inline();
    }

    protected final TestNode node() {
        return node;
    }

    protected final Rig rig() {
        return rig;
    }

    @BeforeEach
    void open() throws Exception {
        workers = makeWorkers();
        node = makeNode();
        rig = new Rig(node, workers);
    }

    @AfterEach
    void close() {
        rig.close();
        node.close();
        workers.close();
        assertThat(rig.errors()).isEmpty();
    }

    @Test
    void shouldHaveTheLengthItWasGiven() {
        assertThat(node.lengthBytes()).isEqualTo(lengthBytes());
    }

    @Test
    void shouldReadZeroesWhereNothingWasWritten() {
        assertThat(rig.read(0, 70_144)).containsOnly(0);
        assertThat(rig.read(lengthBytes() - 4096, 4096)).containsOnly(0);
    }

    @Test
    void shouldReadWhatWasWritten() {
        byte[] bytes = bytes(1, 135_168);

        assertThat(rig.write(65_536 - 512, bytes)).isEqualTo(BlockStatus.OK);

        assertThat(rig.read(65_536 - 512, bytes.length)).isEqualTo(expected(bytes));
        assertThat(rig.read(0, 65_536 - 512)).containsOnly(0);
        assertThat(rig.read(65_536 - 512 + bytes.length, 4096)).containsOnly(0);
    }

    @Test
    void shouldServeTheLastBlock() {
        byte[] bytes = bytes(2, 512);

        assertThat(rig.write(lengthBytes() - 512, bytes)).isEqualTo(BlockStatus.OK);

        assertThat(rig.read(lengthBytes() - 512, 512)).isEqualTo(expected(bytes));
    }

    @Test
    void shouldFlush() {
        rig.write(0, bytes(3, 512));

        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
        assertThat(rig.writeFua(512, bytes(4, 512))).isEqualTo(BlockStatus.OK);
        assertThat(rig.flush()).isEqualTo(BlockStatus.OK);
    }

    @Test
    @Rule("REQ-12")
    void shouldTakeNoNoticeOfFlagsThatItDoesNotSupport() {
        byte[] bytes = bytes(6, 1024);

        assertThat(rig.run(Operation.WRITE, 0, bytes.length, Rig.vectorOf(bytes.clone()), -1))
                .isEqualTo(BlockStatus.OK);

        assertThat(rig.read(0, bytes.length)).isEqualTo(expected(bytes));
    }

    @Test
    void shouldMakeZeroes() {
        rig.write(0, bytes(5, 262_144));

        assertThat(rig.run(Operation.WRITE_ZEROES, 1024, 140_000 / 512 * 512))
                .isEqualTo(BlockStatus.OK);

        byte[] model = expected(bytes(5, 262_144));
        Arrays.fill(model, 1024, 1024 + 140_000 / 512 * 512, (byte) 0);
        assertThat(rig.read(0, 262_144)).isEqualTo(model);
    }

    @Test
    void shouldDiscardOrSayThatItCannot() {
        BlockLimits limits = node.limits();
        rig.write(0, bytes(6, 262_144));

        BlockStatus status = rig.run(Operation.DISCARD, 65_536, 65_536);

        assertThat(status)
                .isEqualTo(limits.canDiscard() ? BlockStatus.OK : BlockStatus.NOT_SUPPORTED);
        byte[] model = expected(bytes(6, 262_144));
        if (limits.canDiscard() && limits.discardReadsZero()) {
            Arrays.fill(model, 65_536, 131_072, (byte) 0);
        }
        assertThat(rig.read(0, 262_144)).isEqualTo(model);
    }

    @Test
    @Rule("BB-25")
    void shouldRefuseWhatIsOutside() {
        long length = lengthBytes();

        for (Operation op : List.of(Operation.WRITE_ZEROES, Operation.READ, Operation.WRITE)) {
            assertThat(at(op, length, 512)).as(op.name()).isEqualTo(BlockStatus.INVALID);
            assertThat(at(op, length - 512, 1024)).isEqualTo(BlockStatus.INVALID);
            assertThat(at(op, -512, 512)).isEqualTo(BlockStatus.INVALID);
            assertThat(at(op, Long.MAX_VALUE & -512, 512)).isEqualTo(BlockStatus.INVALID);
        }
        assertThat(rig.run(Operation.WRITE_ZEROES, 512, Long.MAX_VALUE & -512))
                .isEqualTo(BlockStatus.INVALID);
        assertThat(rig.run(Operation.WRITE_ZEROES, 0, -512)).isEqualTo(BlockStatus.INVALID);
        assertThat(rig.read(length - 512, 512)).containsOnly(0);
    }

    @Test
    @Rule("BB-25")
    void shouldDoNothingForARequestOfNoBytes() {
        assertThat(at(Operation.READ, 0, 0)).isEqualTo(BlockStatus.OK);
        assertThat(at(Operation.WRITE, lengthBytes(), 0)).isEqualTo(BlockStatus.OK);
        assertThat(at(Operation.WRITE_ZEROES, lengthBytes(), 0)).isEqualTo(BlockStatus.OK);
    }

    @Test
    void shouldRefuseWhatItsAlignmentForbids() {
        int alignment = node.limits().requestAlignmentBytes();
        BlockStatus expected = alignment > 1 ? BlockStatus.INVALID : BlockStatus.OK;

        assertThat(at(Operation.READ, 1, 512)).isEqualTo(expected);
        assertThat(at(Operation.WRITE, 512, 511)).isEqualTo(expected);
    }

    @Test
    void shouldSayWhatItDoesNotSupport() {
        for (Operation op : List.of(Operation.STATUS, Operation.COPY)) {
            assertThat(rig.run(op, 0, 512)).as(op.name()).isEqualTo(BlockStatus.NOT_SUPPORTED);
        }
    }

    @Test
    @Rule("REQ-44")
    void shouldTruncateOrSayThatItCannot() {
        long half = lengthBytes() / 2;

        BlockStatus status = rig.run(Operation.TRUNCATE, half, 0);

        assertThat(status).isEqualTo(canTruncate() ? BlockStatus.OK : BlockStatus.NOT_SUPPORTED);
        assertThat(node.lengthBytes()).isEqualTo(canTruncate() ? half : lengthBytes());
        assertThat(rig.tryRead(half, 512))
                .isEqualTo(canTruncate() ? BlockStatus.INVALID : BlockStatus.OK);
        assertThat(rig.read(half - 512, 512)).containsOnly(0);
    }

    @Test
    void shouldTouchNoMemoryOutsideOfThePayload() {
        byte[] memory = new byte[4096];
        Arrays.fill(memory, (byte) 0x5A);
        IoVector payload = new IoVector();
        payload.add(ByteBuffer.wrap(memory), 100, 700);
        payload.add(ByteBuffer.wrap(memory), 1000, 324);
        payload.add(ByteBuffer.wrap(memory), 2000, 1000);

        assertThat(rig.run(Operation.READ, 0, 1024, payload, 0)).isEqualTo(BlockStatus.OK);

        for (int i = 0; i < memory.length; i++) {
            boolean inside = (i >= 100 && i < 800) || (i >= 1000 && i < 1324);
            assertThat(memory[i]).as("byte %d", i).isEqualTo((byte) (inside ? 0 : 0x5A));
        }
    }

    @Test
    void shouldAgreeWithAnArrayUnderRandomRequests() {
        long seed = new Random().nextLong();
        new RandomRequests(rig, node.limits(), keepsData(), seed).run((int) lengthBytes(), 200);
    }

    @Test
    void shouldServeManyRequestsAtOnce() {
        List<Recorder> recorders = new ArrayList<>();
        List<IoVector> payloads = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            Recorder recorder = new Recorder();
            recorders.add(recorder);
            payloads.add(Rig.vectorOf(bytes(100 + i, 4096)));
            rig.port().submit(new BlockRequest(recorder)
                    .prepare(Operation.WRITE, i * 8192L, 4096, payloads.get(i), 0));
        }

        rig.port().settle();

        for (int i = 0; i < 64; i++) {
            assertThat(recorders.get(i).only()).isEqualTo(BlockStatus.OK);
            assertThat(rig.read(i * 8192L, 4096)).isEqualTo(expected(bytes(100 + i, 4096)));
        }
    }

    @Test
    void shouldServeSeveralContextsAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<Boolean>> parts = new ArrayList<>();
            for (int part = 0; part < 3; part++) {
                parts.add(threads.submit(inAnotherContext(part)));
            }
            for (Future<Boolean> part : parts) {
                assertThat(part.get()).isTrue();
            }
        } finally {
            threads.shutdown();
        }
    }

    /** Neighbouring blocks, so that contexts meet in clusters and chunks but not in bytes. */
    protected final Callable<Boolean> inAnotherContext(int part) {
        return () -> {
            try (Rig other = new Rig(node, workers)) {
                for (int round = 0; round < 100; round++) {
                    long offset = (round * 3L + part) * 512;
                    byte[] bytes = bytes(1000 * part + round, 512);
                    other.write(offset, bytes);
                    if (!Arrays.equals(other.read(offset, 512), expected(bytes))) {
                        return false;
                    }
                }
                return true;
            }
        };
    }

    @Test
    void shouldAllocateNothingInTheSteadyState() {
        BlockRequest request = new BlockRequest((r, status) -> { });
        ByteBuffer memory = ByteBuffer.allocateDirect(16384);
        IoVector payload = new IoVector();
        payload.add(memory, 0, 8192);
        payload.add(memory, 8192, 8192);

        Allocation.assertNone(() -> {
            rig.port().run(request.prepare(Operation.WRITE, 4096, 16384, payload, 0));
            rig.port().run(request.prepare(Operation.READ, 0, 16384, payload, 0));
            rig.port().run(request.prepare(Operation.WRITE_ZEROES, 8192, 4096, null, 0));
        });
    }

    protected final byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    protected final byte[] expected(byte[] written) {
        return keepsData() ? written : new byte[written.length];
    }

    private BlockStatus at(Operation op, long offset, int length) {
        return rig.run(op, offset, length, Rig.vectorOf(new byte[length]), 0);
    }
}
