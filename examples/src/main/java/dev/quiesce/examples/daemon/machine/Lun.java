package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.disk.ScsiDisk;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A disk of an export. Main context. */
final class Lun {
    private final String id;
    private final Export export;
    private final String nodeName;
    private final ScsiDisk disk;
    private final ScsiAddress address;
    private @Nullable CompletionStage<Void> going;

    Lun(String id, Export export, String nodeName, ScsiDisk disk, ScsiAddress address) {
        this.id = id;
        this.export = export;
        this.nodeName = nodeName;
        this.disk = disk;
        this.address = address;
    }

    String id() {
        return id;
    }

    Export export() {
        return export;
    }

    String nodeName() {
        return nodeName;
    }

    ScsiDisk disk() {
        return disk;
    }

    ScsiAddress address() {
        return address;
    }

    boolean isLeaving() {
        return going != null;
    }

    /** Makes durable what was written; parks while somebody holds a section. */
    CompletionStage<Void> flush() {
        AioContext main = disk.main();
        CompletableFuture<Void> done = new CompletableFuture<>();
        BlockRequest request = new BlockRequest((flushed, status) -> {
            if (status.isOk() || status == BlockStatus.NO_MEDIUM) {
                done.complete(null);
            } else {
                done.completeExceptionally(new IOException(
                        "flush of '" + id + "': " + status, flushed.cause()));
            }
        });
        disk.backend().port(main).submit(request.prepare(Operation.FLUSH, 0, 0, null, 0));
        return done;
    }

    /**
     * Off the bus, then off its node. What runs is cancelled and waited for. The same stage for
     * everybody who asks.
     */
    CompletionStage<Void> removeAsync() {
        CompletionStage<Void> gone = going;
        if (gone == null) {
            BlockBackend backend = disk.backend();
            gone = export.bus().unplug(address).thenCompose(unplugged -> {
                disk.close();
                return backend.closeAsync();
            });
            going = gone;
        }
        return gone;
    }
}
