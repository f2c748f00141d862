package dev.quiesce.examples.demo;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.time.Clock;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.graph.GraphEdit;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.virtio.dataplane.QueueMapping;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The control side of the storm: at each tick it may begin one more operation on a disk,
 * asynchronously, so that several are under way at once: drained sections, moves between contexts,
 * filters put in and taken out, disks unplugged and plugged again, the dataplane stopped and
 * started with the other mapping.
 *
 * <p>Confined to the thread that owns the main context; the numbers of changes under way, and of
 * those that began with requests in flight, are read by any.
 */
final class ControlStorm {
    private static final int UNDER_WAY_MAX = 4;
    private static final int HOLD_TICKS_MAX = 4;
    private static final int IDLE_ONE_IN = 50;
    private static final int IDLE_SHARE = 25;
    private static final int MOVES_PER_SECOND = 200;
    private static final int MOVE = 64;
    private static final int MOVE_IF_BEHIND = MOVE + 18;
    private static final int DRAIN = MOVE + 22;
    private static final int FILTER = DRAIN + 9;
    private static final int REPLUG = FILTER + 2;

    private final DemoMachine machine;
    private final SplittableRandom random;
    private final EventHash events;
    private final List<StormyDisk> disks = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private final int queues;
    private final int restartEveryTicks;
    private final Clock clock;
    private long begunNanos;
    private long ticks;
    private int underWay;
    private boolean restarting;
    private boolean followed;
    private boolean ending;
    private final AtomicInteger changesUnderWay = new AtomicInteger();

    private long drains;
    private long contextChanges;
    private final AtomicLong changesWithInFlight = new AtomicLong();
    private long dataplaneRestarts;
    private long replugs;
    private long graphEdits;

    ControlStorm(DemoMachine machine, DemoConfig config, EventHash events, int restartEveryTicks) {
        this.machine = machine;
        this.events = events;
        this.restartEveryTicks = restartEveryTicks;
        queues = config.queues();
        clock = machine.main().clock();
        random = new SplittableRandom(config.seed() * 31 + 17);
        for (int i = 0; i < machine.disks().size(); i++) {
            disks.add(new StormyDisk(i, machine.disks().get(i)));
        }
    }

    /** The mapping that the demo begins with. */
    QueueMapping fixed() {
        List<AioContext> all = machine.contexts();
        List<AioContext> serving = all.size() > 1 ? all.subList(1, all.size()) : all;
        int used = Math.min(serving.size(), queues);
        return QueueMapping.roundRobin(serving.subList(0, used), queues);
    }

    /** Begins at most one operation, and ends the sections that were held long enough. */
    void tick() {
        if (ticks++ == 0) {
            begunNanos = clock.nanoTime();
        }
        for (StormyDisk disk : disks) {
            closeDueSection(disk);
        }
        if (ending) {
            return;
        }
        if (ticks % restartEveryTicks == 0 && !restarting) {
            restartDataplane();
        } else if (underWay < UNDER_WAY_MAX) {
            for (int i = 0; i < disks.size(); i++) {
                begin(disks.get(random.nextInt(disks.size())), random.nextInt(100));
            }
        }
    }

    /** Begins nothing more; what is under way still ends. */
    void end() {
        ending = true;
    }

    boolean isQuiet() {
        return underWay == 0 && !restarting;
    }

    int changesUnderWay() {
        return changesUnderWay.get();
    }

    long drains() {
        return drains;
    }

    long contextChanges() {
        return contextChanges;
    }

    long changesWithInFlight() {
        return changesWithInFlight.get();
    }

    long dataplaneRestarts() {
        return dataplaneRestarts;
    }

    long replugs() {
        return replugs;
    }

    long graphEdits() {
        return graphEdits;
    }

    List<String> failures() {
        return failures;
    }

    private void begin(StormyDisk disk, int dice) {
        if (disk.busy) {
            return;
        }
        if (dice < MOVE || (dice < MOVE_IF_BEHIND && movesAreBehind())) {
            move(disk);
        } else if (dice < DRAIN) {
            drain(disk);
        } else if (dice < FILTER) {
            editFilter(disk);
        } else if (dice < REPLUG) {
            replug(disk);
        }
    }

