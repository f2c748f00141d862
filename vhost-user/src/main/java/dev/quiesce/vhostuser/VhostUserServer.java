package dev.quiesce.vhostuser;

import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.PublishedMemory;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one virtio device to front ends, one after the other, over a Unix socket.
 *
 * <pre>{@code
 * VhostUserServer<VirtioScsi> server = VhostUserServer.listen(
 *         new VhostUserConfig("export0", Path.of("/run/disk.sock"), Thread::new),
 *         (memory, interrupt) -> VirtioScsi.create(
 *                 VirtioScsiConfig.of("export0", 2), bus, memory, interrupt));
 * server.device().startDataplane(QueueMapping.roundRobin(ioThreadContexts, 2));
 * }</pre>
 *
 * <p>The device belongs to the embedder in everything but its registers and rings: disks are
 * plugged and unplugged, the dataplane is started, moved and stopped, drained sections are held as
 * on any other device, while a front end is connected or not.
 *
 * <p>When a front end leaves, in whatever way, what it had in flight is cancelled and waited for,
 * its memory unmapped, its descriptors closed, and the next one is accepted. When the server is
 * {@linkplain #closeAsync closed}, what the front end has in flight is completed. The main context
 * has to be polled for any of this to happen.
 *
 * @param <D> the kind of device
 */
public final class VhostUserServer<D extends VirtioDevice> {
    private static final Logger LOG = LoggerFactory.getLogger(VhostUserServer.class);
    private static final long RETRY_MILLIS = 100;

    /** How long nobody is accepted after a front end that made an IOThread wait for it. */
    private static final long PENALTY_MILLIS = 1000;

    private final VhostUserConfig config;
    private final AFUNIXServerSocket listener;
    private final List<Object> file; // The socket at its path, as long as it is ours.
    private final PublishedMemory memory = new PublishedMemory(MemoryTable.empty());
    private final CallLines calls;
    private final D device;
    private final Runnable meanwhile;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private @Nullable Session current; // Guarded by this.
    private long sessions; // Guarded by this.
    private String trouble = ""; // Server's thread: what kept it from accepting anybody, last.

    private VhostUserServer(
            VhostUserConfig config, AFUNIXServerSocket listener, DeviceFactory<D> factory,
            Runnable meanwhile) throws IOException {
        this.config = config;
        this.meanwhile = meanwhile;
        this.listener = listener;
        this.file = fileAt(config.socket());
        this.calls = new CallLines(config.threads());
        this.device = factory.create(memory, calls);
        if (device.queues() > CallLines.QUEUES_MAX) {
            throw new IllegalArgumentException(device.name() + " has " + device.queues()
                    + " queues, the protocol counts " + CallLines.QUEUES_MAX);
        }
    }

    /**
     * Makes a device and serves it from now on. Control.
     *
     * @param <D> the kind of device
     * @param config where, and with which threads
     * @param factory makes the device
     * @return the server, listening
     * @throws IOException if the socket cannot be made, for example because another process serves
     *     it; the device is not made then
     * @throws IllegalArgumentException if the device has more than 256 queues; it was made then,
     *     as it was if no thread can be started, and is the embedder's to close
     */
    public static <D extends VirtioDevice> VhostUserServer<D> listen(
            VhostUserConfig config, DeviceFactory<D> factory) throws IOException {
        return listen(config, factory, () -> { });
    }

    /** The same, with what {@link Pollable#of} does meanwhile. */
    static <D extends VirtioDevice> VhostUserServer<D> listen(
            VhostUserConfig config, DeviceFactory<D> factory, Runnable meanwhile)
            throws IOException {
        AFUNIXServerSocket listener = bind(config.socket());
        try {
            VhostUserServer<D> server =
                    new VhostUserServer<>(config, listener, factory, meanwhile);
            config.threads().newThread(server::acceptAll).start();
            return server;
        } catch (IOException | RuntimeException | Error e) {
            Files.deleteIfExists(config.socket());
            listener.close();
            throw e;
        }
    }

    /**
     * The device. Any thread.
     *
     * @return what the factory made
     */
    public D device() {
        return device;
    }

    /**
     * Where the server listens. Any thread.
     *
     * @return the socket's path
     */
    public Path socket() {
        return config.socket();
    }

    /**
     * How the server stands. Any thread; looks at the socket's file each time.
     *
     * @return a snapshot
     */
    public VhostUserStatus status() {
        boolean isThere = fileThere().equals(file);
        synchronized (this) {
            Session session = current;
            return new VhostUserStatus(isThere && closing.getCount() > 0, sessions,
                    session == null ? null : session.status());
        }
    }

    /**
     * Stops serving, in good order: accepts nobody any more, takes the socket away, listens to the
     * present front end no more and fetches nothing more from its rings; completes, publishes and
     * signals what was fetched; then ends the connection. What was not fetched stays in the rings,
     * for whoever serves the front end next. Any thread. The device is then in reset state and is
     * the embedder's to close. Idempotent. The main context has to be polled until it has ended.
     *
     * <p>Commands are waited for, also those that are parked in somebody's drained section; the
     * embedder ends its sections first, or calls {@link #closeNowAsync}. A front end that goes
     * meanwhile, or makes a thread wait, is not waited for: its commands are cancelled. What is
     * acknowledged is as durable as any write: the embedder flushes its disks afterwards.
     *
     * @return ends when no thread of the server runs any more, as the last act of one: what follows
     *     belongs to a context of the embedder, as by {@code thenRunAsync(..., main)}
     */
    public CompletionStage<Void> closeAsync() {
        synchronized (this) {
            if (closing.getCount() > 0) {
                closing.countDown();
                stopListening();
                if (current != null) {
                    current.dismiss();
                }
            }
        }
        return closed.minimalCompletionStage();
    }

    /**
     * Stops serving as {@link #closeAsync} does, but shuts the present front end out as if it had
     * left: what is in flight or parked is cancelled, and only the cancelling is waited for. Any
     * thread. Hastens a close that is under way. Idempotent. The main context has to be polled
     * until it has ended.
     *
     * @return ends when no thread of the server runs any more, as the last act of one: what follows
     *     belongs to a context of the embedder, as by {@code thenRunAsync(..., main)}
     */
    public CompletionStage<Void> closeNowAsync() {
        CompletionStage<Void> end = closeAsync();
        synchronized (this) {
            if (current != null) {
                current.shutDown();
            }
        }
        return end;
    }

    private void acceptAll() {
        try {
            while (closing.getCount() > 0) {
                Session session = accept();
                if (session != null) {
                    serve(session);
                }
            }
        } finally {
            endListening();
            closed.complete(null);
        }
    }

    /** Front ends that nobody will accept must not be left waiting, whatever ended the thread. */
    private synchronized void endListening() {
        if (closing.getCount() > 0) {
            LOG.error("{}: serves nobody any more, its thread has failed", config.name());
            closing.countDown();
            stopListening();
        }
    }

    /** The file goes first: who finds it listens to somebody. */
    private void stopListening() {
        try {
            if (Files.exists(config.socket(), LinkOption.NOFOLLOW_LINKS)
                    && fileAt(config.socket()).equals(file)) {
                Files.delete(config.socket());
            }
        } catch (IOException e) {
            LOG.warn("{}: {} cannot be removed", config.name(), config.socket(), e);
        }
        try {
            listener.close();
        } catch (IOException e) {
            LOG.debug("{}: closing the listening socket failed", config.name(), e);
        }
    }

    /** What tells our socket from another one: hosts give the numbers of files out again. */
    private static List<Object> fileAt(Path path) throws IOException {
        BasicFileAttributes file = Files.readAttributes(
                path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        return List.of(file.fileKey(), file.lastModifiedTime());
    }

    /** The file at our path, or nothing if there is none that we can see. */
    private List<Object> fileThere() {
        try {
            return fileAt(config.socket());
        } catch (IOException nothing) {
            return List.of();
        }
    }

    /** The next front end, or null: closing, or the host is short of something for the moment. */
    private @Nullable Session accept() {
        try {
            Session session = newSession(listener.accept());
            trouble = "";
            return session;
        } catch (IOException e) {
            if (closing.getCount() > 0) {
                noteTrouble(e);
                awaitClosing(RETRY_MILLIS);
            }
            return null;
        }
    }

    /** Once while it is the same: where another file is the library accepts nobody, for good. */
    private void noteTrouble(IOException e) {
        List<Object> there = fileThere();
        String where = there.equals(file) ? "" : "; " + config.socket() + " is not its socket"
                + " any more: " + (there.isEmpty() ? "nothing is there" : there);
        String now = where.isEmpty() ? e.toString() : where; // There it is not always the same.
        if (!now.equals(trouble)) {
            LOG.warn("{}: accepting a front end failed: {}{}", config.name(), e.toString(), where);
        }
        trouble = now;
    }

    /** Takes the socket over; if that fails it is closed. */
    private Session newSession(AFUNIXSocket socket) throws IOException {
        try {
            return new Session(new Session.Parts(
                    config.name(), device, memory, calls, config.threads(), meanwhile), socket);
        } catch (IOException | RuntimeException | Error e) {
            closeQuietly(socket);
            throw e;
        }
    }

    private void serve(Session session) {
        synchronized (this) {
            current = session;
            sessions++;
            if (closing.getCount() == 0) {
                session.dismiss();
            }
        }
        session.run();
        synchronized (this) {
            current = null;
        }
        if (session.isAbusive()) {
            awaitClosing(PENALTY_MILLIS);
        }
    }

    private void awaitClosing(long millis) {
        try {
            boolean unused = closing.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            LOG.debug("{}: interrupted while waiting to accept again", config.name(), e);
        }
    }

    private void closeQuietly(AFUNIXSocket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("{}: closing a connection failed", config.name(), e);
        }
    }

    /** Binds; a socket file that nobody listens on any more is replaced. */
    private static AFUNIXServerSocket bind(Path path) throws IOException {
        AFUNIXSocketAddress address = AFUNIXSocketAddress.of(path);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            String kind = PassedFile.kindOf(path, LinkOption.NOFOLLOW_LINKS);
            if (!kind.equals(PassedFile.SOCKET)) {
                throw new FileAlreadyExistsException(path.toString(), null,
                        "not a socket, but " + kind);
            }
            if (isServed(path)) {
                throw new FileAlreadyExistsException(path.toString(), null, "another process"
                        + " listens there");
            }
            Files.delete(path);
        }
        AFUNIXServerSocket listener = AFUNIXServerSocket.newInstance();
        try {
            listener.setDeleteOnClose(false); // Done here, while it is surely ours.
            listener.bind(address);
            return listener;
        } catch (IOException e) {
            listener.close();
            throw e;
        }
    }

    /** Does not wait: whoever listens may have a full queue, and accept nobody. */
    private static boolean isServed(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            boolean unused = probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException nobody) {
            return false;
        } catch (SocketException full) { // or not for us: then it is not ours to replace either
            return true;
        }
    }

    /**
     * Makes the device that a server serves.
     *
     * @param <D> the kind of device
     */
    @FunctionalInterface
    public interface DeviceFactory<D extends VirtioDevice> {
        /**
         * Makes the device, in reset state. Control; called once.
         *
         * @param memory the memory of whatever front end is connected; empty while none is
         * @param interrupt the way to the front end that is connected
         * @return the device; from then on only the server writes its registers
         */
        D create(GuestMemory memory, Interrupt interrupt);
    }
}
