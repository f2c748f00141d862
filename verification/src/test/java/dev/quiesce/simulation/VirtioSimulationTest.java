package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** The whole machine, from the guest's rings to the storage, and everything that control does. */
class VirtioSimulationTest {
    private static final int DISKS = 2;
    private static final int QUEUES = 2;
    private static final int RING = 8;
    private static final int EVENT_BUFFERS = 2;
    private static final int RAM_BYTES = 1 << 17;
    private static final int GUEST_MOVES = 60;
    private static final int CONTROL_MOVES = 20;

    private final Map<String, Long> seen = new TreeMap<>();

    @Test
    @Rule("VSCSI-33")
    @Rule("VSCSI-49")
    @Rule("VSCSI-50")
    @Rule("VSCSI-54")
    @Rule("PURGE-14")
    @Rule("DP-29")
    @Rule("DP-45")
    @Rule("BB-44")
    @Rule("DP-34")
    @Rule("SCHED-5")
    @Rule("SCHED-7")
    void shouldAccountForEveryRequestUnderRandomSchedules(TestReporter reporter) {
        int distinct = SeededRuns.run(this::scenario);

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        seen.forEach((what, count) -> reporter.publishEntry(what, count.toString()));
        assertThat(distinct).isPositive();
        assertThat(seen).as("what the runs have come across").allSatisfy(
                (what, count) -> assertThat(count).as(what).isPositive());
    }

    private void scenario(Simulation sim) {
        List<AioContext> contexts = Machine.contexts(sim);
        BlockGraph graph = new BlockGraph(sim.main());
        ScsiBus bus = new ScsiBus(sim.main(), ScsiBusConfig.largest());
        GuestRam ram = GuestRam.heap(1 << 20, RAM_BYTES);
        GuestInterrupts interrupts = new GuestInterrupts();
        List<Control> backends = new ArrayList<>();
        List<ScsiDisk> disks = new ArrayList<>();
        for (int i = 0; i < DISKS; i++) {
            Machine machine = new Machine(sim, contexts, graph, Integer.toString(i));
            backends.add(new Control(sim, machine, () -> machine.gate().heldCount() == 0));
            String serial = Integer.toString(i);
            sim.given(sim.main(), () -> disks.add(
                    new ScsiDisk(machine.backend(), ScsiDiskConfig.of(serial))));
        }
        List<VirtioScsi> made = new ArrayList<>();
        sim.given(sim.main(), () -> made.add(VirtioScsi.create(
                VirtioScsiConfig.of("scsi", QUEUES), bus, ram, interrupts)));
        VirtioScsi hba = made.get(0);
        GuestScsi driver = new GuestScsi(hba, ram,
                new GuestScsiConfig(RING, sim.random().nextBoolean(), sim.random().nextBoolean(),
                        EVENT_BUFFERS),
                sim.clock());
        VirtioGuest guest = new VirtioGuest(sim, driver, interrupts, DISKS);
        VirtioControl control = new VirtioControl(sim, hba, contexts, backends, disks);
        sim.given(sim.main(), control::plugAll);
        sim.given(sim.main(), guest::begin);
        sim.actor("guest").repeats(GUEST_MOVES, "moves", guest::move)
                .does("kicks", guest::kickAll)
                .servesWhen("is interrupted", guest::isInterrupted, guest::onInterrupt);
        sim.actor("control", sim.main())
                .repeats(CONTROL_MOVES, "moves", control::move)
                .does("ends", control::end);
        sim.always("the host has nothing in a settled section", control::promiseHolds);
        sim.always("the device works", () -> !hba.isBroken());
        sim.inTheEnd("control is over", control::isOver);
        sim.inTheEnd("every command is answered", () -> {
            String debts = guest.debts();
            return debts == null || fail(sim, debts);
        });
        sim.inTheEnd("the run is over", () -> {
            count("commands and functions answered", driver.ledger().answered());
            count("queues handed over", hba.dataplane().rehomes());
            count("hand-overs given up", hba.dataplane().handOversGivenUp());
            count("removals with requests listed", bus.removalsWithRequestsListed());
            count("device resets", guest.resets());
            return true;
        });
        sim.inTheEnd("no request is listed", () -> disks.stream().allMatch(
                disk -> disk.listedRequests() + disk.cancellingRequests() == 0));
        sim.inTheEnd("the guest knows what is plugged", () -> IntStream.range(0, DISKS).allMatch(
                i -> guest.knowsWhatIsPlugged(i, control.isPlugged(i))));
    }

    private void count(String what, long times) {
        seen.merge(what, times, Long::sum);
    }

    private static boolean fail(Simulation sim, String debts) {
        sim.fail("a debt is left", debts);
        return false;
    }
}
