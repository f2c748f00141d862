package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.Simulation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

class BackendSimulationTest {
    private static final int GUEST_MOVES = 8;
    private static final int CONTROL_MOVES = 6;

    @Test
    @Rule("DRAIN-1")
    @Rule("DRAIN-45")
    @Rule("CTX-1")
    @Rule("CTX-16")
    @Rule("BB-43")
    @Rule("REQ-4")
    void shouldKeepThePromisesOfBackendsUnderRandomSchedules(TestReporter reporter) {
        int distinct = SeededRuns.run(BackendSimulationTest::scenario);

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        assertThat(distinct).isPositive();
    }

    private static void scenario(Simulation sim) {
        Machine machine = new Machine(sim);
        List<AioContext> contexts = machine.contexts();
        List<BlockGuest> guests = IntStream.range(0, contexts.size())
                .mapToObj(i -> new BlockGuest(
                        sim, machine.backend(), contexts.get(i), i * BlockGuest.SLOTS))
                .toList();
        Control control = new Control(sim, machine,
                () -> guests.stream().allMatch(BlockGuest::isQuiet));
        for (int i = 0; i < contexts.size(); i++) {
            sim.actor("guest " + contexts.get(i).name(), contexts.get(i))
                    .repeats(GUEST_MOVES, "moves", guests.get(i)::move);
        }
        sim.actor("control", sim.main())
                .repeats(CONTROL_MOVES, "moves", control::move)
                .does("ends", control::end);
        sim.always("nothing is past the gate in a settled section", control::promiseHolds);
        sim.inTheEnd("control is over", control::isOver);
        sim.inTheEnd("every request has come back",
                () -> guests.stream().allMatch(BlockGuest::isAnswered));
    }
}
