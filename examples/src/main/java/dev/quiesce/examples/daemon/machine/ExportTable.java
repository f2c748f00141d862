package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BackendConfig;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.examples.daemon.option.DeviceOptions;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.examples.daemon.option.WrongOptionException;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.disk.ScsiDiskConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The exports and their disks. Main context. */
final class ExportTable {
    private static final int SERIAL_MAX = 20;

    private final BlockGraph graph;
    private final NodeTable nodes;
    private final IoThreadTable threads;
    private final Transport transport;
    private final Map<String, Export> exports = new LinkedHashMap<>();
    private final Map<String, Lun> luns = new LinkedHashMap<>();

    ExportTable(BlockGraph graph, NodeTable nodes, IoThreadTable threads, Transport transport) {
        this.graph = graph;
        this.nodes = nodes;
        this.threads = threads;
        this.transport = transport;
    }

    List<Export> exports() {
        return List.copyOf(exports.values());
    }

    List<Lun> luns() {
        return List.copyOf(luns.values());
    }

    /** The disks of one export, in the order in which they came. */
    List<Lun> lunsOf(Export export) {
        return luns.values().stream().filter(lun -> lun.export() == export).toList();
    }

    /** Makes the disks, then the adapter in front of them, then lets guests in. */
    CompletionStage<Void> add(ExportOptions options) {
        graph.main().checkHome();
        if (exports.containsKey(options.id())) {
            throw new WrongOptionException("the export '" + options.id() + "' is there already");
        }
        List<AioContext> contexts = new ArrayList<>();
        options.mapping().threads().forEach(id -> contexts.add(threads.require(id).context()));
        options.nodeNames().forEach(nodes::require);
        Export export = new Export(options, graph.main(), contexts);
        exports.put(options.id(), export);
        return export.step(make(export));
    }

    private CompletionStage<Void> make(Export export) {
        ExportOptions options = export.options();
        CompletionStage<Void> ready = CompletableFuture.completedStage(null);
        for (int i = 0; i < options.nodeNames().size(); i++) {
            DeviceOptions disk = new DeviceOptions(options.id() + "-lun" + i, options.id(),
                    options.nodeNames().get(i), 0, i, null);
            ready = ready.thenCompose(before -> plug(export, disk));
        }
        return ready.thenCompose(plugged -> open(export))
                .handle((opened, failure) -> failure == null
                        ? CompletableFuture.<Void>completedStage(null)
                        : export.shutOut().exceptionally(worse -> null)
                                .thenCompose(shut -> removeLuns(export))
                                .handle((removed, worse) -> {
                                    exports.remove(options.id(), export);
                                    throw Failures.rethrown(failure);
                                }).<Void>thenApply(never -> null))
                .thenCompose(stage -> stage);
    }

    Export require(String id) {
        Export export = exports.get(id);
        if (export == null) {
            throw new WrongOptionException("there is no export '" + id + "'; there are: "
                    + (exports.isEmpty() ? "none" : String.join(", ", exports.keySet())));
        }
        return export;
    }

    /**
     * Waits for what is being made or plugged, begins nothing more of it, flushes, shuts guests
     * out when what they had begun is answered, takes everything down. Flushed twice: first while
     * the guest is served, then what it wrote until it was shut out, so that all that was answered
     * is durable.
     *
     * @return completes when it has gone; exceptionally, but then too, if a flush failed. The same
     *     stage for everybody who asks.
     */
    CompletionStage<Void> remove(Export export) {
        graph.main().checkHome();
        CompletionStage<Void> going = export.going();
        if (going != null) {
            return going;
        }
        CompletableFuture<Void> gone = export.leave();
        export.settled().thenCompose(settled -> takeDown(export))
                .whenComplete((down, failure) -> {
                    if (failure == null) {
                        gone.complete(null);
                    } else {
                        gone.completeExceptionally(Failures.unwrapped(failure));
                    }
                });
        return gone;
    }

    private CompletionStage<Void> takeDown(Export export) {
        CompletionStage<Void> first = flush(export);
        CompletionStage<Void> second = first.exceptionally(failure -> null)
                .thenCompose(flushed -> export.shutOut())
                .thenCompose(shut -> flush(export));
        return second.handle((flushed, failure) -> removeLuns(export))
                .thenCompose(removed -> removed)
                .whenComplete((removed, failure) -> exports.remove(export.options().id(), export))
                .thenCombine(first, (left, right) -> null)
                .thenCombine(second, (left, right) -> null);
    }

    /** All of them, also those that are going already. */
    CompletionStage<Void> removeAll() {
        CompletionStage<Void> all = CompletableFuture.completedStage(null);
        for (Export export : exports()) {
            all = all.thenCombine(remove(export), (left, right) -> null);
        }
        return all;
    }

