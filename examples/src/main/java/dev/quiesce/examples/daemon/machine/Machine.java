package dev.quiesce.examples.daemon.machine;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.IoThread;
import dev.quiesce.aio.Task;
import dev.quiesce.examples.daemon.option.BlockdevOptions;
import dev.quiesce.examples.daemon.option.DeviceOptions;
import dev.quiesce.examples.daemon.option.ExportOptions;
import dev.quiesce.examples.daemon.option.IoThreadOptions;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockLayerException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything the daemon serves, and every way to change it.
 *
 * <p>Threads: the main context, except what says otherwise. Each operation
 * returns at once; its stage completes in the main context, exceptionally with one line for people
 * in the message. Nothing here waits.
 */
public final class Machine {
    /*
     * Operations are begun through run(), in outermost turns of the main context: never in the
     * middle of somebody's blocking change (AIO-45). They overlap while their stages are pending;
     * what must not happen twice is entered into its table before the first asynchronous step, or
     * refused by the graph, which makes its changes one after the other.
     */
    private final AioContext main;
    private final BlockGraph graph;
    private final IoThreadTable threads;
    private final NodeTable nodes;
    private final ExportTable exports;
    private final MachineListener listener;

    /** Clients come in any thread; all else of them is the main context's. */
    private final List<HeldSections> clients = new CopyOnWriteArrayList<>();
    private boolean closing;

    /** Operations that have begun and not ended. */
    private final Set<CompletionStage<?>> underWay = new HashSet<>();

    /**
     * An empty machine. Main context.
     *
     * @param main the context whose owner is control
     * @param transport how guests will reach its exports
     * @param listener hears of what nobody asked for
     */
    public Machine(AioContext main, Transport transport, MachineListener listener) {
        this.main = main;
        this.graph = new BlockGraph(main);
        this.threads = new IoThreadTable(main);
        this.nodes = new NodeTable(graph);
        this.exports = new ExportTable(graph, nodes, threads, transport);
        this.listener = listener;
    }

    /**
     * Begins an operation when its turn comes. Any thread.
     *
     * @param <T> what comes of it
     * @param what names it in reports
     * @param operation calls methods of this machine
     * @return completes in the main context as the operation does, or exceptionally with what it
     *     threw, or because the machine is going down
     */
    public <T> CompletionStage<T> run(String what, Supplier<CompletionStage<T>> operation) {
        CompletableFuture<T> done = new CompletableFuture<>();
        main.postOuter(new Task() {
            @Override
            protected void run() {
                CompletionStage<T> begun = begin(operation);
                underWay.add(begun);
                begun.whenComplete((value, failure) -> {
                    underWay.remove(begun);
                    if (failure != null) {
                        done.completeExceptionally(Failures.unwrapped(failure));
                    } else {
                        done.complete(value);
                    }
                });
            }

            @Override
            public String describe() {
                return what;
            }
        });
        return done.minimalCompletionStage();
    }

