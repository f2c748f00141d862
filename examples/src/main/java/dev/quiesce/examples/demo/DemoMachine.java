package dev.quiesce.examples.demo;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ErrorHandler;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.aio.Workers;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.BlockDriver;
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
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
    private static final long LIMIT_NANOS = 60_000_000_000L;
    private static final long LOOK_AGAIN_NANOS = 1_000_000;

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

    /**
     * Builds the machine, or nothing.
     *
     * @throws IOException if the image cannot be opened
     * @throws IllegalStateException if the host has no room for the guest's memory
     */
    DemoMachine(DemoConfig config, int ramBytes, ErrorHandler errors) throws IOException {
        this(config, ramBytes, errors,
                () -> FileDriver.open(FileConfig.readOnly(config.image()).refusingEmpty()));
    }

    /** The same with images from elsewhere. */
    DemoMachine(DemoConfig config, int ramBytes, ErrorHandler errors, Images images)
            throws IOException {
        AtomicInteger serial = new AtomicInteger();
        workers = config.isSingleThreaded()
                ? Workers.inline()
                : Workers.pool(
                        job -> daemon(job, "worker-" + serial.incrementAndGet()), 0, WORKERS_MAX);
        LoopSeams seams = LoopSeams.system().withWorkers(workers).withErrors(errors);
        main = new AioContext("main", seams);
        lease = main.acquire();
        contexts.add(main);
        graph = new BlockGraph(main);
        bus = new ScsiBus(main, ScsiBusConfig.largest());
        try {
            for (int i = 0; i < config.ioThreads(); i++) {
                String name = "iothread-" + i;
                IoThread thread = IoThread.start(
                        new IoThreadConfig(name, job -> daemon(job, name), seams, false));
                ioThreads.add(thread);
                contexts.add(thread.context());
            }
            ram = newRam(ramBytes);
            for (int i = 0; i < config.luns(); i++) {
                addDisk(images.open(), config.overlayBytes(), i);
            }
            hba = VirtioScsi.create(
                    VirtioScsiConfig.of("scsi0", config.queues()), bus, ram, interrupts);
        } catch (IOException | RuntimeException | Error e) {
            closeAfter(e);
            throw e;
        }
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

    /**
     * Polls the main context until something asynchronous has ended.
     *
     * @throws IllegalStateException if it does not end in time
     */
    void await(String what, CompletionStage<?> stage) {
        await(what, stage, LIMIT_NANOS);
    }

    private void await(String what, CompletionStage<?> stage, long limitNanos) {
        CompletableFuture<?> future = stage.toCompletableFuture();
        long deadline = main.clock().nanoTime() + limitNanos;
        while (!future.isDone()) {
            if (main.clock().nanoTime() - deadline >= 0) {
                throw new IllegalStateException(what + " does not end: " + whatHoldsUp());
            }
            main.poll(LOOK_AGAIN_NANOS);
        }
        future.join();
    }

    /**
     * Takes everything down.
     *
     * @throws IllegalStateException if something does not come to rest; the rest stays as it is
     */
    @Override
    public void close() {
        closeWithin(LIMIT_NANOS);
    }

    /** Closes, with a limit for the commands that are under way. */
    void closeWithin(long limitNanos) {
        await("closing the host adapter", hba.closeAsync(), limitNanos);
        closeDisks();
        shutDown();
    }

    /** A disk: overlay over raw over the file, each LUN with a chain of its own. */
    private void addDisk(BlockDriver image, long overlayBytes, int index) {
        BlockNode file = graph.add("file" + index, image);
        BlockNode raw = graph.add("raw" + index, new RawDriver(0, RawDriver.REMAINDER), file);
        BlockNode overlay = graph.add("overlay" + index,
                new OverlayDriver(new OverlayConfig(overlayBytes)), raw);
        BlockBackend backend = BlockBackend.create(graph,
                BackendConfig.named("disk" + index), overlay, main);
        ScsiDisk disk = new ScsiDisk(backend, ScsiDiskConfig.of("QUIESCE-DEMO-" + index));
        disks.add(disk);
        await("plugging " + disk.name(), bus.plug(disk, address(index)));
    }

    private void closeDisks() {
        for (ScsiDisk disk : disks) {
            ScsiAddress address = disk.address();
            if (address != null) {
                await("unplugging " + disk.name(), bus.unplug(address));
            }
            BlockBackend backend = disk.backend();
            disk.close();
            await("moving " + backend.name(), backend.setContextAsync(main));
            backend.close();
        }
    }

    /** Takes down what the constructor had built when it failed. */
    private void closeAfter(Throwable failure) {
        try {
            closeDisks();
            shutDown();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
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

    private String whatHoldsUp() {
        WaitReport report = new WaitReport();
        for (ScsiDisk disk : disks) {
            disk.backend().describe(report);
        }
        return report.toString();
    }

    private static GuestRam newRam(int bytes) {
        try {
            return GuestRam.direct(RAM_BASE, bytes);
        } catch (OutOfMemoryError e) {
            throw new IllegalStateException("no room for " + (bytes >> 20)
                    + " MiB of guest memory: lower --queues or --depth", e);
        }
    }

    private static Thread daemon(Runnable job, String name) {
        Thread thread = new Thread(job, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Where each disk's image comes from. */
    interface Images {
        BlockDriver open() throws IOException;
    }
}
