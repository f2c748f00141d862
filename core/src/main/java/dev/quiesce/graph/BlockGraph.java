package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.driver.BlockDriver;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The control plane of one machine: its nodes, their names, and every change of them.
 *
 * <p>Thread rule: control, that is the owner of {@link #main()}, except the asynchronous forms,
 * which any thread may call. A control method called elsewhere throws {@link IllegalStateException}
 * naming itself, the context and the threads. Blocking forms poll the main context while they wait,
 * so arbitrary callbacks of it may run inside; asynchronous forms are carried out one after the
 * other in the order in which they were requested, in outermost polls of the main context, and
 * their stages complete there.
 *
 * <p>An asynchronous change whose wait never ends, because its embedder polls some context no more,
 * keeps those behind it waiting; blocking ones still overtake it.
 *
 * <p>A change that is refused throws {@link BlockLayerException}, or completes its stage with it,
 * and has moved nothing. A wait that could never end throws
 * {@link dev.quiesce.aio.WaitCannotEndException} from the blocking forms, and has moved nothing
 * either.
 */
public final class BlockGraph implements AutoCloseable {
    /** The longest name of a node or backend (GR-1). */
    public static final int NAME_LENGTH_MAX = 31;

    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*");

    private final AioContext main;
    private final ChangeRunner runner;

    /** Control only; in the order of adding. */
    private final Map<String, BlockNode> nodes = new LinkedHashMap<>();

    /** Control only: names of users, which share the nodes' name space (GR-6). */
    private final Map<String, GraphParent> users = new LinkedHashMap<>();

    /** Control only. */
    private long generation;

    /** Control only. */
    private boolean closed;

    /**
     * An empty graph.
     *
     * @param main the context whose owner is control
     */
    public BlockGraph(AioContext main) {
        this.main = Objects.requireNonNull(main, "main");
        this.runner = new ChangeRunner(this);
    }

    /**
     * The context whose owner is control. Any thread.
     *
     * @return the main context
     */
    public AioContext main() {
        return main;
    }

    /**
     * Adds a node above existing ones, which need not share a context: they are aligned first,
     * which may drain and poll (GR-32). Without children the node lives in the main context, with
     * children in theirs. A node above a quiesced child is quiesced from the start. Control.
     *
     * @param name letter first, then letters, digits, {@code - . _}; unique among nodes and users
     *     (GR-6)
     * @param driver the driver; the node owns it from now on and closes it when it is removed
     * @param children what the driver's edges point at, in order
     * @return the node
     * @throws IllegalArgumentException if the name or the driver cannot be used, or the driver
     *     refuses its children
     * @throws BlockLayerException if the children cannot be brought together; the driver is still
     *     the caller's
     */
    public BlockNode add(String name, BlockDriver driver, BlockNode... children) {
        AddChange change = new AddChange(this, name, driver, List.of(children));
        runner.runBlocking(change);
        return change.added();
    }

    /**
     * Does what {@link #add} does. Any thread.
     *
     * @param name as there
     * @param driver as there
     * @param children as there
     * @return completes with the node
     */
    public CompletionStage<BlockNode> addAsync(
            String name, BlockDriver driver, BlockNode... children) {
        AddChange change = new AddChange(this, name, driver, List.of(children));
        return runner.run(change).thenApply(nothing -> change.added());
    }

    /**
     * Finds a node by its name. Control.
     *
     * @param name the name
     * @return the node, or null
     */
    public @Nullable BlockNode find(String name) {
        checkControl("BlockGraph.find");
        return nodes.get(name);
    }

    /**
     * All nodes, in the order of adding. Control.
     *
     * @return a copy
     */
    public List<BlockNode> nodes() {
        checkControl("BlockGraph.nodes");
        return List.copyOf(nodes.values());
    }

    /**
     * An empty list of edits, to be filled and applied. Control.
     *
     * @return the edit
     */
    public GraphEdit edit() {
        checkControl("BlockGraph.edit");
        return new GraphEdit(this);
    }

    /**
     * Makes all edits of a list, or none. Control; drains what they touch, polls once, resumes.
     *
     * @param edit a list that was not applied before
     */
    public void applyBlocking(GraphEdit edit) {
        runner.runBlocking(new EditChange(this, edit.take(this)));
    }

    /**
     * Does what {@link #applyBlocking} does. Any thread.
     *
     * @param edit a list that was not applied before, and is not touched afterwards
     * @return completes when the section is over
     */
    public CompletionStage<Void> apply(GraphEdit edit) {
        return runner.run(new EditChange(this, edit.take(this)));
    }

    /**
     * Moves the connected component of a node to another context, for users of nodes that are no
     * backends. Everyone in it is asked; if anyone refuses nothing moves (CTX-9). If all are there
     * already, nothing is drained. A loop that has ended is refused; one that ends during the move,
     * or after it, leaves the component there, to be moved away. Control; polls.
     *
     * @param node a node of the component
     * @param target where it shall go
     * @throws BlockLayerException if anyone refuses, or the target is closed or its loop has ended
     */
    public void setContext(BlockNode node, AioContext target) {
        runner.runBlocking(NodeMove.to(this, node, target));
    }

    /**
     * Does what {@link #setContext} does. Any thread.
     *
     * @param node as there
     * @param target as there
     * @return completes when the section is over
     */
    public CompletionStage<Void> setContextAsync(BlockNode node, AioContext target) {
        return runner.run(NodeMove.to(this, node, target));
    }

    /**
     * Removes a node that nobody uses: its background work is drained, its children lose it, its
     * driver is closed after the section. Control; polls.
     *
     * @param node the node
     * @throws BlockLayerException if a user is left
     */
    public void remove(BlockNode node) {
        runner.runBlocking(new RemoveChange(this, node));
    }

    /**
     * Does what {@link #remove} does. Any thread.
     *
     * @param node as there
     * @return completes when the driver is closed
     */
    public CompletionStage<Void> removeAsync(BlockNode node) {
        return runner.run(new RemoveChange(this, node));
    }

    /**
     * Gives a node another length: drains everybody above it, truncates it, tells everybody whose
     * length follows (REQ-45, REQ-47), ends the section. What is added reads as zeroes. Control;
     * polls.
     *
     * @param node the node
     * @param bytes its new length, which its driver may round up
     * @throws IllegalArgumentException if the length is negative
     * @throws BlockLayerException if the node cannot be resized, or not to that length; the message
     *     says why
     */
    public void resize(BlockNode node, long bytes) {
        runner.runBlocking(new ResizeChange(this, node, bytes));
    }

    /**
     * Does what {@link #resize} does. Any thread.
     *
     * @param node as there
     * @param bytes as there
     * @return completes when the section is over
     */
    public CompletionStage<Void> resizeAsync(BlockNode node, long bytes) {
        return runner.run(new ResizeChange(this, node, bytes));
    }

    /**
     * Asks everybody connected with a node for limits again, and tells users that their length may
     * be another one. For backends, after a truncate. Control. What a driver or a user throws is
     * reported, and the next one is asked.
     *
     * @param node a node whose length may have changed; one that was removed meanwhile is ignored
     */
    public void lengthsChanged(BlockNode node) {
        checkControl("BlockGraph.lengthsChanged");
        if (nodes.get(node.name()) == node) {
            List<BlockNode> part = ContextChange.childrenFirst(ContextChange.connected(node));
            part.forEach(BlockNode::refreshLimits);
            ContextChange.usersOf(part).forEach(this::tellRootChanged);
        }
    }

    /**
     * Makes a change of the caller's own. Control; polls while it waits. Backends are built on it.
     *
     * @param change the change
     * @throws BlockLayerException if its plan refuses, or names something new more than 8 times in
     *     a row
     * @throws IllegalStateException if called elsewhere, or from a hook of the graph
     */
    public void runBlocking(GraphChange change) {
        runner.runBlocking(change);
    }

    /**
     * Does what {@link #runBlocking} does, when its turn comes. Any thread.
     *
     * @param change the change
     * @return completes in the main context when the section is over
     */
    public CompletionStage<Void> run(GraphChange change) {
        return runner.run(change);
    }

    /**
     * Plans a move of a connected component and asks everyone in it. Control; to be called in
     * {@link GraphChange#plan()}.
     *
     * @param start a node of the component; null if the initiator stands alone
     * @param target where it shall go
     * @param initiator the user that asked for the change and cannot refuse it, or that moves
     *     without being connected yet; null if there is none
     * @return the plan, for {@link GraphCommit#move}
     * @throws BlockLayerException if a user refuses
     */
    public ContextChange planMove(
            @Nullable BlockNode start, AioContext target, @Nullable GraphParent initiator) {
        checkControl("BlockGraph.planMove");
        if (start != null) {
            checkMember(start);
        }
        return ContextChange.plan(start, target, initiator);
    }

    /**
     * Enters a user's name into the name space of nodes and users (GR-6). An empty name is not
     * entered. Control.
     *
     * @param user the user
     * @throws IllegalArgumentException if its name is malformed or taken
     */
    public void register(GraphParent user) {
        checkUser(user);
        if (!user.name().isEmpty()) {
            users.put(user.name(), user);
        }
    }

    /**
     * Throws if {@link #register} would. Control.
     *
     * @param user the user
     * @throws IllegalArgumentException if its name is malformed or taken
     */
    public void checkUser(GraphParent user) {
        checkControl("BlockGraph.register");
        checkNotClosed();
        if (!user.name().isEmpty()) {
            checkNewName(user.name());
        }
    }

    /**
     * Frees a user's name. Control.
     *
     * @param user the user
     */
    public void unregister(GraphParent user) {
        checkControl("BlockGraph.unregister");
        users.remove(user.name(), user);
    }

    /**
     * Throws unless the caller owns the main context. Any thread.
     *
     * @param operation what the caller is about to do, for the message
     * @throws IllegalStateException naming operation, context, owner and caller
     */
    public void checkControl(String operation) {
        if (!main.isHome()) {
            Thread owner = main.owner();
            throw new IllegalStateException(operation + " is a control operation: it belongs to the"
                    + " owner of context '" + main.name() + "' ("
                    + (owner == null ? "nobody" : owner.getName()) + "), not to thread '"
                    + Thread.currentThread().getName() + "'");
        }
    }

    /**
     * Throws if the caller is inside a hook of this graph: nobody waits there (DRAIN-9). Control.
     *
     * @param operation what the caller is about to do, for the message
     * @throws IllegalStateException naming the operation
     */
    public void checkMayWait(String operation) {
        runner.checkNotInHook(operation);
    }

    /**
     * Removes all nodes, users before what they use, and closes their drivers. Control; polls, and
     * has no asynchronous form: who must not poll removes the nodes by {@link #removeAsync} first.
     *
     * @throws IllegalStateException if a backend is still open, or an asynchronous change is under
     *     way; nothing was removed
     */
    @Override
    public void close() {
        checkControl("BlockGraph.close");
        if (closed) {
            return;
        }
        if (!runner.isIdle()) {
            throw refusal("cannot be closed: a change is under way");
        }
        List<BlockNode> childrenFirst = ContextChange.childrenFirst(nodes.values());
        List<GraphParent> left = ContextChange.usersOf(childrenFirst);
        if (!left.isEmpty()) {
            throw refusal("cannot be closed: it is still in use by "
                    + left.stream().map(GraphParent::name).toList());
        }
        for (int i = childrenFirst.size() - 1; i >= 0; i--) {
            remove(childrenFirst.get(i));
        }
        closed = true;
    }

    /**
     * Runs a hook of a user or a driver: while it runs, changes of the graph are refused (GR-5);
     * what it throws is reported to the main context's error handler and does not unbalance the
     * caller. Control.
     *
     * @param hook the hook
     * @param what names it in reports
     */
    public void runHook(Runnable hook, String what) {
        enterHooks();
        try {
            hook.run();
        } catch (RuntimeException e) {
            main.report(what, e);
        } finally {
            leaveHooks();
        }
    }

    /** Control. */
    void callHook(Runnable hook, String what, String node) {
        runHook(hook, what + " of the driver of '" + node + "'");
    }

    /** Control. */
    void tellRootChanged(GraphParent user) {
        runHook(user::rootChanged, "rootChanged of '" + user.name() + "'");
    }

    void enterHooks() {
        runner.enterHooks();
    }

    void leaveHooks() {
        runner.leaveHooks();
    }

    long nextGeneration() {
        return ++generation;
    }

    void enter(BlockNode node) {
        nodes.put(node.name(), node);
    }

    void leave(BlockNode node) {
        nodes.remove(node.name(), node);
    }

    void checkMember(BlockNode node) {
        if (nodes.get(node.name()) != node) {
            throw new BlockLayerException("'" + node.name() + "' is no node of this graph");
        }
    }

    void checkNewName(String name) {
        if (name.length() > NAME_LENGTH_MAX || !WELL_FORMED.matcher(name).matches()) {
            throw new IllegalArgumentException("malformed name '" + name + "': a letter, then"
                    + " letters, digits, '-', '.', '_'; at most " + NAME_LENGTH_MAX
                    + " characters");
        }
        if (nodes.containsKey(name) || users.containsKey(name)) {
            throw new IllegalArgumentException("the name '" + name + "' is taken");
        }
    }

    void checkNewDriver(BlockDriver driver) {
        for (BlockNode node : nodes.values()) {
            if (node.driver() == driver) {
                throw new IllegalArgumentException(
                        "the driver is in use by node '" + node.name() + "'");
            }
        }
    }

    void checkNotClosed() {
        if (closed) {
            throw refusal("is closed");
        }
    }

    private IllegalStateException refusal(String why) {
        return new IllegalStateException("the graph of context " + main.name() + ", used by thread "
                + Thread.currentThread().getName() + ", " + why + " (GR-10)");
    }
}
