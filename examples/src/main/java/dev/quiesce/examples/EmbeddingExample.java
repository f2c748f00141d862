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
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The embedding example of the README: a disk image behind virtio-scsi on a machine without
 * threads.
 *
 * <p>The caller owns {@code main}, polls it in its loop, and forwards the guest's register
 * accesses.
 */
final class EmbeddingExample {
    private EmbeddingExample() {
    }

    static VirtioScsi attach(AioContext main, Path image, GuestMemory memory, Interrupt interrupt)
            throws IOException {
        BlockGraph graph = new BlockGraph(main);
        FileDriver file = FileDriver.open(FileConfig.writable(image));
        BlockBackend backend = BlockBackend.create(
                graph, BackendConfig.named("disk0"), graph.add("image", file), main);
        ScsiBus bus = new ScsiBus(main, ScsiBusConfig.largest());
        bus.plug(new ScsiDisk(backend, ScsiDiskConfig.of("SERIAL-0")), new ScsiAddress(0, 0));
        VirtioScsi hba = VirtioScsi.create(VirtioScsiConfig.of("scsi0", 1), bus, memory, interrupt);
        hba.startDataplane(QueueMapping.roundRobin(List.of(main), 1));
        return hba;
    }

    /** A main context for a machine with one thread: disk work runs in the turns of the loop. */
    static AioContext newMain() {
        AioContext main = new AioContext("main", LoopSeams.system());
        main.acquire();
        return main;
    }
}
