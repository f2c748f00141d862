package dev.quiesce.examples.daemon.monitor;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quiesce.aio.AioContext;
import dev.quiesce.examples.daemon.machine.HeldSections;
import dev.quiesce.examples.daemon.machine.Machine;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on a Unix socket and talks to any number of clients, up to a bound, at the same time.
 *
 * <p>Any thread may send events and close it. A client that goes, in whatever way, resumes what it
 * had quiesced.
 */
public final class MonitorServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MonitorServer.class);
    private static final int CLIENTS_MAX = 64;
    private static final int NANOS_PER_MICRO = 1000;

    /** How long the last words may take. */
    private static final long FAREWELL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LOOK_MILLIS = 20;

    /** For how long nobody is accepted when the host has refused it. */
    private static final long ACCEPT_AGAIN_MILLIS = 1000;

    private final Path path;
    private final Object file; // The socket at the path, as long as nobody puts another there.
    private final AioContext main;
    private final Machine machine;
    private final Commands commands;
    private final Clock wallClock;
    private final ServerSocketChannel listener;
    private final Selector selector;
    private final SelectionKey acceptKey;
    private final Thread thread;

    /** Pushed by any thread, run by the monitor's. */
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Executor inMonitor = this::post;

    /** Monitor's thread only. */
    private final Map<Client, HeldSections> clients = new HashMap<>();

    /** Set once by any thread, read by the monitor's. */
    private volatile boolean closing;

    private MonitorServer(Path path, ServerSocketChannel listener, AioContext main,
            Machine machine, Commands commands) throws IOException {
        this.path = path;
        this.file = UnixSockets.keyOf(path);
        this.main = main;
        this.machine = machine;
        this.commands = commands;
        this.wallClock = Clock.systemUTC();
        this.listener = listener;
        this.selector = Selector.open();
        this.listener.configureBlocking(false);
        this.acceptKey = listener.register(selector, SelectionKey.OP_ACCEPT);
        this.thread = new Thread(this::run, "monitor");
    }

    /**
     * Begins to listen. A socket that nobody serves any more is replaced; only the owner may
     * connect.
     *
     * @param path where
     * @param main the context in which commands run
     * @param machine what they are about
     * @param commands what can be asked for
     * @return the server, running
     * @throws IOException if somebody else listens there, or the host refuses
     */
    public static MonitorServer listen(Path path, AioContext main, Machine machine,
            Commands commands) throws IOException {
        ServerSocketChannel listener = UnixSockets.listen(path);
        MonitorServer server;
        try {
            server = new MonitorServer(path, listener, main, machine, commands);
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(path);
            listener.close();
            throw e;
        }
        server.thread.start();
        return server;
    }

    /**
     * Tells every client that has negotiated. Any thread; does not wait.
     *
     * @param name the event
     * @param data what belongs to it
     */
    public void sendEvent(String name, ObjectNode data) {
        ObjectNode event = JsonNodeFactory.instance.objectNode();
        Instant now = wallClock.instant();
        event.putObject("timestamp")
                .put("seconds", now.getEpochSecond())
                .put("microseconds", now.getNano() / NANOS_PER_MICRO);
        event.put("event", name).set("data", data);
        post(() -> clients.keySet().forEach(
                client -> guarded(client, () -> client.sendEvent(event))));
    }

    /** Says what is still to be said, closes every connection and takes the socket away. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void post(Runnable task) {
        tasks.add(task);
        selector.wakeup();
    }

    private void run() {
        try {
            while (!closing) {
                turn(0);
            }
            farewell();
        } catch (IOException | RuntimeException e) {
            LOG.error("the monitor {} has failed: {}", path, e.toString());
        } finally {
            closeAll();
        }
    }

    private void farewell() throws IOException {
        long deadline = main.clock().nanoTime() + FAREWELL_NANOS;
        turn(LOOK_MILLIS);
        while (clients.keySet().stream().anyMatch(Client::hasOutput)
                && main.clock().nanoTime() - deadline < 0) {
            turn(LOOK_MILLIS);
        }
    }

    private void turn(long waitMillis) throws IOException {
        boolean accepting = acceptKey.interestOps() != 0;
        selector.select(accepting ? waitMillis : ACCEPT_AGAIN_MILLIS);
        if (!accepting) {
            acceptKey.interestOps(SelectionKey.OP_ACCEPT);
        }
        for (SelectionKey key : selector.selectedKeys()) {
            if (key.isValid() && key.attachment() instanceof Client client) {
                guarded(client, client::onReady);
            } else if (key.isValid() && key.isAcceptable()) {
                accept();
            }
        }
        selector.selectedKeys().clear();
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
        for (Client client : new ArrayList<>(clients.keySet())) {
            if (!client.isOpen()) {
                leave(client);
            }
        }
    }

    private void accept() throws IOException {
        SocketChannel channel;
        try {
            channel = listener.accept();
        } catch (IOException e) {
            LOG.warn("a monitor client was not accepted: {}", e.toString());
            acceptKey.interestOps(0);
            return;
        }
        if (channel == null) {
            return;
        }
        if (clients.size() >= CLIENTS_MAX) {
            LOG.warn("{} monitor clients are there already: one more was refused", CLIENTS_MAX);
            channel.close();
            return;
        }
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
        HeldSections held = machine.newClient();
        Client client = new Client(channel, key, new Dialogue(commands, held), inMonitor);
        key.attach(client);
        clients.put(client, held);
        guarded(client, () -> client.send(Dialogue.greeting()));
    }

    /** Whatever goes wrong with one client ends that one, and nobody else's session. */
    private void guarded(Client client, Step step) {
        try {
            step.run();
        } catch (IOException e) {
            LOG.debug("a monitor client has gone", e);
            client.close();
        } catch (RuntimeException e) {
            LOG.error("{}: a client is dropped: it cannot be served", path, e);
            client.close();
        }
    }

    /** Something that is done for one client. */
    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    private void leave(Client client) {
        HeldSections held = clients.remove(client);
        if (held != null) {
            main.execute(() -> machine.forget(held));
        }
    }

    private void closeAll() {
        for (Client client : List.copyOf(clients.keySet())) {
            client.close();
            leave(client);
        }
        try {
            UnixSockets.remove(path, file);
            listener.close();
            selector.close();
        } catch (IOException e) {
            LOG.warn("the monitor's socket {} was not removed: {}", path, e.toString());
        }
    }
}
