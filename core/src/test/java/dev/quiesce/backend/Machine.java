package dev.quiesce.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** A machine on one thread: a main context and two more, all of them polled by hand. */
public final class Machine implements AutoCloseable {
    public static final int SECTOR = 512;
    private static final int TURNS_MAX = 10_000;

    public final List<String> errors = new ArrayList<>();

    /** Whether the error handler throws after it has taken a report, as it must not. */
    public boolean handlerThrows;

    /** How far the machine's clock is ahead of the host's. */
    public long aheadNanos;

    public final LoopSeams seams;
    public final AioContext main;
    public final AioContext a;
    public final AioContext b;
    public final BlockGraph graph;
    private final List<Lease> leases = new ArrayList<>();

    public Machine() {
        Clock clock = () -> Clock.system().nanoTime() + aheadNanos;
        seams = LoopSeams.system().withClock(clock).withErrors((context, site, cause) -> {
            errors.add(context.name() + ": " + site + ": " + cause);
            if (handlerThrows) {
                throw new IllegalStateException("the error handler fails");
            }
        });
        main = new AioContext("main", seams);
        a = new AioContext("a", seams);
        b = new AioContext("b", seams);
        leases.add(main.acquire());
        leases.add(a.acquire());
        leases.add(b.acquire());
        graph = new BlockGraph(main);
    }

    /**
     * Polls everybody until nobody has anything to do. A turn that ran nothing may still have found
     * a waiter's condition true, so one quiet round does not count.
     */
    public void settle() {
        int quiet = 0;
        for (int turn = 0; turn < TURNS_MAX; turn++) {
            boolean progress = main.poll(0);
            progress |= a.poll(0);
            progress |= b.poll(0);
            quiet = progress ? 0 : quiet + 1;
            if (quiet == 2) {
                return;
            }
        }
        throw new AssertionError("the machine does not come to rest");
    }

    /** Polls everybody, then expects an asynchronous operation to be done. */
    public <T> T finish(CompletionStage<T> stage) {
        settle();
        assertThat(stage.toCompletableFuture()).isDone();
        return stage.toCompletableFuture().join();
    }

    public BlockNode node(String name, BlockDriver driver, BlockNode... children) {
        return graph.add(name, driver, children);
    }

    public BlockBackend backend(String name, BlockNode root, AioContext context) {
        return BlockBackend.create(graph, BackendConfig.named(name), root, context);
    }

    public BlockBackend movableBackend(String name, BlockNode root, AioContext context) {
        BackendConfig config = BackendConfig.named(name).withAllowContextChange(true);
        return BlockBackend.create(graph, config, root, context);
    }

    public static BlockRequest read(Recorder recorder) {
        return read(recorder, 0);
    }

    public static BlockRequest read(Recorder recorder, long offset) {
        return new BlockRequest(recorder).prepare(Operation.READ, offset, SECTOR, bytes(SECTOR), 0);
    }

    public static BlockRequest write(Recorder recorder, long offset) {
        return new BlockRequest(recorder)
                .prepare(Operation.WRITE, offset, SECTOR, bytes(SECTOR), 0);
    }

    public static BlockRequest flush(Recorder recorder) {
        return new BlockRequest(recorder).prepare(Operation.FLUSH, 0, 0, null, 0);
    }

    public static IoVector bytes(int length) {
        IoVector vector = new IoVector();
        vector.add(ByteBuffer.allocate(length), 0, length);
        return vector;
    }

    @Override
    public void close() {
        settle();
        leases.forEach(Lease::close);
    }
}
