package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.filter.OverlayConfig;
import dev.quiesce.driver.filter.OverlayDriver;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.DelayDriver;
import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.YieldingDriver;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

class BackendSimulationTest {
    private static final BackendConfig CONFIG =
            BackendConfig.named("disk").withAllowContextChange(true);
    private static final int GUEST_MOVES = 8;
    private static final int CONTROL_MOVES = 6;
    private static final long LENGTH_BYTES = 64L * BlockGuest.BLOCK_BYTES;
    private static final long DELAY_NANOS_MAX = 1_000;
    private static final long OVERLAY_BYTES_MAX = 1 << 24;

    @Test
    @Rule("DRAIN-1")
    @Rule("DRAIN-45")
    @Rule("CTX-1")
    @Rule("CTX-16")
    @Rule("BB-45")
    void shouldKeepItsPromisesUnderRandomSchedules(TestReporter reporter) {
        int distinct = SeededRuns.run(BackendSimulationTest::machine);

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        assertThat(distinct).isPositive();
    }

    private static void machine(Simulation sim) {
        AioContext a = sim.context("A");
        AioContext b = sim.context("B");
        List<AioContext> contexts = List.of(sim.main(), a, b);
        sim.tasksPerTurn(sim.random().nextInt(3) == 0 ? Integer.MAX_VALUE : 1);
        GateDriver gate = new GateDriver();
        BlockGraph graph = new BlockGraph(sim.main());
        BlockBackend backend = backend(sim, graph, gate, a);
        List<BlockGuest> guests = IntStream.range(0, contexts.size())
                .mapToObj(i -> new BlockGuest(
                        sim, backend, contexts.get(i), i * BlockGuest.SLOTS))
                .toList();
        Control control = new Control(sim, backend, contexts,
                () -> guests.stream().allMatch(BlockGuest::isQuiet));
        for (int i = 0; i < contexts.size(); i++) {
            sim.actor("guest " + contexts.get(i).name(), contexts.get(i))
                    .repeats(GUEST_MOVES, "moves", guests.get(i)::move);
        }
        sim.actor("control", sim.main())
                .repeats(CONTROL_MOVES, "moves", control::move)
                .does("ends", control::end);
        sim.actor("host").servesWhen(
                "finishes a request", () -> gate.heldCount() > 0, () -> gate.release(1));
        sim.actor("reader").repeats(CONTROL_MOVES, "reads the context", () ->
                assertThat(backend.context()).isIn(contexts));
        sim.always("nothing is past the gate in a settled section", control::promiseHolds);
        sim.inTheEnd("control is over", control::isOver);
        sim.inTheEnd("every request has come back",
                () -> guests.stream().allMatch(BlockGuest::isAnswered));
        sim.inTheEnd("nothing is in flight", () -> backend.gate().inFlight() == 0);
        sim.inTheEnd("nothing is parked", () -> backend.gate().parkedCount() == 0);
        sim.inTheEnd("all contexts agree", () -> graph.nodes().stream()
                .allMatch(node -> node.context() == backend.context()));
    }

    private static BlockBackend backend(
            Simulation sim, BlockGraph graph, GateDriver gate, AioContext context) {
        BlockBackend[] made = new BlockBackend[1];
        sim.given(sim.main(), () -> {
            BlockNode node = graph.add("memory", new MemoryDriver(LENGTH_BYTES));
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
            }
            node = graph.add("gate", gate, node);
            node = graph.add("window", new YieldingDriver(sim::interleave), node);
            made[0] = BlockBackend.create(graph, CONFIG, node, context);
        });
        return made[0];
    }
}
