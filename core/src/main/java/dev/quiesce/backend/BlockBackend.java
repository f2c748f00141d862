package dev.quiesce.backend;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.block.BlockLimits;
import dev.quiesce.block.BlockStatus;
import dev.quiesce.block.Operation;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.drain.Gate;
import dev.quiesce.drain.Hold;
import dev.quiesce.driver.BlockRequest;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockLayerException;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.graph.Edge;
import java.lang.invoke.ConstantBootstraps;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A device's handle on a node of a graph: requests enter here, are counted here, and are held here
 * while a section is open.
 *
 * <p>It has a gate with or without a node (an empty drive can be drained too), and a context of its
 * own. The context is a hint where work on this disk is best done (BB-51): nothing in the way of a
 * request reads it. Reading it is one load and says what it was at that instant; it may differ from
 * the root node's while a change is under way (BB-44). Whoever needs it to stay takes a
 * {@link #pin()}.
 *
 * <p>Thread rule: control for everything that changes; reading, {@link #port}, {@link #pin} and the
 * asynchronous forms are for any thread. Control methods throw {@link IllegalStateException}
 * elsewhere.
 */
public final class BlockBackend implements Drainable, AutoCloseable {
    /*
     * context and root are each one field, written with release by control, inside a section that
     * has settled this backend, and read with acquire. There is no pair of them to be consistent: a
     * request reads the root only, a reader of the context reads the context only.
     *
     * pin() is the four steps of BB-45 in exactly that order: count; see the gate open; see a root;
     * only then read the context. Counting first makes every later section wait for the pin; an
     * open gate after that means no section had finished its wait before the count was visible; so
     * the context read last cannot change before the close. Proof: PinStepModelTest.
     *
     * On 0 -> 1 the gate is quiesced first, then listeners hear of it: what they stop can no longer
     * get past the gate. On 1 -> 0 listeners first, then the gate, whose transition books the
     * replays: what a listener submits then parks behind what was parked before (DRAIN-25). The
     * count is the backend's own, because a gate may be quiesced by others who know only the gate.
     */
    private static final VarHandle CONTEXT = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "context", VarHandle.class,
            BlockBackend.class, AioContext.class);
    private static final VarHandle ROOT = ConstantBootstraps.fieldVarHandle(
            MethodHandles.lookup(), "root", VarHandle.class, BlockBackend.class, Edge.class);

    private static final BlockLimits EMPTY_LIMITS = BlockLimits.unlimited()
            .withAlignment(512, 1)
            .withBounds(PortLimits.TRANSFER_BYTES_MAX, PortLimits.TRANSFER_BYTES_MAX,
                    PortLimits.TRANSFER_BYTES_MAX);

    private final BlockGraph graph;
    private final BackendConfig config;
    private final Gate gate;
    private final BackendSeat seat;
    private final PortTable ports;
    private final PortLimits limits;
    private final ListenerList listeners;

    /** Written release by control, read acquire by any thread; never null. */
    @SuppressWarnings("UnusedVariable") // read through CONTEXT
    private AioContext context;

    /** Written release by control, read acquire by any thread. */
    @SuppressWarnings("UnusedVariable") // read through ROOT
    private @Nullable Edge root;

    private final AtomicLong contextChanges = new AtomicLong();

    /** Control only. */
    private int quiesceCount;

    /** Control only. */
    private long knownLengthBytes;

    /** Control only. */
    private boolean closed;

    private BlockBackend(BlockGraph graph, BackendConfig config, AioContext context) {
        this.graph = graph;
        this.config = config;
        this.context = context;
        this.gate = new Gate(config.name(), graph.main());
        this.seat = new BackendSeat(this);
        this.ports = new PortTable(this);
        this.limits = new PortLimits(config.readOnly());
        this.listeners = new ListenerList(this);
    }

    /**
     * Makes a backend, and inserts a node if one is given (BB-1, BB-2). Control; polls if contexts
     * have to be aligned.
     *
     * @param graph the machine
     * @param config its name and rights
     * @param root the node it shall stand on, or null for an empty drive
     * @param context where it starts; the node is brought there, see {@link #insert}
     * @return the backend, open
     * @throws IllegalArgumentException if the name is malformed or taken
     * @throws BlockLayerException if the node cannot be inserted, or the context is closed or its
     *     loop has ended; the backend does not exist then
     */
    public static BlockBackend create(
            BlockGraph graph, BackendConfig config, @Nullable BlockNode root, AioContext context) {
        BlockBackend backend = new BlockBackend(graph, config, context);
        graph.runBlocking(RootChange.create(backend, root));
        return backend;
    }

    /**
     * Does what {@link #create} does. Any thread.
     *
     * @param graph as there
     * @param config as there
     * @param root as there
     * @param context as there
     * @return completes with the backend
     */
    public static CompletionStage<BlockBackend> createAsync(
            BlockGraph graph, BackendConfig config, @Nullable BlockNode root, AioContext context) {
        BlockBackend backend = new BlockBackend(graph, config, context);
        return graph.run(RootChange.create(backend, root)).thenApply(inserted -> backend);
    }

    /**
     * The name, empty if it has none. Any thread.
     *
     * @return the name
     */
    @Override
    public String name() {
        return config.name();
    }

    /**
     * The backend's own context: one acquire load, never null, never compared with anybody else's
     * (BB-43, BB-44). Any thread, at any time. It says where the backend was at some instant of the
     * call and pins nothing; to schedule work there take a {@link #pin()}.
     *
     * @return the context
     */
    public AioContext context() {
        return (AioContext) CONTEXT.getAcquire(this);
    }

    /**
     * Keeps the context as it is until the pin is closed (BB-45). Any thread. A wait that meets the
     * pin takes it for work of that context: if nobody can poll it, the wait is given up.
     *
     * @return the pin, or null if a section is open or there is no root: then nothing can be
     *     pinned, and the caller uses an asynchronous form or tries again when the section is over
     */
    public @Nullable Pin pin() {
        Hold hold = gate.hold("pin of the context", graph.main());
        if (gate.isQuiesced() || rootAcquire() == null) {
            hold.close();
            return null;
        }
        AioContext pinned = context();
        hold.closesIn(pinned);
        return new Pin(hold, pinned);
    }

    /**
     * What counts and parks this backend's requests. It exists with or without a root. Any thread.
     *
     * @return the gate
     */
    public Gate gate() {
        return gate;
    }

    /**
     * The port of a context, made at the first call. Any thread; takes a lock, so the caller keeps
     * it.
     *
     * @param home the context that will submit
     * @return the one port of that context
     */
    public Port port(AioContext home) {
        return ports.port(home);
    }

    /**
     * The node below. Any thread; a hint unless read by control.
     *
     * @return the node, or null if the backend is empty
     */
    public @Nullable BlockNode root() {
        Edge edge = rootAcquire();
        return edge == null ? null : edge.node();
    }

    /**
     * The graph it belongs to. Any thread.
     *
     * @return the graph
     */
    public BlockGraph graph() {
        return graph;
    }

    /**
     * The graph's main context. Any thread.
     *
     * @return the main context
     */
    @Override
    public AioContext main() {
        return graph.main();
    }

    /**
     * The length of what is inserted, 0 if nothing is. Any thread.
     *
     * @return bytes
     */
    public long lengthBytes() {
        Edge edge = rootAcquire();
        return edge == null ? 0 : edge.lengthBytes();
    }

    /**
     * What requests should keep to: the node's limits, and transfers of whole sectors within an int
     * at most (REQ-8). Any thread. Without a root 512 bytes alignment (BB-32).
     *
     * @return the limits
     */
    public BlockLimits limits() {
        Edge edge = rootAcquire();
        return limits.of(edge == null ? EMPTY_LIMITS : edge.limits());
    }

    /**
     * Whether what modifies is refused. Any thread.
     *
     * @return true if the backend or its node is read-only
     */
    public boolean isReadOnly() {
        Edge edge = rootAcquire();
        return config.readOnly() || (edge != null && edge.limits().readOnly());
    }

    /**
     * What went through so far. Any thread.
     *
     * @return the sums over all ports
     */
    public BackendStats stats() {
        return ports.stats(contextChanges.get());
    }

    /**
     * Puts a node below an empty backend (BB-11, BB-12). If their contexts differ, the node's
     * component comes to the backend if everyone in it agrees; else the backend goes to it, if its
     * configuration allows that. Control; one section around it all, in which it polls.
     *
     * @param node the node
     * @throws BlockLayerException if something is inserted already, or contexts cannot be aligned;
     *     nothing has moved
     */
    public void insert(BlockNode node) {
        graph.runBlocking(RootChange.insert(this, node));
    }

    /**
     * Does what {@link #insert} does. Any thread.
     *
     * @param node as there
     * @return completes when the section is over
     */
    public CompletionStage<Void> insertAsync(BlockNode node) {
        return graph.run(RootChange.insert(this, node));
    }

    /**
     * Takes the node away inside one section (BB-13): what was in flight has completed, what is
     * parked completes with {@code NO_MEDIUM} when the section is over. The backend keeps its
     * context; the node's component goes back to main if everyone left agrees (CTX-17). Control;
     * polls.
     *
     * @throws BlockLayerException if nothing is inserted
     */
    public void removeRoot() {
        graph.runBlocking(RootChange.remove(this));
    }

    /**
     * Does what {@link #removeRoot} does. Any thread.
     *
     * @return completes when the section is over
     */
    public CompletionStage<Void> removeRootAsync() {
        return graph.run(RootChange.remove(this));
    }

    /**
     * Puts another node in the place of the one that is there; parked requests run on the new one
     * (BB-15). Contexts are aligned as by {@link #insert}. Control; one section, in which it polls.
     *
     * @param node the node
     * @throws BlockLayerException if nothing is inserted, or contexts cannot be aligned; nothing
     *     has moved
     */
    public void replace(BlockNode node) {
        graph.runBlocking(RootChange.replace(this, node));
    }

    /**
     * Does what {@link #replace} does. Any thread.
     *
     * @param node as there
     * @return completes when the section is over
     */
    public CompletionStage<Void> replaceAsync(BlockNode node) {
        return graph.run(RootChange.replace(this, node));
    }

    /**
     * Moves this backend and everything connected with it to another context, inside a section over
     * exactly that (CTX-2, CTX-3). Everyone else is asked first; if anyone refuses, nothing has
     * moved (CTX-9). If all are there already it succeeds without a section. An empty backend moves
     * alone, in the same kind of section. A loop that has ended is refused; one that ends while the
     * move is made, or after it, leaves the backend there, to be moved away. Control; polls.
     *
     * @param target where to
     * @throws BlockLayerException if somebody refuses, whom the message names, or the target is
     *     closed or its loop has ended
     */
    public void setContext(AioContext target) {
        graph.runBlocking(new BackendMove(this, target));
    }

    /**
     * Does what {@link #setContext} does. Any thread. Two moves requested one after the other are
     * made in that order.
     *
     * @param target as there
     * @return completes when the section is over
     */
    public CompletionStage<Void> setContextAsync(AioContext target) {
        return graph.run(new BackendMove(this, target));
    }

    /**
     * Gives the node below another length, see {@link BlockGraph#resize}. A truncate submitted as a
     * request does the same without a section of its own, and parks like any other request
     * (DRAIN-32). Control; polls.
     *
     * @param bytes the new length
     * @throws IllegalArgumentException if it is negative
     * @throws BlockLayerException if the backend is empty or read-only, or the node cannot be
     *     resized
     */
    public void resize(long bytes) {
        graph.resize(resizableRoot(), bytes);
    }

    /**
     * Does what {@link #resize} does, to the node that is there now. Any thread.
     *
     * @param bytes as there
     * @return completes when the section is over
     */
    public CompletionStage<Void> resizeAsync(long bytes) {
        try {
            return graph.resizeAsync(resizableRoot(), bytes);
        } catch (BlockLayerException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /**
     * Adds an ear. If a section is open it hears of it at once (DRAIN-52). Control.
     *
     * @param listener not added before
     */
    public void addListener(BackendListener listener) {
        graph.checkControl("BlockBackend.addListener");
        listeners.add(listener, quiesceCount > 0);
    }

    /**
     * Takes an ear away. If it has heard of an open section it hears the end of it (DRAIN-52), and
     * then nothing more. Control.
     *
     * @param listener one that was added; otherwise nothing happens
     */
    public void removeListener(BackendListener listener) {
        graph.checkControl("BlockBackend.removeListener");
        listeners.remove(listener);
    }

    /**
     * Parks what arrives from now on, and tells the listeners on 0 to 1 (DRAIN-20). Control; never
     * polls.
     */
    @Override
    public void quiesce() {
        graph.checkControl("BlockBackend.quiesce");
        gate.quiesce();
        if (quiesceCount++ == 0) {
            listeners.begin();
        }
    }

    /**
     * Ends one section; on 1 to 0 listeners hear of it, then what is parked is replayed by posted
     * tasks (DRAIN-21, DRAIN-25). Control; never polls.
     */
    @Override
    public void resume() {
        graph.checkControl("BlockBackend.resume");
        if (quiesceCount <= 0) {
            throw new IllegalStateException("backend '" + name() + "' is resumed but not quiesced");
        }
        if (--quiesceCount == 0) {
            listeners.end();
        }
        gate.resume();
    }

    /**
     * Whether anything is counted, or a listener still has work (DRAIN-22). Control.
     *
     * @return true if a section must go on waiting
     */
    @Override
    public boolean isBusy() {
        graph.checkControl("BlockBackend.isBusy");
        return listeners.isBusy() || !gate.isSettled();
    }

    /** Refuses hooks of the graph (DRAIN-9). Control. */
    @Override
    public void checkMayWait() {
        graph.checkMayWait("a drained section of " + this);
    }

    /**
     * Adds whom a section waits for. Control.
     *
     * @param out where to report
     */
    @Override
    public void describe(WaitReport out) {
        graph.checkControl("BlockBackend.describe");
        gate.describe(out);
        listeners.describe(out);
    }

    /**
     * Whether a section covers this backend. Control; a hint elsewhere.
     *
     * @return true between the 0 to 1 and the 1 to 0 transition
     */
    public boolean isQuiesced() {
        return quiesceCount > 0;
    }

    /**
     * Drains, takes the node away, and waits once more for what was parked, in somebody else's
     * section too, which completes with {@code NO_MEDIUM} (BB-4, DRAIN-61). The name is free
     * afterwards. Submitting to a closed backend completes with {@code NO_MEDIUM} as well. Control;
     * polls; idempotent.
     */
    @Override
    public void close() {
        graph.checkControl("BlockBackend.close");
        if (closed) {
            return;
        }
        graph.runBlocking(RootChange.close(this));
        ports.close();
        DrainedSection.begin(seat).close();
    }

    /**
     * Does what {@link #close} does. Any thread.
     *
     * @return completes when nothing is in flight any more
     */
    public CompletionStage<Void> closeAsync() {
        return graph.run(RootChange.close(this))
                .thenRun(ports::close)
                .thenCompose(removed -> DrainedSection.beginAsync(main(), seat))
                .thenCompose(DrainedSection::closeAsync); // Main may be done, and this thread late.
    }

    @Override
    public String toString() {
        return "backend '" + name() + "'";
    }

    private BlockNode resizableRoot() {
        BlockNode node = root();
        if (node == null || config.readOnly()) {
            throw new BlockLayerException(this + " was not resized: "
                    + (node == null ? "nothing is inserted" : "it is read-only"));
        }
        return node;
    }

    /** Any context: read once per request. */
    @Nullable Edge rootAcquire() {
        return (Edge) ROOT.getAcquire(this);
    }

    /**
     * Home context of the request: what is wrong with it, against the medium that is there now
     * (BB-25).
     */
    BlockStatus check(BlockRequest request, Edge edge) {
        Operation operation = request.operation();
        if (operation.hasRange()) {
            long offset = request.offsetBytes();
            long length = request.lengthBytes();
            if (offset < 0 || length < 0 || length > edge.lengthBytes() - offset) {
                return BlockStatus.INVALID;
            }
            if (operation.hasPayload() && length > PortLimits.TRANSFER_BYTES_MAX) {
                return BlockStatus.INVALID;
            }
        }
        if (operation == Operation.TRUNCATE && request.offsetBytes() < 0) {
            return BlockStatus.INVALID;
        }
        if (operation.isModifying() && (config.readOnly() || edge.limits().readOnly())) {
            return BlockStatus.READ_ONLY;
        }
        return BlockStatus.OK;
    }

    /** Control. */
    BackendSeat seat() {
        return seat;
    }

    BackendConfig config() {
        return config;
    }

    /** Control; inside a section. */
    void rootRelease(@Nullable Edge next) {
        ROOT.setRelease(this, next);
    }

    /** Control; inside a section. */
    void contextRelease(AioContext next) {
        CONTEXT.setRelease(this, next);
        contextChanges.incrementAndGet();
    }

    /** Control; inside a section. */
    void announceContext(AioContext now) {
        listeners.tellAll("contextChanged", listener -> listener.contextChanged(now));
    }

    /** Control: length and medium may have changed. */
    void announceLength() {
        long now = lengthBytes();
        if (now != knownLengthBytes) {
            knownLengthBytes = now;
            listeners.tellAll("resized", BackendListener::resized);
        }
    }

    void checkOpen() {
        if (closed) {
            throw new BlockLayerException("backend '" + name() + "' is closed");
        }
    }

    /** Control; inside a section. */
    void noteClosed() {
        closed = true;
        graph.unregister(seat);
    }
}
