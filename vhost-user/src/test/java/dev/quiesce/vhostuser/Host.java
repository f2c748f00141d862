package dev.quiesce.vhostuser;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.aio.Workers;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
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
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A process that serves one memory disk: a main context and one IOThread, each with a thread of its
 * own, and a server. The test's thread is foreign to both, as an operator's is.
 */
final class Host implements AutoCloseable {
    static final int DISK_BYTES = 8 << 20;
    static final long LIMIT_SECONDS = 60;

    final IoThread mainThread = start("main");
    final IoThread ioThread = start("io");
    final AioContext main = mainThread.context();
    final GateDriver gate = new GateDriver();
    final BlockGraph graph;
    final ScsiBus bus;
    final ScsiDisk disk;
    final VhostUserServer<VirtioScsi> server;

    private final List<Thread> serverThreads = new CopyOnWriteArrayList<>();

    /** What a front end does whenever a descriptor of it has been made non-blocking. */
    volatile Runnable meanwhile = () -> { };

    Host(Path socket, int requestQueues) throws Exception {
        this(socket, requestQueues, new MemoryDriver(MemoryConfig.direct(DISK_BYTES)));
    }

    Host(Path socket, int requestQueues, BlockDriver storage) throws Exception {
        graph = onMain(() -> new BlockGraph(main));
        bus = onMain(() -> new ScsiBus(main, ScsiBusConfig.largest()));
        disk = onMain(
                () -> newDisk("disk", storage));
        await(bus.plug(disk, new ScsiAddress(0, 0)));
        server = onMain(() -> VhostUserServer.listen(
                new VhostUserConfig("test", socket, this::serverThread),
                (memory, interrupt) -> VirtioScsi.create(
                        VirtioScsiConfig.of("test", requestQueues), bus, memory, interrupt),
                () -> meanwhile.run()));
        await(server.device().startDataplane(
                QueueMapping.roundRobin(List.of(ioThread.context()), requestQueues)));
    }

    /** One more export, with a disk of its own, on the same threads. */
    Export another(Path socket) throws Exception {
        ScsiBus itsBus = onMain(() -> new ScsiBus(main, ScsiBusConfig.largest()));
        ScsiDisk itsDisk = onMain(
                () -> newDisk("other", new MemoryDriver(MemoryConfig.direct(DISK_BYTES))));
        await(itsBus.plug(itsDisk, new ScsiAddress(0, 0)));
        VhostUserServer<VirtioScsi> itsServer = onMain(() -> VhostUserServer.listen(
                new VhostUserConfig("other", socket, Host::daemon),
                (memory, interrupt) -> VirtioScsi.create(
                        VirtioScsiConfig.of("other", 1), itsBus, memory, interrupt)));
        await(itsServer.device().startDataplane(
                QueueMapping.roundRobin(List.of(ioThread.context()), 1)));
        return new Export(itsBus, itsDisk, itsServer);
    }

    /** An export besides the first. */
    final class Export implements AutoCloseable {
        private final ScsiBus bus;
        private final ScsiDisk disk;
        private final VhostUserServer<VirtioScsi> server;

        private Export(ScsiBus bus, ScsiDisk disk, VhostUserServer<VirtioScsi> server) {
            this.bus = bus;
            this.disk = disk;
            this.server = server;
        }

        @Override
        public void close() throws Exception {
            await(server.closeAsync());
            await(server.device().closeAsync());
            await(bus.unplug(new ScsiAddress(0, 0)));
            Host.this.close(disk);
        }
    }

    /**
     * Returns when the server waits for rings that it stops, and fetches nothing from them any
     * more. It has to have a reason to wait.
     */
    void awaitStopOfRings() throws Exception {
        // It tells the device to stop all of them, and then waits for a while, again and again.
        Thread serving = serverThreads.get(0);
        until(() -> serving.getState() == Thread.State.TIMED_WAITING || !serving.isAlive(),
                () -> "the server does not wait for its rings, but is "
                        + Arrays.toString(serving.getStackTrace()));
        if (!serving.isAlive()) {
            throw new AssertionError("the server has not waited for its rings");
        }
        // The device begins these in turn. No queue has this number, which is found out behind
        // the stops; and then the loop that serves the queues knows.
        CompletableFuture<?> behind = server.device().stopQueue(-1).toCompletableFuture();
        behind.handle((none, expected) -> none).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        CompletableFuture.runAsync(() -> { }, ioThread.context())
                .get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Returns when a server that cannot accept anybody has tried so often from now on. */
    void awaitTries(int count) {
        Thread serving = serverThreads.get(0);
        for (int i = 0; i < count; i++) {
            until(() -> serving.getState() == Thread.State.TIMED_WAITING, () -> "no pause");
            until(() -> serving.getState() != Thread.State.TIMED_WAITING, () -> "no try");
        }
        until(() -> serving.getState() == Thread.State.TIMED_WAITING, () -> "no pause");
    }

    /** The first is the server's own. */
    private Thread serverThread(Runnable body) {
        Thread thread = daemon(body);
        serverThreads.add(thread);
        return thread;
    }

    /** Runs something where control operations are allowed. */
    <T> T onMain(Callable<T> action) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        main.execute(() -> {
            try {
                done.complete(action.call());
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        return done.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Looks again and again until something is so, and says how things stand if it never is. */
    static void until(BooleanSupplier isSo, Supplier<String> state) {
        long begun = System.nanoTime();
        while (!isSo.getAsBoolean()) {
            if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
                throw new AssertionError("after " + LIMIT_SECONDS + " s: " + state.get());
            }
            Thread.onSpinWait();
        }
    }

    static <T> T await(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws Exception {
        gate.open();
        await(server.closeAsync());
        await(server.device().closeAsync());
        await(bus.unplug(new ScsiAddress(0, 0)));
        close(disk);
        ioThread.close();
        mainThread.close();
    }

    /** A disk that the gate can hold if it is the first. Control. */
    ScsiDisk newDisk(String name, BlockDriver storage) {
        BlockNode node = graph.add(name + ".storage", storage);
        BlockNode root = disk == null ? graph.add(name + ".gate", gate, node) : node;
        BlockBackend backend =
                BlockBackend.create(graph, BackendConfig.named(name), root, main);
        return new ScsiDisk(backend, ScsiDiskConfig.of(name));
    }

    /** Closes a disk that is unplugged. */
    void close(ScsiDisk unplugged) throws Exception {
        onMain(() -> {
            unplugged.close();
            return null;
        });
        await(unplugged.backend().closeAsync());
    }

    private static IoThread start(String name) {
        return IoThread.start(new IoThreadConfig(name, Host::daemon,
                LoopSeams.system().withWorkers(Workers.inline()), true));
    }

    static Thread daemon(Runnable body) {
        Thread thread = new Thread(body);
        thread.setDaemon(true);
        return thread;
    }
}