    /** Plugs a disk into an export, named or the only one. */
    CompletionStage<Void> plug(DeviceOptions options) {
        graph.main().checkHome();
        String bus = options.bus();
        if (bus == null && exports.size() != 1) {
            throw new WrongOptionException("parameter 'bus' is missing: there are "
                    + exports.size() + " exports");
        }
        Export export = bus == null ? exports.values().iterator().next() : require(bus);
        if (export.isLeaving() || !export.isOpen()) {
            throw new BlockLayerException("the export '" + export.options().id() + "' is "
                    + (export.isLeaving() ? "going" : "still being made"));
        }
        return export.step(plug(export, options));
    }

    /** Begins to take a disk away; completes when it has gone. */
    CompletionStage<Void> unplug(String id) {
        graph.main().checkHome();
        Lun lun = luns.get(id);
        if (lun == null) {
            throw new NoSuchDeviceException("there is no device '" + id + "'; there are: "
                    + (luns.isEmpty() ? "none" : String.join(", ", luns.keySet())));
        }
        if (lun.isLeaving()) {
            throw new BlockLayerException("the device '" + id + "' is being unplugged already");
        }
        return lun.removeAsync().thenRun(() -> luns.remove(id));
    }

    /** A disk's component has moved: its exports were served there. */
    void noteMoves() {
        luns.values().forEach(lun -> lun.export().noteServedBy(lun.disk().backend().context()));
    }

    private CompletionStage<Void> open(Export export) {
        if (export.isLeaving()) {
            return goingAlready(export);
        }
        try {
            return export.open(transport);
        } catch (IOException e) {
            String line = Failures.lineOf(e);
            String socket = export.options().socket().toString();
            return CompletableFuture.failedStage(line.contains(socket)
                    ? e : new IOException("socket " + socket + ": " + line, e));
        }
    }

    private static CompletionStage<Void> goingAlready(Export export) {
        return CompletableFuture.failedStage(new BlockLayerException(
                "the export '" + export.options().id() + "' is going before it was made"));
    }

    private CompletionStage<Void> flush(Export export) {
        graph.main().checkHome();
        CompletionStage<Void> all = CompletableFuture.completedStage(null);
        for (Lun lun : lunsOf(export)) {
            all = all.thenCombine(lun.flush(), (left, right) -> null);
        }
        return all;
    }

    private CompletionStage<Void> removeLuns(Export export) {
        graph.main().checkHome();
        CompletionStage<Void> all = CompletableFuture.completedStage(null);
        for (Lun lun : lunsOf(export)) {
            all = all.thenCompose(before -> lun.removeAsync())
                    .thenRun(() -> luns.remove(lun.id()));
        }
        return all;
    }

    private CompletionStage<Void> plug(Export export, DeviceOptions options) {
        if (export.isLeaving()) { // since the plug before
            return goingAlready(export);
        }
        if (luns.containsKey(options.id())) {
            throw new WrongOptionException("the device '" + options.id() + "' is there already");
        }
        NodeTable.Entry node = nodes.require(options.drive());
        BackendConfig config = BackendConfig.named(options.id())
                .withAllowContextChange(export.options().mapping().follows())
                .withReadOnly(!export.options().writable() || node.isReadOnly());
        AioContext start = export.startContext(node.node().context());
        return BlockBackend.createAsync(graph, config, node.node(), start).thenCompose(backend ->
                plug(export, options, backend).handle((plugged, failure) -> failure == null
                        ? CompletableFuture.<Void>completedStage(null)
                        : backend.closeAsync().<Void>thenApply(closed -> {
                            throw Failures.rethrown(failure);
                        }))
                .thenCompose(stage -> stage));
    }

    private CompletionStage<Void> plug(
            Export export, DeviceOptions options, BlockBackend backend) {
        if (export.isLeaving()) { // since the backend was asked for
            return goingAlready(export);
        }
        ScsiDisk disk;
        try {
            disk = new ScsiDisk(backend, ScsiDiskConfig.of(serialOf(options)));
        } catch (IllegalArgumentException e) {
            return CompletableFuture.failedStage(e);
        }
        ScsiAddress address = new ScsiAddress(options.target(), options.lun());
        return export.bus().plug(disk, address).handle((plugged, failure) -> {
            ScsiAddress at = disk.address();
            if (failure != null || at == null) {
                disk.close();
                throw Failures.rethrown(failure == null
                        ? new IllegalStateException("plugged nowhere") : failure);
            }
            luns.put(options.id(), new Lun(options.id(), export, options.drive(), disk, at));
            export.noteServedBy(backend.context());
            return null;
        });
    }

    private static String serialOf(DeviceOptions options) {
        String serial = options.serial();
        if (serial != null) {
            return serial;
        }
        String id = options.id();
        return id.length() <= SERIAL_MAX ? id : id.substring(id.length() - SERIAL_MAX);
    }
}
