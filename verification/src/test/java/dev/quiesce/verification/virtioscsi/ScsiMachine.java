package dev.quiesce.verification.virtioscsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Gate;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.GateDriver;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;

/**
 * A whole machine on the test's thread: every context is owned and polled by it, in a fixed order.
 */
final class ScsiMachine implements AutoCloseable {
    /** For who measures time; this machine counts turns. */
    static final long LIMIT_NANOS = 60_000_000_000L;

    static final int DISK_BYTES = 8 << 20;
    static final int SESSION_BYTES = 64 << 10;

    /** Nobody else runs: what has not come after so many turns of everything will never come. */
    private static final int TURNS_MAX = 1_000_000;

    final AioContext main;
    final List<AioContext> others = new ArrayList<>();
    final BlockGraph graph;
    final ScsiBus bus;
    final GuestRam ram;
    final GuestInterrupts interrupts = new GuestInterrupts();
    final List<ScsiDisk> disks = new ArrayList<>();
    final List<GateDriver> gates = new ArrayList<>();
    final VirtioScsi hba;
    final GuestScsi driver;
    final GuestMachine guest = (polled, done, limitNanos) -> await(polled, done);
    private final List<Lease> leases = new ArrayList<>();

    ScsiMachine(int queues, int contexts, GuestRam ram) {
        this(LoopSeams.system(), queues, contexts, ram);
    }

    ScsiMachine(LoopSeams mainSeams, int queues, int contexts, GuestRam ram) {
        main = new AioContext("main", mainSeams);
        leases.add(main.acquire());
        for (int i = 0; i < contexts; i++) {
            AioContext other = new AioContext("other" + i, LoopSeams.system());
            leases.add(other.acquire());
            others.add(other);
        }
        this.ram = ram;
        graph = new BlockGraph(main);
        bus = new ScsiBus(main, ScsiBusConfig.largest());
        hba = VirtioScsi.create(VirtioScsiConfig.of("scsi", queues), bus, ram, interrupts);
        driver = new GuestScsi(hba, ram, GuestScsiConfig.likeLinux(), main.clock());
    }

    static ScsiMachine withDisks(int disks) {
        return withDisks(disks, 1, 0);
    }

    static ScsiMachine withDisks(int disks, int queues, int contexts) {
        return new ScsiMachine(queues, contexts, GuestRam.direct(1 << 20, 8 << 20))
                .plugged(disks);
    }

    /** Plugs disks, each as the only unit of its target. */
    ScsiMachine plugged(int count) {
        for (int i = 0; i < count; i++) {
            plug(newDisk(new MemoryDriver(MemoryConfig.direct(DISK_BYTES))), new ScsiAddress(i, 0));
        }
        return this;
    }

    /** Serves every queue by main and brings the driver up. */
    ScsiMachine begun() {
        return begunIn(main);
    }

    /** Brings the driver up, whoever serves its queues by then. */
    ScsiMachine driverUp() {
        GuestSession.begin(driver, guest, LIMIT_NANOS);
        return this;
    }

    /** Serves every queue by one context and brings the driver up. */
    ScsiMachine begunIn(AioContext context) {
        hba.startDataplane(new QueueMapping.Fixed(
                Collections.nCopies(driver.requestQueues(), context)));
        return driverUp();
    }

    QueueMapping allOnMain() {
        List<AioContext> contexts = new ArrayList<>();
        for (int i = 0; i < driver.requestQueues(); i++) {
            contexts.add(main);
        }
        return new QueueMapping.Fixed(contexts);
    }

    /** A disk whose requests a gate in front of its storage can hold. */
    ScsiDisk newDisk(BlockDriver storage) {
        String serial = "TEST-" + gates.size();
        GateDriver gate = new GateDriver();
        BlockNode lower = graph.add("storage" + gates.size(), storage);
        BlockNode upper = graph.add("gate" + gates.size(), gate, lower);
        gates.add(gate);
        BlockBackend backend = BlockBackend.create(
                graph, BackendConfig.named("disk" + gates.size()), upper, main);
        return new ScsiDisk(backend, ScsiDiskConfig.of(serial));
    }

