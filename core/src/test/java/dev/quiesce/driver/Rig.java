package dev.quiesce.driver;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A context owned by the test's thread, a port into one node, and the plain ways to use it. */
public final class Rig implements AutoCloseable {
    private final List<String> errors = new ArrayList<>();
    private final AioContext context;
    private final Lease lease;
    private final TestPort port;
    private final Recorder recorder = new Recorder();
    private final BlockRequest request = new BlockRequest(recorder);

    public Rig(@Nullable Child root, Workers workers) {
        context = new AioContext("test", LoopSeams.system().withWorkers(workers)
                .withErrors((where, site, cause) -> errors.add(site + ": " + cause)));
        lease = context.acquire();
        port = new TestPort(context, root);
    }

    public Rig(@Nullable Child root) {
        this(root, Workers.inline());
    }

    public AioContext context() {
        return context;
    }

    public TestPort port() {
        return port;
    }

    /** What the loop reported: tasks that threw. */
    public List<String> errors() {
        return errors;
    }

    /** The cause of the last request that failed here. */
    public @Nullable Throwable cause() {
        return request.cause();
    }

    public BlockStatus run(Operation operation, long offset, long length) {
        return run(operation, offset, length, null, 0);
    }

    public BlockStatus run(
            Operation operation, long offset, long length, @Nullable IoVector payload, int flags) {
        port.run(request.prepare(operation, offset, length, payload, flags));
        return recorder.only();
    }

    public BlockStatus write(long offset, byte[] bytes) {
        return run(Operation.WRITE, offset, bytes.length, vectorOf(bytes.clone()), 0);
    }

    public BlockStatus writeFua(long offset, byte[] bytes) {
        return run(Operation.WRITE, offset, bytes.length, vectorOf(bytes.clone()),
                BlockRequest.FUA);
    }

    public BlockStatus flush() {
        return run(Operation.FLUSH, 0, 0);
    }

    /** Reads into memory full of ones, so that a byte that was not filled shows. */
    public byte[] read(long offset, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) 0xFF);
        BlockStatus status = run(Operation.READ, offset, length, vectorOf(bytes), 0);
        if (!status.isOk()) {
            throw new AssertionError("read of " + length + " at " + offset + ": " + status
                    + ", " + cause());
        }
        return bytes;
    }

    public BlockStatus tryRead(long offset, int length) {
        return run(Operation.READ, offset, length, vectorOf(new byte[length]), 0);
    }

    public static IoVector vectorOf(byte[] bytes) {
        IoVector vector = new IoVector();
        vector.add(ByteBuffer.wrap(bytes), 0, bytes.length);
        return vector;
    }

    @Override
    public void close() {
        while (!context.isIdle()) {
            context.poll(0);
        }
        context.close();
        lease.close();
    }
}
