package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.testkit.Simulation;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The control side of a virtio-scsi machine: starts and stops its dataplane in both mappings, pulls
 * disks out and plugs them in, resets them, and does with their backends what {@link Control} does.
 */
final class VirtioControl {
    private final Simulation sim;
    private final VirtioScsi hba;
    private final List<AioContext> contexts;
    private final List<Control> backends;
    private final List<ScsiDisk> disks;
    private final boolean[] plugged;
    private final boolean[] replugging;

    VirtioControl(Simulation sim, VirtioScsi hba, List<AioContext> contexts,
            List<Control> backends, List<ScsiDisk> disks) {
        this.sim = sim;
        this.hba = hba;
        this.contexts = contexts;
        this.backends = backends;
        this.disks = disks;
        plugged = new boolean[disks.size()];
        replugging = new boolean[disks.size()];
    }

    /** Before the story begins. Control. */
    void plugAll() {
        for (int i = 0; i < disks.size(); i++) {
            plug(i);
        }
        start();
    }

    /** Does something, at random. Control. */
    void move() {
        int disk = sim.random().nextInt(disks.size());
        switch (sim.random().nextInt(12)) {
            case 0, 1 -> stop();
            case 2, 3, 4 -> start();
            case 5 -> toggle(disk);
            case 6 -> reset(disk);
            case 7 -> abort(disk);
            default -> backends.get(disk).move();
        }
    }

    /** The last step: everything is made to work again. Control. */
    void end() {
        backends.forEach(Control::end);
        for (int i = 0; i < disks.size(); i++) {
            if (!plugged[i] && !replugging[i]) {
                toggle(i);
            }
        }
        start();
    }

    /** {@return whether every section keeps its promise, I1} */
    boolean promiseHolds() {
        return backends.stream().allMatch(Control::promiseHolds);
    }

    /** {@return whether everything that it asked for has come to an end} */
    boolean isOver() {
        return backends.stream().allMatch(Control::isOver);
    }

    boolean isPlugged(int disk) {
        return plugged[disk];
    }

    private ScsiBus bus() {
        return hba.bus();
    }

    private void start() {
        QueueMapping mapping = anyMapping();
        sim.note("asks for a start of the dataplane, " + describe(mapping));
        backends.get(0).settled(hba.startDataplane(mapping));
    }

    private void stop() {
        sim.note("asks for a stop of the dataplane");
        backends.get(0).settled(hba.stopDataplane());
    }

    private QueueMapping anyMapping() {
        if (sim.random().nextBoolean()) {
            return hba.following();
        }
        List<AioContext> perQueue = new ArrayList<>();
        for (int i = 0; i < hba.queues() - VirtioScsi.FIRST_REQUEST_QUEUE; i++) {
            perQueue.add(contexts.get(sim.random().nextInt(contexts.size())));
        }
        return new QueueMapping.Fixed(perQueue);
    }

    private String describe(QueueMapping mapping) {
        return mapping.follows() ? "following" : IntStream
                .range(0, hba.queues() - VirtioScsi.FIRST_REQUEST_QUEUE)
                .mapToObj(i -> mapping.contextOf(i).name()).toList().toString();
    }

    private void toggle(int disk) {
        if (replugging[disk]) {
            return;
        }
        if (plugged[disk]) {
            sim.note("unplugs disk " + disk);
            replugging[disk] = true;
            backends.get(disk).settled(bus().unplug(new ScsiAddress(disk, 0)).thenRun(() -> {
                plugged[disk] = false;
                replugging[disk] = false;
                checkGone(disk);
                if (sim.random().nextBoolean()) {
                    plug(disk);
                }
            }));
        } else {
            plug(disk);
        }
    }

    private void plug(int disk) {
        sim.note("plugs disk " + disk);
        replugging[disk] = true;
        backends.get(disk).settled(
                bus().plug(disks.get(disk), new ScsiAddress(disk, 0)).thenRun(() -> {
                    plugged[disk] = true;
                    replugging[disk] = false;
                }));
    }

    private void checkGone(int disk) {
        int left = disks.get(disk).listedRequests() + disks.get(disk).cancellingRequests();
        if (left != 0) {
            sim.fail("unplugged too early", left + " requests are left");
        }
    }

    private void reset(int disk) {
        sim.note("asks for a reset of disk " + disk);
        backends.get(disk).settled(disks.get(disk).resetAsync());
    }

    private void abort(int disk) {
        sim.note("aborts the commands of disk " + disk);
        backends.get(disk).settled(disks.get(disk)
                .cancelTasksAsync(CancelCause.ABORT, request -> true).thenAccept(found -> { }));
    }
}
