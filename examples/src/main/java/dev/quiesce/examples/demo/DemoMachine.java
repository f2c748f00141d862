package dev.quiesce.examples.demo;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ErrorHandler;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.driver.filter.OverlayConfig;
import dev.quiesce.driver.filter.OverlayDriver;
import dev.quiesce.driver.filter.RawDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The machine around the disks: main context, IOThreads, workers, block graph, bus and host
 * adapter.
 *
 * <p>Built and closed by the thread that owns the main context.
 */
final class DemoMachine implements AutoCloseable {
    private static final int WORKERS_MAX = 4;
    private static final long RAM_BASE = 1L << 32;

    private final Workers workers;
    private final AioContext main;
    private final Lease lease;
    private final List<IoThread> ioThreads = new ArrayList<>();
    private final List<AioContext> contexts = new ArrayList<>();
    private final BlockGraph graph;
    private final ScsiBus bus;
    private final List<ScsiDisk> disks = new ArrayList<>();
    private final GuestRam ram;
    private final GuestInterrupts interrupts = new GuestInterrupts();
    private final VirtioScsi hba;

    DemoMachine(DemoConfig config, int ramBytes, ErrorHandler errors) throws Exception {
        AtomicInteger serial = new AtomicInteger();
        workers = config.isSingleThreaded()
                ? Workers.inline()
                : Workers.pool(
                        job -> daemon(job, "worker-" + serial.incrementAndGet()), 0, WORKERS_MAX);
        LoopSeams seams = LoopSeams.system().withWorkers(workers).withErrors(errors);
        main = new AioContext("main", seams);
        lease = main.acquire();
        contexts.add(main);
        for (int i = 0; i < config.ioThreads(); i++) {
            String name = "iothread-" + i;
            IoThread thread = IoThread.start(
                    new IoThreadConfig(name, job -> daemon(job, name), seams, false));
            ioThreads.add(thread);
            contexts.add(thread.context());
        }
        graph = new BlockGraph(main);
        bus = new ScsiBus(main, ScsiBusConfig.largest());
        ram = GuestRam.direct(RAM_BASE, ramBytes);
        try {
            for (int i = 0; i < config.luns(); i++) {
                disks.add(addDisk(config, i));
            }
        } catch (Exception e) {
            shutDown();
            throw e;
        }
        hba = VirtioScsi.create(
                VirtioScsiConfig.of("scsi0", config.queues()), bus, ram, interrupts);
    }

    AioContext main() {
        return main;
    }

    /** The main context and every IOThread's. */
    List<AioContext> contexts() {
        return contexts;
    }

    BlockGraph graph() {
        return graph;
    }

    ScsiBus bus() {
        return bus;
    }

    List<ScsiDisk> disks() {
        return disks;
    }

    GuestRam ram() {
        return ram;
    }

    GuestInterrupts interrupts() {
        return interrupts;
    }

    VirtioScsi hba() {
        return hba;
    }

    static ScsiAddress address(int disk) {
        return new ScsiAddress(disk, 0);
    }

    /** The node whose parents a filter of disk i is put between. */
    BlockNode topNode(int disk) {
        BlockNode node = graph.find("overlay" + disk);
        if (node == null) {
            throw new IllegalStateException("no node overlay" + disk);
        }
        return node;
    }

    /** Polls the main context until something asynchronous has ended. */
    void await(CompletionStage<?> stage) {
        var future = stage.toCompletableFuture();
        while (!future.isDone()) {
            main.poll(1_000_000);
        }
        future.join();
    }

    @Override
    public void close() {
        await(hba.closeAsync());
        for (ScsiDisk disk : disks) {
            if (disk.address() != null) {
                await(bus.unplug(disk.address()));
            }
            BlockBackend backend = disk.backend();
            disk.close();
            await(backend.setContextAsync(main));
            backend.close();
        }
        shutDown();
    }

    /** A disk: overlay over raw over the file, each LUN with a chain of its own. */
    private ScsiDisk addDisk(DemoConfig config, int index) throws Exception {
        FileDriver driver = FileDriver.open(FileConfig.readOnly(config.image()).refusingEmpty());
        BlockNode file = graph.add("file" + index, driver);
        BlockNode raw = graph.add("raw" + index, new RawDriver(0, RawDriver.REMAINDER), file);
        BlockNode overlay = graph.add("overlay" + index,
                new OverlayDriver(new OverlayConfig(Runtime.getRuntime().maxMemory() / 2)), raw);
        BlockBackend backend = BlockBackend.create(graph,
                BackendConfig.named("disk" + index), overlay, main);
        ScsiDisk disk = new ScsiDisk(backend, ScsiDiskConfig.of("QUIESCE-DEMO-" + index));
        await(bus.plug(disk, address(index)));
        return disk;
    }

    private void shutDown() {
        for (IoThread thread : ioThreads) {
            thread.close();
        }
        graph.close();
        main.poll(0);
        lease.close();
        workers.close();
    }

    private static Thread daemon(Runnable job, String name) {
        Thread thread = new Thread(job, name);
        thread.setDaemon(true);
        return thread;
    }
}
