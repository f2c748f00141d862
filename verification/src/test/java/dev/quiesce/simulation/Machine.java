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
import java.util.Objects;

/**
 * Three contexts, one backend above some of an overlay, a delay, a gate and a window into changes,
 * a host that lets requests out of the gate, and a reader. What exactly, the seed says. Several of
 * them can share the contexts and the graph.
 */
final class Machine {
    private static final String BOTTOM = "memory";
    private static final long LENGTH_BYTES = 1 << 16;
    private static final long OVERLAY_BYTES_MAX = 1 << 24;
    private static final long DELAY_NANOS_MAX = 1_000;
    private static final int READS = 6;

    private final Simulation sim;
    private final List<AioContext> contexts;
    private final BlockGraph graph;
    private final GateDriver gate = new GateDriver();
    private final BlockBackend backend;
    private final String name;

    /** A machine of its own. */
    Machine(Simulation sim) {
        this(sim, contexts(sim), new BlockGraph(sim.main()), "");
    }

    /** One of several; the name tells their nodes and actors apart. */
    Machine(Simulation sim, List<AioContext> contexts, BlockGraph graph, String name) {
        this.sim = sim;
        this.contexts = contexts;
        this.graph = graph;
        this.name = name;
        BlockBackend[] made = new BlockBackend[1];
        BackendConfig config = BackendConfig.named(named("disk")).withAllowContextChange(true);
        sim.given(sim.main(), () ->
                made[0] = BlockBackend.create(graph, config, nodes(), contexts.get(1)));
        this.backend = made[0];
        sim.actor(named("host")).servesWhen(
                "finishes a request", () -> gate.heldCount() > 0, () -> gate.release(1));
        sim.actor(named("reader")).repeats(READS, "reads the context", this::read);
        sim.inTheEnd("nothing is in flight", () -> backend.gate().inFlight() == 0);
        sim.inTheEnd("nothing is parked", () -> backend.gate().parkedCount() == 0);
        sim.inTheEnd("all contexts agree", () -> graph.nodes().stream()
                .filter(node -> node.name().endsWith(name))
                .allMatch(node -> node.context() == backend.context()));
    }

    /** Three contexts, and how many tasks a turn of them runs. */
    static List<AioContext> contexts(Simulation sim) {
        sim.tasksPerTurn(sim.random().nextInt(3) == 0 ? Integer.MAX_VALUE : 1);
        return List.of(sim.main(), sim.context("A"), sim.context("B"));
    }

    /** {@return a name that no other machine of the graph uses} */
    String named(String what) {
        return what + name;
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

    /** {@return the node that all others are above} */
    BlockNode bottom() {
        return Objects.requireNonNull(graph.find(named(BOTTOM)));
    }

    private BlockNode nodes() {
        BlockNode node = graph.add(named(BOTTOM), new MemoryDriver(LENGTH_BYTES));
        if (sim.random().nextBoolean()) {
            node = graph.add(named("overlay"),
                    new OverlayDriver(new OverlayConfig(OVERLAY_BYTES_MAX)), node);
        }
        if (sim.random().nextBoolean()) {
            node = graph.add(named("delay"), new DelayDriver(
                    request -> sim.random().nextLong(DELAY_NANOS_MAX)), node);
        }
        if (sim.random().nextBoolean()) {
            gate.shut();
            gate.cancellable(sim.random().nextBoolean());
        }
        node = graph.add(named("gate"), gate, node);
        return graph.add(named("window"), new YieldingDriver(sim::interleave), node);
    }

    private void read() {
        AioContext read = backend.context();
        sim.note("sees " + read.name());
        if (!contexts.contains(read)) {
            sim.fail("a context from nowhere", read.name());
        }
    }
}
