package dev.quiesce.examples;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestProbe;
import dev.quiesce.testkit.guest.GuestRam;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The embedding example of the README: an image behind virtio-scsi, in a machine with one thread.
 *
 * <pre>{@code
 * java -cp examples/target/quiesce.jar dev.quiesce.examples.EmbeddingExample disk.img
 * }</pre>
 *
 * <p>The program attaches the image, lets a mock guest look for disks, prints what it found, and
 * takes everything down. An emulator puts its own CPU where the mock guest is: in each step it
 * calls {@code main.poll(0)}, and it forwards the guest's accesses to the device's registers.
 */
public final class EmbeddingExample {
    private static final ScsiAddress ADDRESS = new ScsiAddress(0, 0);
    private static final long LIMIT_NANOS = 60_000_000_000L;
    private static final int RAM_BYTES = 1 << 20;

    private EmbeddingExample() {
    }

    /**
     * Attaches an image and runs a guest on it.
     *
     * @param image the disk image, which the guest may write
     * @param memory the guest's memory
     * @param interrupt how the device interrupts the guest
     * @param guest polls {@code main} again and again until the machine is switched off
     * @throws IOException if the image cannot be opened
     */
    static void run(Path image, GuestMemory memory, Interrupt interrupt, Guest guest)
            throws IOException {
        AioContext main = new AioContext("main", LoopSeams.system());
        try (var lease = main.acquire();
                BlockGraph graph = new BlockGraph(main)) {
            FileDriver file = FileDriver.open(FileConfig.writable(image));
            BlockBackend backend = BlockBackend.create(
                    graph, BackendConfig.named("disk0"), graph.add("image", file), main);
            ScsiDisk disk = new ScsiDisk(backend, ScsiDiskConfig.of("SERIAL-0"));
            ScsiBus bus = new ScsiBus(main, ScsiBusConfig.largest());
            VirtioScsi hba =
                    VirtioScsi.create(VirtioScsiConfig.of("scsi0", 1), bus, memory, interrupt);
            await(main, bus.plug(disk, ADDRESS));
            await(main, hba.startDataplane(QueueMapping.roundRobin(List.of(main), 1)));

            guest.run(main, hba); // Until the machine is switched off.

            await(main, hba.closeAsync());
            await(main, bus.unplug(ADDRESS));
            disk.close();
            backend.close();
        }
    }

    /** Polls until something asynchronous has ended; throws what it ended with. */
    static void await(AioContext main, CompletionStage<?> stage) {
        var future = stage.toCompletableFuture();
        while (!future.isDone()) {
            main.poll(1_000_000);
        }
        future.join();
    }

    /**
     * Runs a mock guest that looks for disks.
     *
     * @param arguments the image
     * @throws IOException if the image cannot be opened
     */
    public static void main(String[] arguments) throws IOException {
        Usage.check(EmbeddingExample.class, arguments, "IMAGE");
        GuestRam ram = GuestRam.direct(0, RAM_BYTES);
        run(Path.of(arguments[0]), ram, new GuestInterrupts(), (main, hba) -> {
            GuestScsi driver = new GuestScsi(hba, ram, GuestScsiConfig.likeLinux(), main.clock());
            GuestMachine machine = GuestMachine.single(main);
            GuestSession.begin(driver, machine, LIMIT_NANOS);
            try (GuestSession session = new GuestSession(driver, machine, 4096, LIMIT_NANOS)) {
                for (FoundDisk disk : new GuestProbe(session).scan(0)) {
                    System.out.println(disk.describe());
                }
            }
        });
    }

    /** The rest of the machine. */
    interface Guest {
        void run(AioContext main, VirtioScsi hba);
    }
}
