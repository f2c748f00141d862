package dev.quiesce.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DriversTest {
    private static final long LENGTH_BYTES = 1 << 16;

    @Test
    void shouldHoldRequestsUntilTheyAreReleased() {
        GateDriver gate = new GateDriver();
        gate.shut();
        List<BlockStatus> seen = new ArrayList<>();

        run(sim -> {
            Disk disk = new Disk(sim, gate, seen);
            sim.actor("guest", disk.io).does("flushes", disk::flush).does("flushes", disk::flush);
            sim.actor("host").doesWhen("lets one go", () -> gate.heldCount() == 2, () -> {
                assertThat(seen).isEmpty();
                assertThat(gate.release(1)).isEqualTo(1);
            }).doesWhen("opens", () -> seen.size() == 1, gate::open);
        });

        assertThat(seen).containsExactly(BlockStatus.OK, BlockStatus.OK);
        assertThat(gate.heldCount()).isZero();
    }

    @Test
    void shouldCancelWhatItHoldsUnlessItIsDeaf() {
        List<BlockStatus> seen = new ArrayList<>();
        GateDriver gate = new GateDriver();
        gate.shut();

        run(sim -> {
            Disk disk = new Disk(sim, gate, seen);
            BlockRequest[] sent = new BlockRequest[2];
            sim.actor("guest", disk.io)
                    .does("flushes", () -> sent[0] = disk.flush())
                    .does("cancels", () -> sent[0].cancel())
                    .does("flushes a deaf host", () -> {
                        gate.cancellable(false);
                        sent[1] = disk.flush();
                    })
                    .does("cancels", () -> sent[1].cancel())
                    .doesWhen("sees it held", () -> seen.size() == 1,
                            () -> assertThat(gate.heldCount()).isEqualTo(1))
                    .does("opens", gate::open);
        });

        assertThat(seen).containsExactly(BlockStatus.CANCELLED, BlockStatus.OK);
    }

    @Test
    void shouldFailTheRequestsThatTheRulePicks() {
        List<BlockStatus> seen = new ArrayList<>();
        FaultDriver fault = new FaultDriver(request -> BlockStatus.NO_SPACE);

        run(sim -> {
            sim.expectErrors(thrown -> thrown.getMessage().contains("injected"));
            Disk disk = new Disk(sim, fault, seen);
            sim.actor("guest", disk.io)
                    .does("flushes", disk::flush)
                    .does("is repaired", () -> fault.rule(request -> BlockStatus.OK))
                    .does("flushes", disk::flush);
        });

        assertThat(seen).containsExactlyInAnyOrder(BlockStatus.NO_SPACE, BlockStatus.OK);
        assertThat(fault.faults()).isEqualTo(1);
    }

    @Test
    void shouldDelayOnTheClockOfTheHomeContext() {
        List<BlockStatus> seen = new ArrayList<>();
        List<Long> times = new ArrayList<>();

        run(sim -> {
            Disk disk = new Disk(sim, new DelayDriver(1_000), seen);
            BlockRequest[] sent = new BlockRequest[1];
            sim.actor("guest", disk.io)
                    .does("flushes", () -> sent[0] = disk.flush())
                    .does("cancels", () -> sent[0].cancel())
                    .does("flushes", disk::flush)
                    .doesWhen("is answered", () -> seen.size() == 2,
                            () -> times.add(sim.clock().nanoTime()));
        });

        assertThat(seen).containsExactly(BlockStatus.CANCELLED, BlockStatus.OK);
        assertThat(times).containsExactly(1_000L);
    }

    @Test
    void shouldCallOutFromItsHooks() {
        List<String> hooks = new ArrayList<>();

        run(sim -> {
            hooks.clear();
            Disk disk = new Disk(sim, new YieldingDriver(hooks::add), new ArrayList<>());
            sim.actor("control", sim.main())
                    .does("moves", () -> disk.backend.setContext(sim.main()));
        });

        assertThat(hooks).endsWith(
                "is in the hook drainBegin of node filter",
                "is in the hook detachContext of node filter",
                "is in the hook attachContext(main) of node filter",
                "is in the hook drainEnd of node filter");
    }

    private static void run(Scenario scenario) {
        RunReport report = Simulation.run(scenario, 1);

        assertThat(report.isFailed()).as(report.toString()).isFalse();
    }

    private static final class Disk {
        private final AioContext io;
        private final BlockBackend backend;
        private final List<BlockStatus> seen;

        Disk(Simulation sim, BlockDriver filter, List<BlockStatus> seen) {
            this.io = sim.context("io");
            this.seen = seen;
            BlockBackend[] made = new BlockBackend[1];
            sim.given(sim.main(), () -> {
                BlockGraph graph = new BlockGraph(sim.main());
                BlockNode bottom = graph.add("bottom", new NullDriver(LENGTH_BYTES));
                BlockNode top = graph.add("filter", filter, bottom);
                made[0] = BlockBackend.create(graph, BackendConfig.named("disk"), top, io);
            });
            this.backend = made[0];
        }

        BlockRequest flush() {
            BlockRequest request = new BlockRequest((done, status) -> seen.add(status));
            backend.port(io).submit(request.prepare(Operation.FLUSH, 0, 0, null, 0));
            return request;
        }
    }
}
