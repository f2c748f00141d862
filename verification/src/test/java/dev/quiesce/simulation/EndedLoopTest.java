package dev.quiesce.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitCannotEndException;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.rules.Rule;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.RequestVisitor;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** A loop dies, as by an Error, at any moment: whoever waits for something of it hears of that. */
class EndedLoopTest {
    private static final long LENGTH_BYTES = 1 << 16;
    private static final int GUEST_MOVES = 4;
    private static final int CONTROL_MOVES = 5;
    private static final ScsiAddress ADDRESS = new ScsiAddress(0, 0);

    /** What control asks for. */
    private enum Wish { SECTION, MOVE, WALK, PURGE, RESET, ABORT, COUNT, UNPLUG }

    private static final List<Wish> WISHES = List.of(Wish.values());

    /** How often each was done, and how often it could not be. */
    private final Map<Wish, Long> done = new EnumMap<>(Wish.class);
    private final Map<Wish, Long> failed = new EnumMap<>(Wish.class);

    @Test
    @Rule("IOT-7")
    @Rule("DRAIN-13")
    @Rule("WALK-12")
    void shouldLeaveNobodyWaitingUnderRandomSchedules(TestReporter reporter) {
        int distinct = SeededRuns.run(sim -> new Story(sim).tell());

        reporter.publishEntry("distinct schedules", Integer.toString(distinct));
        reporter.publishEntry("done", done.toString());
        reporter.publishEntry("failed", failed.toString());
        assertThat(done).containsOnlyKeys(Wish.values());
        assertThat(failed.keySet()).contains(Wish.SECTION, Wish.MOVE, Wish.PURGE, Wish.RESET,
                Wish.ABORT, Wish.COUNT, Wish.UNPLUG);
    }

    @Test
    @Rule("IOT-7")
    void shouldEndEverySectionOverALoopThatDiesUnderEverySchedule() {
        SearchReport report = ScheduleSearch.of(sim -> {
            AioContext io = sim.context("io");
            BlockBackend[] made = new BlockBackend[1];
            List<CompletionStage<?>> asked = new ArrayList<>();
            sim.expectErrors(error -> error instanceof IllegalStateException);
            sim.given(sim.main(), () -> {
                BlockGraph graph = new BlockGraph(sim.main());
                BlockNode node = graph.add("node", new MemoryDriver(LENGTH_BYTES));
                made[0] = BlockBackend.create(graph, BackendConfig.named("disk"), node, io);
            });
            BlockBackend backend = made[0];
            sim.actor("io's own", io)
                    .does("holds and posts", () -> {
                        var hold = backend.gate().hold("work", io);
                        io.execute(hold::close);
                    })
                    .does("dies", () -> sim.endLoop(io));
            sim.actor("control", sim.main())
                    .does("asks for a section", () -> asked.add(DrainedSection
                            .beginAsync(sim.main(), backend).thenAccept(DrainedSection::close)))
                    .does("asks for another context",
                            () -> asked.add(backend.setContextAsync(sim.main())));
            sim.inTheEnd("everybody has heard", () -> asked.stream()
                    .allMatch(stage -> stage.toCompletableFuture().isDone()));
            sim.inTheEnd("no section is open", () -> !backend.gate().isQuiesced());
            sim.inTheEnd("nothing waits on main", () -> sim.main().isIdle());
        }).preemptionsMax(3).explore();

        assertThat(report.isClean()).as(report.toString()).isTrue();
        assertThat(report.isComplete()).isTrue();
    }

    /** One disk, three contexts with a guest each; the loop of one of them dies. */
    private final class Story {
        private final Simulation sim;
        private final GateDriver gate = new GateDriver();
        private final List<AioContext> contexts;
        private final List<ScsiGuest> guests = new ArrayList<>();
        private final List<CompletableFuture<Void>> asked = new ArrayList<>();
        private final BlockBackend backend;
        private final ScsiDisk disk;
        private final ScsiBus bus;

