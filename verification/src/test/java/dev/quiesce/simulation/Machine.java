package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.filter.OverlayConfig;
import dev.quiesce.driver.filter.OverlayDriver;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.testkit.DelayDriver;
import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.YieldingDriver;
import java.util.List;

/**
 * Three contexts, one backend above some of an overlay, a delay, a gate and a window into changes,
 * a host that lets requests out of the gate, and a reader. What exactly, the seed says.
 */
final class Machine {
    static final String BOTTOM = "memory";

    private static final BackendConfig CONFIG =
            BackendConfig.named("disk").withAllowContextChange(true);
    private static final long LENGTH_BYTES = 1 << 16;
    private static final long OVERLAY_BYTES_MAX = 1 << 24;
    private static final long DELAY_NANOS_MAX = 1_000;
    private static final int READS = 6;

    private final Simulation sim;
    private final List<AioContext> contexts;
    private final BlockGraph graph;
    private final GateDriver gate = new GateDriver();
    private final BlockBackend backend;

    Machine(Simulation sim) {
        this.sim = sim;
        this.contexts = List.of(sim.main(), sim.context("A"), sim.context("B"));
        this.graph = new BlockGraph(sim.main());
        sim.tasksPerTurn(sim.random().nextInt(3) == 0 ? Integer.MAX_VALUE : 1);
        BlockBackend[] made = new BlockBackend[1];
        sim.given(sim.main(), () ->
                made[0] = BlockBackend.create(graph, CONFIG, nodes(), contexts.get(1)));
        this.backend = made[0];
        sim.actor("host").servesWhen(
                "finishes a request", () -> gate.heldCount() > 0, () -> gate.release(1));
        sim.actor("reader").repeats(READS, "reads the context", this::read);
        sim.inTheEnd("nothing is in flight", () -> backend.gate().inFlight() == 0);
        sim.inTheEnd("nothing is parked", () -> backend.gate().parkedCount() == 0);
        sim.inTheEnd("all contexts agree", () -> graph.nodes().stream()
                .allMatch(node -> node.context() == backend.context()));
    }

    List<AioContext> contexts() {
        return contexts;
    }

    BlockBackend backend() {
        return backend;
    }

    GateDriver gate() {
        return gate;
    }

    private BlockNode nodes() {
        BlockNode node = graph.add(BOTTOM, new MemoryDriver(LENGTH_BYTES));
        if (sim.random().nextBoolean()) {
            node = graph.add(
                    "overlay", new OverlayDriver(new OverlayConfig(OVERLAY_BYTES_MAX)), node);
        }
        if (sim.random().nextBoolean()) {
            node = graph.add("delay", new DelayDriver(
                    request -> sim.random().nextLong(DELAY_NANOS_MAX)), node);
        }
        if (sim.random().nextBoolean()) {
            gate.shut();
            gate.cancellable(sim.random().nextBoolean());
        }
        node = graph.add("gate", gate, node);
        return graph.add("window", new YieldingDriver(sim::interleave), node);
    }

    private void read() {
        AioContext read = backend.context();
        sim.note("sees " + read.name());
        if (!contexts.contains(read)) {
            sim.fail("a context from nowhere", read.name());
        }
    }
}
