package dev.quiesce.examples;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.IoThreadConfig;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.vhostuser.VhostUserConfig;
import dev.quiesce.vhostuser.VhostUserServer;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A disk image for a guest of another process, over a vhost-user socket.
 *
 * <pre>{@code
 * java -cp examples/target/quiesce.jar dev.quiesce.examples.VhostUserExample disk.img disk.sock
 * }</pre>
 *
 * <p>Serves until its standard input ends or is given a line. The storage daemon does the same for
 * any number of disks.
 */
public final class VhostUserExample {
    private static final ScsiAddress ADDRESS = new ScsiAddress(0, 0);

    private VhostUserExample() {}

    /**
     * Serves an image.
     *
     * @param image the disk image, which guests may write
     * @param socket where front ends find it
     * @param end when to stop; completed in any thread
     * @throws IOException if the image cannot be opened, or the socket cannot be made
     */
    static void run(Path image, Path socket, CompletionStage<?> end) throws IOException {
        AioContext main = new AioContext("main", LoopSeams.system());
        try (var lease = main.acquire();
                BlockGraph graph = new BlockGraph(main);
                IoThread ioThread = IoThread.start(IoThreadConfig.withOwnPool(
                        "io0", LoopExample.threadsOf("io0"), main.seams()))) {
            BlockNode node = graph.add("image", FileDriver.open(FileConfig.writable(image)));
            ScsiBus bus = new ScsiBus(main, ScsiBusConfig.largest());
            VhostUserServer<VirtioScsi> server = VhostUserServer.listen(
                    new VhostUserConfig("export0", socket, Thread::new),
                    (memory, interrupt) -> VirtioScsi.create(
                            VirtioScsiConfig.of("export0", 2), bus, memory, interrupt));
            server.device().startDataplane(
                    QueueMapping.roundRobin(List.of(ioThread.context()), 2));
            BlockBackend backend = BlockBackend.create(
                    graph, BackendConfig.named("disk0"), node, ioThread.context());
            ScsiDisk disk = new ScsiDisk(backend, ScsiDiskConfig.of("SERIAL-0"));
            EmbeddingExample.await(main, bus.plug(disk, ADDRESS));

            EmbeddingExample.await(main, end); // Front ends come and go, and are served.

            EmbeddingExample.await(main, server.closeAsync());
            EmbeddingExample.await(main, server.device().closeAsync());
            EmbeddingExample.await(main, bus.unplug(ADDRESS));
            disk.close();
            backend.close();
        }
    }

    /**
     * Serves an image until somebody types a line.
     *
     * @param arguments the image and the socket
     * @throws IOException if the image cannot be opened, or the socket cannot be made
     */
    public static void main(String[] arguments) throws IOException {
        Usage.check(VhostUserExample.class, arguments, "IMAGE", "SOCKET");
        run(Path.of(arguments[0]), Path.of(arguments[1]),
                CompletableFuture.supplyAsync(VhostUserExample::readByte, VhostUserExample::start));
    }

    /** Runs what may block for ever: it must not keep the program from ending. */
    private static void start(Runnable job) {
        Thread thread = new Thread(job, "stdin");
        thread.setDaemon(true);
        thread.start();
    }

    private static int readByte() {
        try {
            return System.in.read();
        } catch (IOException e) {
            return -1; // As if it had ended.
        }
    }
}