    void plug(ScsiDisk disk, ScsiAddress address) {
        await(bus.plug(disk, address));
        disks.add(disk);
    }

    GuestSession session() {
        return new GuestSession(driver, guest, SESSION_BYTES, LIMIT_NANOS);
    }

    /** Takes the power-on conditions of every disk, so that tests see only their own. */
    ScsiMachine settled() {
        try (GuestSession session = session()) {
            for (int i = 0; i < disks.size(); i++) {
                session.execute(i, 0, GuestCdb.testUnitReady());
            }
        }
        return this;
    }

    GuestCommand submit(int queue, int target, byte[] cdb, int dataIn) {
        GuestCommand command = driver.newCommand(null);
        command.cdb(target, 0, cdb);
        if (dataIn > 0) {
            command.dataIn(ram.allocate(dataIn, 512), dataIn);
        }
        if (!driver.submit(queue, command)) {
            throw new AssertionError("the ring is full");
        }
        driver.kick();
        return command;
    }

    /** Sends a read on the first queue that is held in front of its disk's storage. */
    GuestCommand readThatHangs(int disk) {
        GateDriver gate = gates.get(disk);
        gate.shut();
        GuestCommand hung = submit(0, disk, GuestCdb.read10(0, 1), 512);
        until(() -> gate.heldCount() == 1);
        return hung;
    }

    /** As {@link #readThatHangs}, and it cannot be cancelled there. */
    GuestCommand readThatHangsDeaf(int disk) {
        gates.get(disk).cancellable(false);
        return readThatHangs(disk);
    }

    /** Sends a read on the first queue to a disk under a drained section, where it parks. */
    GuestCommand readThatParks(int disk) {
        Gate gate = disks.get(disk).backend().gate();
        GuestCommand parked = submit(0, disk, GuestCdb.read10(0, 1), 512);
        until(() -> gate.parkedCount() == 1);
        return parked;
    }

    DrainedSection drain(int disk) {
        return DrainedSection.begin(disks.get(disk).backend());
    }

    /** Runs a few turns of everything, for checks that something does not happen. */
    void turn() {
        for (int i = 0; i < 20; i++) {
            pollAll();
            driver.poll();
        }
    }

    void await(CompletionStage<?> stage) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        until(future::isDone);
        future.join();
    }

    void until(BooleanSupplier done) {
        if (!await(driver, done)) {
            throw new AssertionError("nothing comes; the guest is owed " + driver.outstanding()
                    + ", complaints " + driver.ledger().complaints());
        }
    }

    /** As {@link #turn}, while one context does not get a turn. */
    void turnWithout(AioContext idle) {
        others.remove(idle);
        turn();
        others.add(idle);
    }

    /** As {@link #until}, while one context does not get a turn. */
    void untilWithout(AioContext idle, BooleanSupplier done) {
        others.remove(idle);
        try {
            until(done);
        } finally {
            others.add(idle);
        }
    }

    private boolean await(GuestScsi polled, BooleanSupplier done) {
        for (int turns = 0; !done.getAsBoolean(); turns++) {
            if (turns == TURNS_MAX) {
                return false;
            }
            polled.poll();
            pollAll();
        }
        return true;
    }

    private void pollAll() {
        main.poll(0);
        for (AioContext other : others) {
            other.poll(0);
        }
    }

    @Override
    public void close() {
        for (GateDriver gate : gates) {
            gate.open();
        }
        await(hba.closeAsync());
        for (ScsiDisk disk : disks) {
            ScsiAddress address = disk.address();
            if (address != null) {
                await(bus.unplug(address));
            }
            disk.close();
            await(disk.backend().setContextAsync(main));
            await(disk.backend().closeAsync());
        }
        leases.forEach(Lease::close);
    }
}