        Story(Simulation sim) {
            this.sim = sim;
            this.contexts = Machine.contexts(sim);
            this.bus = new ScsiBus(sim.main(), ScsiBusConfig.largest());
            BlockBackend[] backends = new BlockBackend[1];
            ScsiDisk[] disks = new ScsiDisk[1];
            gate.shut();
            gate.cancellable(sim.random().nextBoolean());
            sim.given(sim.main(), () -> {
                BlockGraph graph = new BlockGraph(sim.main());
                BlockNode node = graph.add("gate", gate,
                        graph.add("memory", new MemoryDriver(LENGTH_BYTES)));
                AioContext home = contexts.get(sim.random().nextInt(contexts.size()));
                backends[0] = BlockBackend.create(graph, BackendConfig.named("disk"), node, home);
                disks[0] = new ScsiDisk(backends[0], ScsiDiskConfig.of("1"));
                bus.plug(disks[0], ADDRESS);
            });
            this.backend = backends[0];
            this.disk = disks[0];
            for (AioContext context : contexts) {
                guests.add(new ScsiGuest(sim, disk, context, guests.size() * ScsiGuest.SLOTS));
            }
        }

        void tell() {
            AioContext mortal = contexts.get(1);
            sim.expectErrors(error -> error instanceof IllegalStateException);
            for (int i = 0; i < contexts.size(); i++) {
                AioContext context = contexts.get(i);
                sim.actor("guest " + context.name(), context)
                        .repeats(GUEST_MOVES, "moves", guests.get(i)::move);
            }
            sim.actor("fate", mortal).does("ends the loop", () -> sim.endLoop(mortal));
            sim.actor("host").servesWhen("finishes a request",
                    () -> gate.heldCount(request -> !request.home().isGone()) > 0,
                    () -> gate.release(1, request -> !request.home().isGone()));
            sim.actor("control", sim.main()).repeats(CONTROL_MOVES, "moves", this::wish);
            sim.inTheEnd("everybody has heard",
                    () -> asked.stream().allMatch(CompletableFuture::isDone));
            sim.inTheEnd("no section is open", () -> !backend.gate().isQuiesced());
            sim.inTheEnd("nothing waits on main", () -> sim.main().isIdle());
            sim.inTheEnd("the living are answered", () -> guests.get(0).outstanding().isEmpty()
                    && guests.get(2).outstanding().isEmpty());
            sim.inTheEnd("the host serves the living",
                    () -> gate.heldCount(request -> !request.home().isGone()) == 0);
        }

        private void wish() {
            Wish wish = WISHES.get(sim.random().nextInt(WISHES.size()));
            sim.note("asks for: " + wish);
            CompletionStage<?> stage = begin(wish);
            CompletableFuture<Void> heard = new CompletableFuture<>();
            asked.add(heard);
            stage.whenComplete((value, failure) -> {
                (failure == null ? done : failed).merge(wish, 1L, Long::sum);
                checkCause(wish, failure);
                heard.complete(null);
            });
        }

        private CompletionStage<?> begin(Wish wish) {
            return switch (wish) {
                case SECTION -> DrainedSection.beginAsync(sim.main(), backend)
                        .thenAccept(DrainedSection::close);
                case MOVE -> backend.setContextAsync(
                        contexts.get(sim.random().nextInt(contexts.size())));
                case WALK -> walk();
                case PURGE -> disk.purgeAsync(CancelCause.ABORT, null);
                case RESET -> disk.resetAsync();
                case ABORT -> disk.cancelTasksAsync(CancelCause.ABORT, request -> true);
                case COUNT -> disk.countTasksAsync(request -> true);
                case UNPLUG -> bus.units().isEmpty()
                        ? bus.plug(disk, ADDRESS) : bus.unplug(ADDRESS);
            };
        }

        private CompletionStage<Void> walk() {
            CompletableFuture<Void> ended = new CompletableFuture<>();
            disk.forEachRequestAsync(new RequestVisitor() {
                @Override
                public void visit(ScsiRequest request) {
                    sim.note("sees " + request);
                }

                @Override
                public void ended() {
                    ended.complete(null);
                }
            });
            return ended;
        }

        /** Nothing fails but for the loop that has ended, or for an unplug under way. */
        private void checkCause(Wish wish, Throwable failure) {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (cause == null || wish == Wish.UNPLUG || cause instanceof WaitCannotEndException) {
                return;
            }
            String message = String.valueOf(cause.getMessage());
            boolean tooLate =
                    wish == Wish.MOVE && message.contains("to context 'A': the loop of A");
            if (!tooLate && !message.contains("lost with the loop of A")) {
                sim.fail("failed for another reason", wish + ": " + cause);
            }
        }
    }
}
