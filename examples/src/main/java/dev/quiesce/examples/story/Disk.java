package dev.quiesce.examples.story;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.block.IoVector;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.HostAdapter;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.RequestVisitor;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.YieldingDriver;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A disk in context A, and a second context B to move it to. Real loops, graph, backend and unit; a
 * filter lets others look at the graph in the middle of a move.
 */
final class Disk {
    private static final long LENGTH_BYTES = 1 << 20;
    private static final int BLOCK_BYTES = 512;
    private static final byte[] TEST_UNIT_READY = new byte[6];

    private final Simulation sim;
    private final AioContext a;
    private final AioContext b;
    private final BlockBackend backend;
    private final Unit unit;
    private AioContext expected;
    private boolean moving;
    private int answers;
    private int reads;

    Disk(Simulation sim) {
        this.sim = sim;
        this.a = sim.context("A");
        this.b = sim.context("B");
        BlockBackend[] made = new BlockBackend[1];
        sim.given(sim.main(), () -> made[0] = makeBackend());
        this.backend = made[0];
        this.moving = false;
        this.expected = a;
        this.unit = new Unit(backend);
    }

    private BlockBackend makeBackend() {
        BlockGraph graph = new BlockGraph(sim.main());
        BlockNode bottom = graph.add("storage", new NullDriver(LENGTH_BYTES));
        BlockNode top = graph.add("filter", new YieldingDriver(this::hook), bottom);
        return BlockBackend.create(graph, BackendConfig.named("disk"), top, a);
    }

    BlockBackend backend() {
        return backend;
    }

    Unit unit() {
        return unit;
    }

    AioContext b() {
        return b;
    }

    /** Control: moves the disk to B. */
    void move() {
        backend.setContext(b);
        moving = false;
    }

    /** Before the story begins: a command that waits for no I/O arrives in A, and stays listed. */
    void list(long tag) {
        sim.given(a, () -> {
            ScsiRequest request = new ScsiRequest(new Guest());
            unit.execute(request.prepare(a, tag, TEST_UNIT_READY, TEST_UNIT_READY.length));
        });
    }

    /** In B: reads a block of the disk. */
    void read() {
        IoVector into = new IoVector();
        into.add(ByteBuffer.allocate(BLOCK_BYTES), 0, BLOCK_BYTES);
        BlockRequest request = new BlockRequest((done, status) -> reads++);
        request.prepare(Operation.READ, 0, BLOCK_BYTES, into, 0);
        backend.port(b).submit(request);
    }

    /** {@return how many reads have completed} */
    int reads() {
        return reads;
    }

    /** Control: from now on the disk must stay where it is, until the walk is over. */
    void walkBegins() {
        expected = backend.context();
    }

    /** What a visitor must be able to rely on: that it is where the request is, and stays there. */
    void check(ScsiRequest request) {
        AioContext here = sim.current();
        if (request.home() != here) {
            sim.fail("a request touched outside its own context", "tag " + request.tag()
                    + " of " + request.home().name() + " touched by " + sim.currentName());
        }
        if (moving || backend.context() != expected) {
            sim.fail("a double-check that went stale", "in " + sim.currentName()
                    + ", while the disk " + (moving ? "moves" : "is in "
                    + backend.context().name()));
        }
    }

    /** A visitor that cancels. */
    void cancel(ScsiRequest request) {
        check(request);
        request.cancel(CancelCause.REMOVED, null);
    }

    /** Control: what a purge promises has come true, or the story ends here. */
    void checkPurged() {
        int left = unit.listedRequests();
        if (left > 0) {
            sim.fail("purge returned too early",
                    left + " command still listed, its walk not begun");
        }
    }

    /** {@return how many commands were answered} */
    int answers() {
        return answers;
    }

    private void hook(String where) {
        moving |= where.contains("detach");
        sim.interleave(where);
    }

    private final class Guest implements HostAdapter {
        @Override
        public void complete(ScsiRequest request) {
            answers++;
        }

        @Override
        public void cancelled(ScsiRequest request) {
            answers++;
        }
    }

    /** A unit whose commands wait for something other than I/O, until they are cancelled. */
    static final class Unit extends LogicalUnit {
        private final List<ScsiRequest> requests = new ArrayList<>();

        Unit(BlockBackend backend) {
            super(backend.name(), backend.gate(), backend);
        }

        /** What the old walks go through, from wherever they are. */
        void forEachListed(RequestVisitor visitor) {
            for (ScsiRequest request : List.copyOf(requests)) {
                if (request.isListed()) {
                    visitor.visit(request);
                }
            }
        }

        @Override
        public int blockSizeBytes() {
            return BLOCK_BYTES;
        }

        @Override
        protected void executeCommand(ScsiRequest request) {
            requests.add(request);
        }

        @Override
        protected void cancelCommand(ScsiRequest request) {
            throw new AssertionError("no command of this unit is at work: " + request);
        }
    }
}
