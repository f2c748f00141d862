package dev.quiesce.examples.story;

import dev.quiesce.aio.AioContext;
import dev.quiesce.testkit.Scenario;
import dev.quiesce.testkit.ScheduleSearch;
import dev.quiesce.testkit.SearchReport;
import dev.quiesce.testkit.Simulation;
import java.util.function.Function;

/** What is searched. The same scenario for the old design and for Quiesce; nothing says where. */
final class SeedScenarios {
    /** How often a schedule may leave somebody who could have gone on. */
    static final int PREEMPTIONS_MAX = 3;

    private static final int STEPS_MAX = 200;

    private SeedScenarios() {
    }

    /** Somebody reads the context of a disk while it moves from A to B. */
    static Scenario reading(ContextReading way) {
        return sim -> {
            Disk disk = new Disk(sim);
            AioContext before = disk.backend().context();
            sim.actor("control", sim.main()).does("moves the disk from A to B", disk::move);
            guest(sim, disk, 1);
            sim.actor("reader").repeats(3, "reads the context of the disk", () -> {
                AioContext read = way.read(disk.backend());
                sim.note("sees " + read.name());
            });
            sim.inTheEnd("the disk has moved", () -> disk.backend().context() != before);
        };
    }

    /** The disk has a command that waits for no I/O, and is purged because it is unplugged. */
    static Scenario purge(Function<Disk, WalkUnderTest> way) {
        return sim -> {
            Disk disk = new Disk(sim);
            WalkUnderTest walk = way.apply(disk);
            disk.list(1);
            sim.actor("control", sim.main()).does("purges the disk", () -> {
                walk.purge();
                sim.note("purge has returned");
                disk.checkPurged();
            });
            guest(sim, disk, 2);
            sim.inTheEnd("every command is answered", () -> disk.answers() == 1);
        };
    }

    /** A walk over the requests is begun, and right after it the disk moves from A to B. */
    static Scenario walkAndMove(Function<Disk, WalkUnderTest> way) {
        return sim -> {
            Disk disk = new Disk(sim);
            WalkUnderTest walk = way.apply(disk);
            disk.list(1);
            int[] visits = new int[1];
            sim.actor("control", sim.main())
                    .does("begins a walk over the requests", () -> {
                        disk.walkBegins();
                        walk.forEachRequest(request -> {
                            disk.check(request);
                            visits[0]++;
                        });
                    })
                    .does("moves the disk from A to B", disk::move);
            guest(sim, disk, 2);
            sim.inTheEnd("every request was visited", () -> visits[0] == 1);
        };
    }

    /** Meanwhile the disk is in use, from another queue, in context B. */
    private static void guest(Simulation sim, Disk disk, int reads) {
        sim.actor("guest", disk.b()).repeats(reads, "reads a block, in B", disk::read);
        sim.inTheEnd("every read is answered", () -> disk.reads() == reads);
        sim.inTheEnd("nothing is in flight", () -> disk.backend().gate().inFlight() == 0);
    }

    /** Looks at every schedule within the bounds, which are the same for all. */
    static SearchReport search(Scenario scenario) {
        return ScheduleSearch.of(scenario)
                .preemptionsMax(PREEMPTIONS_MAX)
                .stepsMax(STEPS_MAX)
                .explore();
    }
}
