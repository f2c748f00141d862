package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.rules.Rule;
import dev.quiesce.testkit.Simulation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * A disk whose length changes while guests write around its end, and which is drained and moved: a
 * write ends as if it came before or after each change, what was cut off reads as zeroes for ever,
 * and what was not is as it was written.
 */
class ResizeSimulationTest {
    private static final int GUEST_MOVES = 8;
    private static final int CONTROL_MOVES = 8;

    @Test
    @Rule("SCHED-29")
    @Rule("BB-65")
    void shouldNeverCorruptWhatIsWrittenWhileTheLengthChanges(TestReporter reporter) {
        int distinct = SeededRuns.run(ResizeSimulationTest::scenario);

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        assertThat(distinct).isPositive();
    }

    private static void scenario(Simulation sim) {
        Machine machine = new Machine(sim);
        List<AioContext> contexts = machine.contexts();
        Lengths lengths = new Lengths(sim, machine);
        List<EndGuest> guests = IntStream.range(0, contexts.size())
                .mapToObj(i -> new EndGuest(sim, machine, contexts.get(i), lengths, i))
                .toList();
        for (int i = 0; i < contexts.size(); i++) {
            sim.actor("guest " + contexts.get(i).name(), contexts.get(i))
                    .repeats(GUEST_MOVES, "moves", guests.get(i)::move);
        }
        sim.actor("control", sim.main())
                .repeats(CONTROL_MOVES, "moves", lengths::move)
                .does("ends", lengths::end);
        sim.inTheEnd("control is over", lengths::isOver);
        sim.inTheEnd("every request has come back",
                () -> guests.stream().allMatch(EndGuest::isAnswered));
    }
}
