package dev.quiesce.benchmarks.path;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.backend.Port;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.graph.BlockGraph;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Reads of 4 KiB in a machine of one context, whose home is the measuring thread. */
final class Requests implements AutoCloseable {
    private static final int BYTES = 4096;

    private final AioContext main;
    private final Lease lease;
    private final BlockGraph graph;
    private final BlockBackend backend;
    private final Port port;
    private final BlockRequest[] requests;
    private int pending;

    Requests(LoopSeams seams, BlockDriver driver, int depth) {
        main = new AioContext("main", seams);
        lease = main.acquire();
        graph = new BlockGraph(main);
        backend = BlockBackend.create(
                graph, BackendConfig.named("disk"), graph.add("node", driver), main);
        port = backend.port(main);
        requests = new BlockRequest[depth];
        Arrays.setAll(requests, i -> prepared(i));
    }

    /** Sends all requests, and returns when the last has come back. */
    void readAll(long maxWaitNanos) {
        pending = requests.length;
        for (BlockRequest request : requests) {
            port.submit(request);
        }
        while (pending > 0) {
            main.poll(maxWaitNanos);
        }
    }

    @Override
    public void close() {
        backend.close();
        graph.close();
        main.close();
        lease.close();
    }

    private BlockRequest prepared(int index) {
        BlockRequest request = new BlockRequest(this::arrived);
        IoVector payload = new IoVector();
        payload.add(ByteBuffer.allocateDirect(BYTES), 0, BYTES);
        request.prepare(Operation.READ, (long) index * BYTES, BYTES, payload, 0);
        return request;
    }

    private void arrived(BlockRequest request, BlockStatus status) {
        if (!status.isOk()) {
            throw new IllegalStateException(request + ": " + status);
        }
        pending--;
        request.prepare(
                Operation.READ, request.offsetBytes(), BYTES, request.payload(), 0);
    }
}
