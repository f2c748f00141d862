package dev.quiesce.examples.daemon.machine;

import dev.quiesce.aio.AioContext;
import dev.quiesce.driver.BlockDriver;
import dev.quiesce.driver.BlockOpenException;
import dev.quiesce.driver.file.FileConfig;
import dev.quiesce.driver.file.FileDriver;
import dev.quiesce.driver.filter.OverlayConfig;
import dev.quiesce.driver.filter.OverlayDriver;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.driver.filter.RawDriver;
import dev.quiesce.driver.memory.MemoryConfig;
import dev.quiesce.driver.memory.MemoryDriver;
import dev.quiesce.driver.memory.NullDriver;
import dev.quiesce.examples.daemon.option.BlockdevOptions;
import dev.quiesce.examples.daemon.option.WrongOptionException;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** The nodes of the graph, with what they were asked to be. Main context. */
final class NodeTable {
    private final BlockGraph graph;
    private final AioContext main;
    private final Map<String, Entry> nodes = new LinkedHashMap<>();
    private long nestedNodes;

    NodeTable(BlockGraph graph) {
        this.graph = graph;
        this.main = graph.main();
    }

    /**
     * A node and what it was asked to be.
     *
     * @param below the node it stands on, if any
     * @param owned whether that one was made for it
     */
    record Entry(BlockNode node, BlockdevOptions options, @Nullable Entry below, boolean owned) {
        String name() {
            return node.name();
        }

        /** Whether writes end here: by wish, by the driver, or by what is written through to. */
        boolean isReadOnly() {
            boolean through = options.source() instanceof BlockdevOptions.Raw
                    || options.source() instanceof BlockdevOptions.Passthrough;
            return options.readOnly() || node.limits().readOnly()
                    || (through && below != null && below.isReadOnly());
        }
    }

    Entry require(String name) {
        Entry entry = nodes.get(name);
        if (entry == null) {
            throw new WrongOptionException("there is no node '" + name + "'; there are: "
                    + (nodes.isEmpty() ? "none" : String.join(", ", nodes.keySet())));
        }
        return entry;
    }

    List<Entry> all() {
        return List.copyOf(nodes.values());
    }

    /** Makes a node, and before it the one below if that is defined with it. */
    CompletionStage<Entry> add(BlockdevOptions options) {
        String name = options.nodeName().isEmpty() ? freeName() : options.nodeName();
        if (nodes.containsKey(name)) {
            throw new WrongOptionException("the name '" + name + "' is taken");
        }
        BlockdevOptions.Child child = childOf(options.source());
        if (child instanceof BlockdevOptions.Nested nested) {
            return add(nested.options()).thenCompose(below ->
                    undoing(below, addAbove(name, options, below, true)));
        }
        Entry below = child instanceof BlockdevOptions.Reference reference
                ? require(reference.nodeName()) : null;
        return addAbove(name, options, below, false);
    }

    private String freeName() {
        String name;
        do {
            name = "nested-" + ++nestedNodes;
        } while (nodes.containsKey(name));
        return name;
    }

    /** Removes a node that nobody uses, and those that were made for it. */
    CompletionStage<Void> remove(String name) {
        Entry entry = require(name);
        if (entry.node().isQuiesced()) {
            throw new BlockLayerException("node '" + name + "' is quiesced: resume it first");
        }
        return graph.removeAsync(entry.node()).thenCompose(removed -> {
            nodes.remove(name, entry);
            Entry below = entry.below();
            return below == null || !entry.owned()
                    ? CompletableFuture.completedFuture(null) : removeOwned(below);
        });
    }

    /** One that somebody else uses by its name meanwhile stays. */
    private CompletionStage<Void> removeOwned(Entry entry) {
        try {
            return remove(entry.name()).exceptionally(inUse -> null);
        } catch (BlockLayerException | WrongOptionException quiescedOrGone) {
            return CompletableFuture.completedStage(null);
        }
    }

    private CompletionStage<Entry> addAbove(
            String name, BlockdevOptions options, @Nullable Entry below, boolean owned) {
        return open(name, options).thenCompose(driver -> {
            BlockNode[] children =
                    below == null ? new BlockNode[0] : new BlockNode[] {below.node()};
            return graph.addAsync(name, driver, children).handle((node, failure) -> {
                if (failure != null) {
                    driver.close();
                    throw Failures.rethrown(failure);
                }
                Entry entry = new Entry(node, options, below, owned);
                nodes.put(name, entry);
                return entry;
            });
        });
    }

    private CompletionStage<Entry> undoing(Entry below, CompletionStage<Entry> above) {
        return above.handle((entry, failure) -> failure == null
                        ? CompletableFuture.completedStage(entry)
                        : removeOwned(below).<Entry>thenApply(removed -> {
                            throw Failures.rethrown(failure);
                        }))
                .thenCompose(stage -> stage);
    }

    private CompletionStage<BlockDriver> open(String name, BlockdevOptions options) {
        BlockdevOptions.Source source = options.source();
        if (source instanceof BlockdevOptions.HostFile file) {
            return HostWork.run(main, "open of node " + name,
                    () -> openFile(file, options.readOnly()));
        }
        try {
            return CompletableFuture.completedStage(make(source));
        } catch (IllegalArgumentException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private static BlockDriver make(BlockdevOptions.Source source) {
        if (source instanceof BlockdevOptions.Memory memory) {
            return new MemoryDriver(MemoryConfig.direct(memory.bytes()));
        }
        if (source instanceof BlockdevOptions.Null nothing) {
            return new NullDriver(nothing.bytes());
        }
        if (source instanceof BlockdevOptions.Raw raw) {
            return new RawDriver(raw.offset(), raw.bytes());
        }
        if (source instanceof BlockdevOptions.Overlay overlay) {
            return new OverlayDriver(new OverlayConfig(overlay.maxBytes()));
        }
        return new PassthroughDriver();
    }

    /** Worker. */
    private static BlockDriver openFile(BlockdevOptions.HostFile file, boolean readOnly)
            throws BlockOpenException {
        FileConfig writable = FileConfig.writable(file.filename());
        if (readOnly) {
            return FileDriver.open(FileConfig.readOnly(file.filename()));
        }
        try {
            return FileDriver.open(writable);
        } catch (BlockOpenException e) {
            if (!file.autoReadOnly()) {
                throw e;
            }
            return FileDriver.open(FileConfig.readOnly(file.filename()));
        }
    }

    private static BlockdevOptions.@Nullable Child childOf(BlockdevOptions.Source source) {
        if (source instanceof BlockdevOptions.Raw raw) {
            return raw.file();
        }
        if (source instanceof BlockdevOptions.Overlay overlay) {
            return overlay.file();
        }
        return source instanceof BlockdevOptions.Passthrough passthrough
                ? passthrough.file() : null;
    }
}
