package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.ScsiBusConfig;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.scsi.TaskFunctionStats;
import dev.quiesce.virtio.scsi.VirtioScsi;
import dev.quiesce.virtio.scsi.VirtioScsiConfig;
import java.io.IOException;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A virtio-scsi adapter that guests can reach, and its bus. Main context. */
final class Export {
    private static final int RING_SIZE_MAX = 1024;

    private final ExportOptions options;
    private final ScsiBus bus;
    private final AioContext main;
    private final List<AioContext> queueContexts;

    /** Contexts that serve, or once served, requests of this export. */
    private final Set<AioContext> servedBy = new HashSet<>();
    private Transport.@Nullable Connection connection;
    private @Nullable CompletableFuture<Void> going;

    /** Never fails: whatever plugs disks or opens it, and has not ended. */
    private CompletionStage<Void> steps = CompletableFuture.completedStage(null);

    /**
     * Makes the bus only.
     *
     * @param queueContexts of each request queue; empty if there is no IOThread
     */
    Export(ExportOptions options, AioContext main, List<AioContext> queueContexts) {
        this.options = options;
        this.main = main;
        this.queueContexts = queueContexts;
        this.bus = new ScsiBus(main, ScsiBusConfig.largest());
        servedBy.addAll(queueContexts);
    }

    ExportOptions options() {
        return options;
    }

    ScsiBus bus() {
        return bus;
    }

    /** Where a disk of this export begins: with the first queue, or where its node is. */
    AioContext startContext(AioContext nodeContext) {
        return queueContexts.isEmpty()
                ? (options.mapping().follows() ? nodeContext : main) : queueContexts.get(0);
    }

    void noteServedBy(AioContext context) {
        servedBy.add(context);
    }

    boolean wasServedBy(AioContext context) {
        return servedBy.contains(context);
    }

    boolean isConnected() {
        return connection != null && connection.isConnected();
    }

    /** Whether guests can come, or could until it began to leave. */
    boolean isOpen() {
        return connection != null;
    }

    /** What guests asked of it by task management so far. */
    TaskFunctionStats taskFunctions() {
        return connection == null
                ? new TaskFunctionStats(0, 0, 0, 0, 0) : connection.device().taskFunctions();
    }

    boolean isLeaving() {
        return going != null;
    }

    /** Completes when it has gone; null while nobody wants it to go. */
    @Nullable CompletionStage<Void> going() {
        return going;
    }

    /** From now on it is leaving: nothing new begins. Whoever takes it down completes this. */
    CompletableFuture<Void> leave() {
        CompletableFuture<Void> gone = new CompletableFuture<>();
        going = gone;
        return gone;
    }

    /** Something that has begun, and has to end before the export can be taken down. */
    <T> CompletionStage<T> step(CompletionStage<T> begun) {
        steps = steps.thenCombine(begun.handle((done, failure) -> null), (left, right) -> null);
        return begun;
    }

    /** Completes when all that had begun until now has ended, however it did. */
    CompletionStage<Void> settled() {
        return steps;
    }

    /** Lets guests in: from now on they see what is on the bus. */
    CompletionStage<Void> open(Transport transport) throws IOException {
        main.checkHome();
        VirtioScsiConfig config = new VirtioScsiConfig(
                options.id(), options.queues(), RING_SIZE_MAX, true, true);
        Transport.Connection made = transport.open(options,
                (memory, interrupt) -> VirtioScsi.create(config, bus, memory, interrupt));
        connection = made;
        return made.device().startDataplane(mapping(made.device()));
    }

    /** Shuts guests out and takes the adapter off its bus. */
    CompletionStage<Void> shutOut() {
        main.checkHome();
        Transport.Connection open = connection;
        if (open == null) {
            return CompletableFuture.completedStage(null);
        }
        // The transport may say so on a thread of its own, also that it failed; what follows is for
        // the main context.
        return open.closeAsync()
                .handleAsync((closed, failure) -> failure == null ? takeOffBus(open.device())
                        : CompletableFuture.<Void>failedStage(Failures.unwrapped(failure)), main)
                .thenCompose(Function.identity());
    }

    private CompletionStage<Void> takeOffBus(VirtioScsi device) {
        main.checkHome();
        return device.closeAsync();
    }

    private QueueMapping mapping(VirtioScsi device) {
        if (options.mapping().follows()) {
            return device.following();
        }
        return new QueueMapping.Fixed(queueContexts.isEmpty()
                ? Collections.nCopies(options.queues(), main) : queueContexts);
    }
}
