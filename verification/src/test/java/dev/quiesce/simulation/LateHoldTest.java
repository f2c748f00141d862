package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Hold;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** What is counted after an asynchronous wait has ended, and before it is acted upon, counts. */
class LateHoldTest {
    private static final long LENGTH_BYTES = 1 << 16;

    @Test
    @Rule("WALK-12")
    @Rule("DRAIN-8")
    void shouldFinishAnAsynchronousSectionOnlyWhileItIsSettled() {
        SearchReport report = search((sim, backend) ->
                DrainedSection.beginAsync(sim.main(), backend).thenAccept(section -> {
                    if (backend.isBusy()) {
                        sim.fail("told too late", "the section is busy again");
                    }
                    section.close();
                }));

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    @Test
    @Rule("WALK-11")
    @Rule("BB-46")
    void shouldNotMoveABackendUnderAHoldThatWasTakenBeforeTheCommit() {
        SearchReport report = search((sim, backend) -> backend.setContextAsync(sim.main()));

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    private static SearchReport search(BiConsumer<Simulation, BlockBackend> operation) {
        return ScheduleSearch.of(sim -> {
            AioContext io = sim.context("io");
            BlockBackend[] made = new BlockBackend[1];
            sim.given(sim.main(), () -> {
                BlockGraph graph = new BlockGraph(sim.main());
                BlockNode node = graph.add("node", new NullDriver(LENGTH_BYTES));
                made[0] = BlockBackend.create(graph, BackendConfig.named("disk"), node, io);
            });
            BlockBackend backend = made[0];
            sim.actor("control", sim.main())
                    .does("asks", () -> operation.accept(sim, backend))
                    .does("posts work under a hold", () -> postHeld(sim, backend, io))
                    .does("posts more", () -> postHeld(sim, backend, io));
        }).preemptionsMax(3).explore();
    }

    /** As a walk does: hold, post; the backend must not move until the hold is closed. */
    private static void postHeld(Simulation sim, BlockBackend backend, AioContext io) {
        Hold hold = backend.gate().hold("work", io);
        AioContext pinned = backend.context();
        io.execute(() -> {
            if (backend.context() != pinned) {
                sim.fail("moved under a hold", "from " + pinned.name());
            }
            hold.close();
        });
    }
}