    private <T> CompletionStage<T> begin(Supplier<CompletionStage<T>> operation) {
        if (closing) {
            return CompletableFuture.failedStage(
                    new BlockLayerException("the daemon is shutting down"));
        }
        try {
            return operation.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /**
     * Makes a node.
     *
     * @param options what it is
     * @return completes when it stands
     */
    public CompletionStage<Void> addNode(BlockdevOptions options) {
        return nodes.add(options).thenApply(entry -> null);
    }

    /**
     * Removes a node that nobody uses.
     *
     * @param name the node
     * @return completes when its driver is closed
     */
    public CompletionStage<Void> removeNode(String name) {
        return nodes.remove(name);
    }

    /**
     * Gives a node another length.
     *
     * @param name the node
     * @param bytes the length
     * @return completes when everybody above it knows
     */
    public CompletionStage<Void> resizeNode(String name, long bytes) {
        NodeTable.Entry entry = nodes.require(name);
        if (entry.isReadOnly()) {
            throw new BlockLayerException("node '" + name + "' was not resized to " + bytes
                    + " bytes: it is read-only");
        }
        return graph.resizeAsync(entry.node(), bytes);
    }

    /**
     * Moves a node, and everything connected with it, to another loop.
     *
     * @param name the node
     * @param thread the IOThread, or null for the main loop
     * @return completes when it is there
     */
    public CompletionStage<Void> moveNode(String name, @Nullable String thread) {
        NodeTable.Entry entry = nodes.require(name);
        if (thread == null) {
            return graph.setContextAsync(entry.node(), main);
        }
        IoThreadTable.Entry target = threads.require(thread);
        target.moveBegins();
        return graph.setContextAsync(entry.node(), target.context())
                .thenRun(exports::noteMoves)
                .whenComplete((moved, failure) -> target.moveEnds());
    }

    /**
     * Starts an IOThread.
     *
     * @param options what it is
     * @return completes at once
     */
    public CompletionStage<Void> addIoThread(IoThreadOptions options) {
        threads.add(options);
        return CompletableFuture.completedStage(null);
    }

    /**
     * Changes how an IOThread works, while it does; from its next turn on.
     *
     * @param change what it is to have
     * @return completes at once
     */
    public CompletionStage<Void> changeIoThread(IoThreadOptions.Property change) {
        IoThread thread = threads.require(change.id()).thread();
        thread.change(change.changed(thread));
        return CompletableFuture.completedStage(null);
    }

    /**
     * How an IOThread works.
     *
     * @param asked the property
     * @return its value
     */
    public long askIoThread(IoThreadOptions.Property asked) {
        return asked.of(threads.require(asked.id()).thread());
    }

    /**
     * Ends an IOThread that serves nothing.
     *
     * @param id its name
     * @return completes when it has ended
     */
    public CompletionStage<Void> removeIoThread(String id) {
        IoThreadTable.Entry thread = threads.require(id);
        AioContext context = thread.context();
        if (thread.hasMoves()) {
            throw new BlockLayerException("a node is on its way to IOThread '" + id + "'");
        }
        for (Export export : exports.exports()) {
            if (export.wasServedBy(context)) {
                throw new BlockLayerException("IOThread '" + id + "' serves export '"
                        + export.options().id() + "', or did: delete that first");
            }
        }
        for (NodeTable.Entry entry : nodes.all()) {
            if (entry.node().context() == context) {
                throw new BlockLayerException("IOThread '" + id + "' is where node '"
                        + entry.name() + "' lives: move it first");
            }
        }
        return threads.remove(id);
    }

    /**
     * Makes an export and lets guests in.
     *
     * @param options what it is
     * @return completes when guests can connect
     */
    public CompletionStage<Void> addExport(ExportOptions options) {
        return exports.add(options);
    }

    /**
     * Begins to take an export away; {@code BLOCK_EXPORT_DELETED} tells when it has gone.
     *
     * @param id its name
     * @param hard whether a guest that is connected is shut out, rather than respected
     * @return completes when it has begun
     */
    public CompletionStage<Void> removeExport(String id, boolean hard) {
        Export export = exports.require(id);
        if (!hard && export.isConnected()) {
            throw new BlockLayerException("the export '" + id + "' is in use: a guest is connected"
                    + " (mode 'hard' shuts it out)");
        }
        if (export.isLeaving() || !export.isOpen()) {
            throw new BlockLayerException("the export '" + id + "' is "
                    + (export.isLeaving() ? "going already" : "still being made"));
        }
        exports.remove(export).exceptionally(failure -> report(id, failure))
                .thenRun(() -> tell("BLOCK_EXPORT_DELETED", "id", id));
        return CompletableFuture.completedStage(null);
    }

    /**
     * Plugs a disk into an export.
     *
     * @param options what it is
     * @return completes when guests have been told
     */
    public CompletionStage<Void> addDevice(DeviceOptions options) {
        return exports.plug(options);
    }

    /**
     * Begins to take a disk away; {@code DEVICE_DELETED} tells when it has gone.
     *
     * @param id its name
     * @return completes when it has begun
     */
    public CompletionStage<Void> removeDevice(String id) {
        exports.unplug(id).thenRun(() -> tell("DEVICE_DELETED", "device", id))
                .exceptionally(failure -> report(id, failure));
        return CompletableFuture.completedStage(null);
    }

    /**
     * Drains a node for as long as a client likes.
     *
     * @param client who
     * @param name the node
     * @return completes when nothing runs there any more
     */
    public CompletionStage<Void> quiesce(HeldSections client, String name) {
        return client.quiesce(nodes.require(name).node());
    }

    /**
     * Ends what {@link #quiesce} began.
     *
     * @param client who
     * @param name the node
     * @return completes at once
     */
    public CompletionStage<Void> resume(HeldSections client, String name) {
        client.resume(name);
        return CompletableFuture.completedStage(null);
    }

    /**
     * A client that may hold sections. Any thread.
     *
     * @return the client, holding none
     */
    public HeldSections newClient() {
        HeldSections client = new HeldSections(main);
        clients.add(client);
        return client;
    }

    /**
     * A client has gone: what it held is resumed.
     *
     * @param client who
     */
    public void forget(HeldSections client) {
        client.close();
        clients.remove(client);
    }

    /**
     * What there is, as JSON.
     *
     * @return good for any number of questions
     */
    public MachineInfo info() {
        return new MachineInfo(main, nodes, threads, exports);
    }

    /**
     * Takes everything down in order: sections end, what guests had begun is answered, they are
     * shut out, disks are flushed. Operations begun from now on are refused; those under way are
     * waited for, and exports that are being made get no more disks.
     *
     * @return completes when only {@link #close} is left; exceptionally, and then too, if something
     *     was not flushed or did not come down
     */
    public CompletionStage<Void> shutDown() {
        closing = true;
        List.copyOf(clients).forEach(this::forget);
        return exports.removeAll().handle((removed, failure) -> settled()
                .thenCompose(settled -> failure == null
                        ? CompletableFuture.<Void>completedStage(null)
                        : CompletableFuture.<Void>failedStage(Failures.unwrapped(failure))))
                .thenCompose(stage -> stage);
    }

    /** Completes when every operation that has begun has ended, however it did. */
    private CompletionStage<Void> settled() {
        CompletionStage<Void> all = CompletableFuture.completedStage(null);
        for (CompletionStage<?> each : underWay) {
            all = all.thenCombine(each.handle((done, failure) -> null), (left, right) -> null);
        }
        return all;
    }

    /** Closes the nodes and ends the IOThreads. Main context; polls. */
    public void close() {
        graph.close();
        threads.closeAll();
    }

    private void tell(String event, String key, String id) {
        listener.onEvent(event, JsonNodeFactory.instance.objectNode().put(key, id));
    }

    private @Nullable Void report(String id, Throwable failure) {
        main.seams().errors().onError(main, "end of '" + id + "'", Failures.unwrapped(failure));
        return null;
    }
}
