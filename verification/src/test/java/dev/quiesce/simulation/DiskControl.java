package dev.quiesce.simulation;

import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.testkit.Simulation;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The control side of one disk: purges, resets, aborts and re-plugs, at random. */
final class DiskControl {
    private static final ScsiAddress ADDRESS = new ScsiAddress(0, 0);

    private final Simulation sim;
    private final Control control;
    private final ScsiBus bus;
    private final ScsiDisk disk;
    private final List<ScsiGuest> guests;
    private boolean replugging;

    DiskControl(Simulation sim, Control control, ScsiBus bus, ScsiDisk disk,
            List<ScsiGuest> guests) {
        this.sim = sim;
        this.control = control;
        this.bus = bus;
        this.disk = disk;
        this.guests = guests;
    }

    /** Before the story begins. Control. */
    void plug() {
        control.settled(bus.plug(disk, ADDRESS));
    }

    /** Does something, at random. Control. */
    void move() {
        switch (sim.random().nextInt(8)) {
            case 0 -> purge();
            case 1 -> reset();
            case 2 -> resetAsync();
            case 3 -> abortSome();
            case 4 -> replug();
            default -> control.move();
        }
    }

    private void purge() {
        sim.note("purges the disk");
        Set<Long> before = outstanding();
        disk.purge(CancelCause.ABORT, null);
        checkGone(before, "purge");
    }

    private void reset() {
        sim.note("resets the disk");
        Set<Long> before = outstanding();
        disk.reset();
        checkGone(before, "reset");
    }

    private void resetAsync() {
        sim.note("asks for a reset of the disk");
        Set<Long> before = outstanding();
        control.settled(disk.resetAsync().thenRun(() -> checkGone(before, "reset")));
    }

    private void abortSome() {
        sim.note("aborts the commands of half of the slots");
        Set<Long> before = outstanding();
        control.settled(disk.cancelTasksAsync(
                CancelCause.ABORT,
                request -> before.contains(request.tag()) && isPicked(request.tag()))
                .thenAccept(found -> before.stream().filter(DiskControl::isPicked)
                        .filter(outstanding()::contains).findAny()
                        .ifPresent(tag -> sim.fail("abort too early", "tag " + tag))));
    }

    private void replug() {
        if (replugging) {
            return;
        }
        replugging = true;
        sim.note("unplugs the disk, to plug it in again");
        Set<Long> before = outstanding();
        control.settled(bus.unplug(ADDRESS)
                .thenRun(() -> checkGone(before, "unplug"))
                .thenCompose(gone -> bus.plug(disk, ADDRESS))
                .thenRun(() -> replugging = false));
    }

    private void checkGone(Set<Long> before, String what) {
        Set<Long> left = outstanding();
        left.retainAll(before);
        if (!left.isEmpty()) {
            sim.fail(what + " too early", "unanswered: " + left);
        }
    }

    private Set<Long> outstanding() {
        Set<Long> tags = new HashSet<>();
        guests.forEach(guest -> tags.addAll(guest.outstanding()));
        return tags;
    }

    private static boolean isPicked(long tag) {
        return tag % 2 == 0;
    }
}
