package dev.quiesce.examples.daemon.machine;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.source.PollParameters;
import dev.quiesce.backend.BackendStats;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.examples.daemon.option.BlockdevOptions;
import dev.quiesce.scsi.CancelCause;
import dev.quiesce.virtio.scsi.TaskFunctionStats;

/** The machine as its monitor shows it. Main context. */
public final class MachineInfo {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final AioContext main;
    private final NodeTable nodes;
    private final IoThreadTable threads;
    private final ExportTable exports;

    MachineInfo(AioContext main, NodeTable nodes, IoThreadTable threads, ExportTable exports) {
        this.main = main;
        this.nodes = nodes;
        this.threads = threads;
        this.exports = exports;
    }

    /**
     * The nodes.
     *
     * @return one object each, in the order of adding
     */
    public ArrayNode nodes() {
        ArrayNode out = JSON.arrayNode();
        for (NodeTable.Entry entry : nodes.all()) {
            ObjectNode each = out.addObject()
                    .put("node-name", entry.name())
                    .put("drv", entry.node().driver().type())
                    .put("ro", entry.isReadOnly())
                    .put("iothread", nameOf(entry.node().context()))
                    .put("quiesced", entry.node().isQuiesced());
            ArrayNode children = each.putArray("children");
            entry.node().children().forEach(child -> children.add(child.name()));
            ObjectNode image = each.putObject("image")
                    .put("virtual-size", entry.node().lengthBytes());
            if (entry.options().source() instanceof BlockdevOptions.HostFile file) {
                image.put("filename", file.filename().toString());
            }
        }
        return out;
    }

    /**
     * The exports.
     *
     * @return one object each, in the order of adding
     */
    public ArrayNode exports() {
        ArrayNode out = JSON.arrayNode();
        for (Export export : exports.exports()) {
            ObjectNode each = out.addObject()
                    .put("id", export.options().id())
                    .put("type", "vhost-user-scsi")
                    .put("shutting-down", export.isLeaving())
                    .put("connected", export.isConnected())
                    .put("writable", export.options().writable())
                    .put("num-queues", export.options().queues());
            each.putObject("addr").put("type", "unix")
                    .put("path", export.options().socket().toString());
            TaskFunctionStats functions = export.taskFunctions();
            each.putObject("task-functions")
                    .put("aborts", functions.aborts())
                    .put("resets", functions.resets())
                    .put("queries", functions.queries())
                    .put("refused", functions.refused())
                    .put("answered", functions.answered());
            ArrayNode luns = each.putArray("luns");
            for (Lun lun : exports.lunsOf(export)) {
                luns.addObject()
                        .put("id", lun.id())
                        .put("node-name", lun.nodeName())
                        .put("scsi-id", lun.address().target())
                        .put("lun", lun.address().lun());
            }
        }
        return out;
    }

    /**
     * The IOThreads.
     *
     * @return one object each, in the order of adding
     */
    public ArrayNode ioThreads() {
        ArrayNode out = JSON.arrayNode();
        for (IoThreadTable.Entry entry : threads.all()) {
            IoThread.Properties properties = entry.thread().properties();
            PollParameters polling = entry.context().polling();
            out.addObject()
                    .put("id", entry.options().id())
                    .put("thread-id", entry.thread().thread().getId())
                    .put("poll-max-ns", polling.maxNanos())
                    .put("poll-grow", polling.grow())
                    .put("poll-shrink", polling.shrink())
                    .put("aio-max-batch", properties.batchMax())
                    .put("thread-pool-min", properties.poolMin())
                    .put("thread-pool-max", properties.poolMax());
        }
        return out;
    }

    /**
     * What went through the disks, and what is in them.
     *
     * @return one object for each disk
     */
    public ArrayNode stats() {
        ArrayNode out = JSON.arrayNode();
        for (Lun lun : exports.luns()) {
            BlockBackend backend = lun.disk().backend();
            BackendStats stats = backend.stats();
            out.addObject()
                    .put("device", lun.id())
                    .put("export", lun.export().options().id())
                    .put("node-name", lun.nodeName())
                    .put("iothread", nameOf(backend.context()))
                    .put("quiesced", backend.isQuiesced())
                    .put("in-flight", backend.gate().inFlight())
                    .put("parked-now", backend.gate().parkedCount())
                    .put("commands-listed", lun.disk().listedRequests())
                    .put("commands-aborted",
                            lun.disk().cancelledRequests(CancelCause.ABORT))
                    .put("commands-reset", lun.disk().cancelledRequests(CancelCause.RESET))
                    .put("requests", stats.requests())
                    .put("read-bytes", stats.readBytes())
                    .put("written-bytes", stats.writtenBytes())
                    .put("failed", stats.failed())
                    .put("parked", stats.parked())
                    .put("replayed", stats.replayed())
                    .put("cancelled-while-parked", stats.cancelledWhileParked())
                    .put("cancelled-in-driver", stats.cancelledInDriver())
                    .put("context-changes", stats.contextChanges());
        }
        return out;
    }

    private String nameOf(AioContext context) {
        return context == main ? "main" : context.name();
    }
}
