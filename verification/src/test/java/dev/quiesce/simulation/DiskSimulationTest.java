package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.Simulation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

class DiskSimulationTest {
    private static final int GUEST_MOVES = 7;
    private static final int CONTROL_MOVES = 6;

    @Test
    @Rule("PURGE-2")
    @Rule("PURGE-3")
    @Rule("WALK-12")
    @Rule("WALK-17")
    @Rule("WALK-24")
    @Rule("SCSI-29")
    void shouldKeepThePromisesOfDisksUnderRandomSchedules(TestReporter reporter) {
        int distinct = SeededRuns.run(DiskSimulationTest::scenario);

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        assertThat(distinct).isPositive();
    }

    private static void scenario(Simulation sim) {
        Machine machine = new Machine(sim);
        List<AioContext> contexts = machine.contexts();
        ScsiBus bus = new ScsiBus(sim.main(), ScsiBusConfig.largest());
        ScsiDisk[] made = new ScsiDisk[1];
        sim.given(sim.main(), () ->
                made[0] = new ScsiDisk(machine.backend(), ScsiDiskConfig.of("1")));
        ScsiDisk disk = made[0];
        List<ScsiGuest> guests = IntStream.range(0, contexts.size())
                .mapToObj(i -> new ScsiGuest(sim, disk, contexts.get(i), i * ScsiGuest.SLOTS))
                .toList();
        Control control = new Control(sim, machine, () -> machine.gate().heldCount() == 0);
        DiskControl diskControl = new DiskControl(sim, control, bus, disk, guests);
        sim.given(sim.main(), diskControl::plug);
        for (int i = 0; i < contexts.size(); i++) {
            sim.actor("guest " + contexts.get(i).name(), contexts.get(i))
                    .repeats(GUEST_MOVES, "moves", guests.get(i)::move);
        }
        sim.actor("control", sim.main())
                .repeats(CONTROL_MOVES, "moves", diskControl::move)
                .does("ends", control::end);
        sim.always("the host has nothing in a settled section", control::promiseHolds);
        sim.inTheEnd("control is over", control::isOver);
        sim.inTheEnd("every command is answered",
                () -> guests.stream().allMatch(guest -> guest.outstanding().isEmpty()));
        sim.inTheEnd("no request is listed",
                () -> disk.listedRequests() + disk.cancellingRequests() == 0);
        sim.inTheEnd("the disk is plugged", () -> bus.units().equals(List.of(disk)));
    }
}
