package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** The loop that serves a queue dies: stops, starts, resets and functions end all the same. */
class EndedQueueTest {
    private static final long LENGTH_BYTES = 1 << 16;
    private static final int QUEUES = 2;
    private static final int RING = 8;
    private static final int RAM_BYTES = 1 << 16;
    private static final int BLOCK_BYTES = 512;
    private static final int GUEST_MOVES = 6;
    private static final int CONTROL_MOVES = 4;

    private final Map<String, Long> seen = new TreeMap<>();

    @Test
    @Rule("IOT-7")
    @Rule("VSCSI-33")
    void shouldEndEveryOperationOnAQueueWhoseLoopDies(TestReporter reporter) {
        int distinct = SeededRuns.run(sim -> new Story(sim).tell());

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        reporter.publishEntry("seen", seen.toString());
        assertThat(seen.keySet()).contains("stop done", "stop failed", "start done",
                "start failed", "reset done", "reset failed", "function done", "function failed");
    }

    private final class Story {
        private final Simulation sim;
        private final List<AioContext> contexts;
        private final GateDriver gate = new GateDriver();
        private final List<CompletableFuture<Void>> asked = new ArrayList<>();
        private final GuestRam ram = GuestRam.heap(1 << 20, RAM_BYTES);
        private final GuestInterrupts interrupts = new GuestInterrupts();
        private final GuestScsi driver;
        private final VirtioScsi hba;
        private boolean reset;
        private long interruptsSeen;

        Story(Simulation sim) {
            this.sim = sim;
            this.contexts = Machine.contexts(sim);
            VirtioScsi[] made = new VirtioScsi[1];
            sim.given(sim.main(), () -> made[0] = build());
            this.hba = made[0];
            this.driver = new GuestScsi(hba, ram,
                    new GuestScsiConfig(RING, sim.random().nextBoolean(),
                            sim.random().nextBoolean(), 0), sim.clock());
            sim.given(sim.main(), driver::begin);
            sim.given(sim.main(), () -> hba.startDataplane(mapping()));
        }

        private VirtioScsi build() {
            BlockGraph graph = new BlockGraph(sim.main());
            gate.shut();
            BlockNode node = graph.add("gate", gate,
                    graph.add("memory", new MemoryDriver(LENGTH_BYTES)));
            BlockBackend backend = BlockBackend.create(
                    graph, BackendConfig.named("disk"), node, contexts.get(1));
            ScsiBus bus = new ScsiBus(sim.main(), ScsiBusConfig.largest());
            bus.plug(new ScsiDisk(backend, ScsiDiskConfig.of("1")), new ScsiAddress(0, 0));
            return VirtioScsi.create(VirtioScsiConfig.of("scsi", QUEUES), bus, ram, interrupts);
        }

        private QueueMapping mapping() {
            return new QueueMapping.Fixed(List.of(contexts.get(1), contexts.get(2)));
        }

        void tell() {
            AioContext mortal = contexts.get(1);
            sim.expectErrors(error -> error instanceof IllegalStateException
                    || error.getCause() instanceof IllegalStateException);
            sim.actor("guest").repeats(GUEST_MOVES, "moves", this::guestMoves)
                    .servesWhen("is interrupted",
                            () -> !reset && interrupts.raised() != interruptsSeen, this::look);
            sim.actor("fate", mortal).does("ends the loop", () -> sim.endLoop(mortal));
            sim.actor("host").servesWhen("finishes a request",
                    () -> gate.heldCount(request -> !request.home().isGone()) > 0,
                    () -> gate.release(1, request -> !request.home().isGone()));
            sim.actor("control", sim.main())
                    .repeats(CONTROL_MOVES, "moves", this::controlMoves)
                    .does("resets the device", () -> {
                        reset = true;
                        heard("reset", driver.reset());
                    });
            sim.inTheEnd("everybody has heard",
                    () -> asked.stream().allMatch(CompletableFuture::isDone));
            sim.inTheEnd("nothing waits on main", () -> sim.main().isIdle());
        }

        private void guestMoves() {
            if (reset) {
                return;
            }
            if (sim.random().nextInt(4) == 0) {
                sendFunction();
            } else {
                GuestCommand command = driver.newCommand(null);
                command.cdb(0, 0, GuestCdb.read10(0, 1));
                command.dataIn(ram.allocate(BLOCK_BYTES, BLOCK_BYTES), BLOCK_BYTES);
                driver.submit(sim.random().nextInt(QUEUES), command);
                driver.kick();
            }
        }

        private void sendFunction() {
            driver.taskManagement(GuestScsi.ABORT_TASK_SET, 0, 0, 0,
                    code -> count(code == 0 ? "function done" : "function failed"));
        }

        private void look() {
            interruptsSeen = interrupts.raised();
            driver.poll();
        }

        private void controlMoves() {
            if (sim.random().nextBoolean()) {
                heard("stop", hba.stopDataplane());
            } else {
                heard("start", hba.startDataplane(mapping()));
            }
        }

        private void heard(String what, CompletionStage<Void> stage) {
            sim.note("asks for a " + what);
            CompletableFuture<Void> heard = new CompletableFuture<>();
            asked.add(heard);
            stage.whenComplete((nothing, failure) -> {
                count(what + (failure == null ? " done" : " failed"));
                heard.complete(null);
            });
        }

        private void count(String what) {
            seen.merge(what, 1L, Long::sum);
        }
    }
}