    /**
     * Whether a slow host has allowed fewer moves than the demo is to show. Never so without
     * threads, where nothing can move: there no choice depends on time.
     */
    private boolean movesAreBehind() {
        long nanos = clock.nanoTime() - begunNanos;
        return machine.contexts().size() > 1
                && contextChanges < MOVES_PER_SECOND * (nanos / 1_000_000) / 1_000;
    }

    /** Whether few enough of the moves were idle ones, however often a slow guest is caught so. */
    private boolean mayMoveIdle() {
        return (contextChanges - changesWithInFlight()) * IDLE_SHARE <= contextChanges;
    }

    private void move(StormyDisk disk) {
        List<AioContext> contexts = machine.contexts();
        int here = contexts.indexOf(disk.scsi.backend().context());
        boolean inFlight = disk.scsi.backend().gate().inFlight() > 0;
        boolean wanted = inFlight || (mayMoveIdle() && random.nextInt(IDLE_ONE_IN) == 0);
        if (contexts.size() == 1 || !wanted) {
            return; // Moving an idle disk proves little; now and then one moves all the same.
        }
        int steps = 1 + random.nextInt(contexts.size() - 1);
        AioContext target = contexts.get((here + steps) % contexts.size());
        changesUnderWay.incrementAndGet();
        run(disk, "move " + target.name(), disk.scsi.backend().setContextAsync(target), ended -> {
            changesUnderWay.decrementAndGet();
            contextChanges++;
            if (inFlight) {
                changesWithInFlight.incrementAndGet();
            }
        });
    }

    private void drain(StormyDisk disk) {
        int holdTicks = random.nextInt(HOLD_TICKS_MAX);
        CompletionStage<DrainedSection> begun =
                DrainedSection.beginAsync(machine.main(), disk.scsi.backend());
        run(disk, "drain", begun, section -> {
            drains++;
            disk.section = section;
            disk.closeAtTick = ticks + holdTicks;
            disk.busy = true;
            underWay++;
        });
    }

    private void closeDueSection(StormyDisk disk) {
        DrainedSection section = disk.section;
        if (section != null && (ending || ticks >= disk.closeAtTick)) {
            disk.section = null;
            section.close();
            disk.busy = false;
            underWay--;
        }
    }

    private void editFilter(StormyDisk disk) {
        GraphEdit edit = machine.graph().edit();
        String name = "filter" + disk.index;
        var filter = machine.graph().find(name);
        if (filter == null) {
            edit.insertFilter(name, new PassthroughDriver(), machine.topNode(disk.index));
        } else {
            edit.removeFilter(filter);
        }
        run(disk, "filter", machine.graph().apply(edit), ended -> graphEdits++);
    }

    private void replug(StormyDisk disk) {
        var address = DemoMachine.address(disk.index);
        CompletionStage<Void> again = machine.bus().unplug(address)
                .thenCompose(gone -> machine.bus().plug(disk.scsi, address));
        run(disk, "replug", again, ended -> replugs++);
    }

    private void restartDataplane() {
        restarting = true;
        QueueMapping next = followed ? fixed() : machine.hba().following();
        followed = !followed;
        machine.hba().stopDataplane()
                .thenCompose(stopped -> machine.hba().startDataplane(next))
                .whenComplete((ended, failure) -> {
                    restarting = false;
                    dataplaneRestarts++;
                    events.add(ticks, 99);
                    if (failure != null) {
                        failures.add("dataplane restart: " + failure);
                    }
                });
    }

    /** Runs one operation; its end is heard on the main context. */
    private <T> void run(
            StormyDisk disk, String what, CompletionStage<T> operation, Consumer<T> ended) {
        disk.busy = true;
        underWay++;
        operation.whenComplete((value, failure) -> {
            disk.busy = false;
            underWay--;
            events.add(disk.index, what.hashCode());
            if (failure != null) {
                failures.add(what + " of disk " + disk.index + ": " + failure);
            } else {
                ended.accept(value);
            }
        });
    }

    /** What the control side knows about one disk. */
    private static final class StormyDisk {
        private final int index;
        private final ScsiDisk scsi;
        private boolean busy;
        private @Nullable DrainedSection section;
        private long closeAtTick;

        StormyDisk(int index, ScsiDisk scsi) {
            this.index = index;
            this.scsi = scsi;
        }
    }
}
