package dev.quiesce.vhostuser;

import dev.quiesce.vhostuser.inflight.InflightBuffer;
import dev.quiesce.vhostuser.inflight.InflightFile;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.memory.PublishedMemory;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.newsclub.net.unix.AFUNIXSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One front end, from its first message to its last: what each message does. Server's thread,
 * except {@link #dismiss}, {@link #shutDown} and what is said to be readable by any.
 *
 * <p>After every message the rings are looked at: whichever is started, enabled and described by
 * now is given to the device, in whatever order the messages came.
 */
final class Session {
    /*
     * A session ends in one of two ways. Dismissed, it takes no further message, has the device
     * complete what it has fetched, and then closes the connection: until then only our receiving
     * half is shut, so that the front end is not told that we have gone while we still write its
     * rings, and is heard if it goes itself. Shut out (or if the front end goes or breaks a rule),
     * it cancels what is in flight; that also ends the waiting of one that was dismissed.
     *
     * Of one that is dismissed only the front end can hold anything up, by not taking the answer
     * to the message under way: a sending half that is open may wait for ever. So a timer looks at
     * it until the session ends, and shuts out whoever is found in the same answer twice.
     */
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final int CONFIG_WIDTH = 1;
    private static final int NONE = -1;

    /** For how long the answer to the last message may wait for a front end that we dismiss. */
    private static final long PATIENCE_MILLIS = 100;

    private final String name;
    private final MessageStream.Connection connection;
    private final MessageStream stream;
    private final Backend backend;
    private final CallLines calls;
    private final KickPoller kicks;
    private final Runnable meanwhile;
    private long protocolFeatures;
    private boolean owned;
    private long refusals;
    private @Nullable FileDescriptor backendChannel; // Kept open, not used (VHU-49).
    private volatile VhostUserStatus.@Nullable FrontEnd status; // Written by the server's thread.

    private volatile boolean leaving; // Shut out. Written by any.
    private volatile boolean dismissed; // Shall end when it has settled. Written by any.
    private volatile boolean ended; // Written by the server's thread.

    /** Odd while an answer is being written. Changed by the server's thread, read by any. */
    private final AtomicInteger answers = new AtomicInteger();

    /** A queue whose call or error descriptor makes its writer wait, or none. Written by any. */
    private volatile int waitedFor = NONE;

    Session(Parts parts, AFUNIXSocket socket) throws IOException {
        this.name = parts.name();
        this.backend = new Backend(parts.device(), parts.memory(), this::hasGone);
        this.calls = parts.calls();
        this.meanwhile = parts.meanwhile();
        this.kicks = new KickPoller(
                name, backend.device().queues(), parts.threads(), this::shutDown);
        this.connection = new MessageStream.Connection(socket);
        this.stream = connection.stream();
    }

    /** What a session is made of, besides its socket; the last is for {@link Pollable#of}. */
    record Parts(String name, VirtioDevice device, PublishedMemory memory, CallLines calls,
            ThreadFactory threads, Runnable meanwhile) {
    }

    /**
     * Serves the front end until it leaves, breaks a rule, is dismissed or shut out; then cleans
     * up.
     */
    void run() {
        calls.begin(this::accuse);
        try {
            String why = serve();
            if (why == null && dismissed && !hasGone()) {
                backend.stopAll();
            }
            if (isAbusive()) { // Whatever else it came to then.
                why = "connection closed, the front end broke the protocol: ring " + waitedFor
                        + ": whoever writes its call or error descriptor is made to wait";
            }
            if (why != null) {
                LOG.warn("{}: {}", name, why);
            }
        } catch (RuntimeException e) {
            LOG.error("{}: connection closed, the device failed", name, e);
        } finally {
            end();
        }
    }

    /** What there is to say when the connection has ended, or null. */
    private @Nullable String serve() {
        try {
            takeAll();
            LOG.debug("{}: the front end has left", name);
            return null;
        } catch (Violation e) {
            return "connection closed, the front end broke the protocol: " + e.getMessage();
        } catch (EOFException e) {
            // What it was about to say is no news if it is us who do not listen any more.
            return isOver() ? null : "connection closed: " + e.getMessage();
        } catch (IOException e) {
            // Nor is a reply that nobody waits for any more.
            return isOver() ? null : "connection lost: " + e;
        }
    }

    /** Whether the front end made a thread of ours wait. Any thread. */
    boolean isAbusive() {
        return waitedFor != NONE;
    }

    /** Whoever writes a queue's descriptor has been made to wait. Any thread. */
    private void accuse(int queue) {
        waitedFor = queue;
        shutDown();
    }

    /** Whether what the front end says is not listened to any more. */
    private boolean isOver() {
        return leaving || dismissed;
    }

    /**
     * Takes no message any more, so that {@link #run} comes to its end when everything that was
     * fetched is completed. Any thread.
     */
    void dismiss() {
        dismissed = true;
        try {
            connection.shutInput();
        } catch (IOException gone) {
            LOG.debug("{}: the front end was gone already", name, gone);
        }
        watchAnswer(answers.get());
    }

    /** Shuts a front end out that does not take its answer, which is the last. The JDK's timer. */
    private void watchAnswer(int seen) {
        Executor timer = CompletableFuture.delayedExecutor(
                PATIENCE_MILLIS, TimeUnit.MILLISECONDS, Runnable::run);
        timer.execute(() -> {
            int now = answers.get();
            if (now == seen && now % 2 != 0) {
                shutDown();
            } else if (!ended) {
                watchAnswer(now);
            }
        });
    }

    /** Ends the stream, so that {@link #run} comes to its end at once. Any thread. */
    void shutDown() {
        leaving = true;
        try {
            connection.shutDown();
        } catch (IOException gone) {
            LOG.debug("{}: the front end was gone already", name, gone);
        }
    }

    /** Whether nobody waits for an answer any more. The server's thread. */
    private boolean hasGone() {
        try {
            connection.check();
            return leaving;
        } catch (IOException gone) {
            LOG.debug("{}: the front end has gone meanwhile", name, gone);
            return true;
        }
    }

    /** How the front end stands after its last message, or null before its first. Any thread. */
    VhostUserStatus.@Nullable FrontEnd status() {
        return status;
    }

    private void takeAll() throws IOException, Violation {
        MessageStream.Message next = stream.next();
        while (next != null && !isOver()) { // it may have left any number of messages
            take(next);
            showStatus();
            next = stream.next();
        }
    }

    private void showStatus() {
        status = new VhostUserStatus.FrontEnd(backend.features(), protocolFeatures,
                backend.table().count(), backend.table().bytes(), backend.describeRings());
    }

    private void take(MessageStream.Message message) throws IOException, Violation {
        Request request = message.request();
        boolean acknowledged = message.needsReply() && (request == null || !request.hasReply());
        boolean granted = true;
        try {
            if (request == null) {
                granted = refuse(message);
            } else {
                perform(request, message);
                backend.runWhatShould();
            }
        } catch (Violation e) {
            if (e.isFatal() || !acknowledged || !has(ProtocolFeatures.REPLY_ACK)) {
                throw e;
            }
            noteRefusal(request, e);
            granted = false;
        }
        // Asked after the message: the one that agrees on acknowledgements has one itself (VHU-49).
        if (acknowledged && has(ProtocolFeatures.REPLY_ACK)) {
            reply(message, granted ? 0 : 1);
        }
    }

    /** One line per front end, however much it gets wrong. */
    private void noteRefusal(@Nullable Request request, Violation why) {
        if (refusals == 0) {
            LOG.warn("{}: {} refused: {}", name, request, why.getMessage());
        } else {
            LOG.debug("{}: {} refused: {}", name, request, why.getMessage());
        }
        refusals++;
    }

    /** A request that is not served: taken, and acknowledged as refused (VHU-7, VHU-51). */
    private boolean refuse(MessageStream.Message message) throws Violation {
        int id = message.header().request();
        boolean canAnswer = message.needsReply() && has(ProtocolFeatures.REPLY_ACK);
        if (Request.expectsReply(id) && !canAnswer) {
            throw Violation.ofStream("request " + id + " is not served, and wants an answer");
        }
        LOG.debug("{}: request {} is not served", name, id);
        return false;
    }

    private void perform(Request request, MessageStream.Message message)
            throws IOException, Violation {
        ByteBuffer payload = message.payload();
        switch (request) {
            case GET_FEATURES -> reply(message,
                    backend.device().offeredFeatures() | ProtocolFeatures.DEVICE_BIT);
            case SET_FEATURES -> backend.negotiate(payload.getLong());
            case SET_OWNER -> takeOwner();
            case RESET_OWNER -> giveUpOwner();
            case RESET_DEVICE -> backend.reset();
            case GET_PROTOCOL_FEATURES -> reply(message, ProtocolFeatures.OFFERED);
            case SET_PROTOCOL_FEATURES -> agree(payload.getLong());
            case GET_QUEUE_NUM -> reply(message, backend.device().queues());
            case GET_MAX_MEM_SLOTS -> reply(message, MemoryTable.SLOTS);
            case SET_MEM_TABLE, ADD_MEM_REG, REM_MEM_REG -> changeMemory(request, message);
            case SET_BACKEND_REQ_FD -> keepBackendChannel(message);
            case GET_CONFIG -> readConfig(message);
            case SET_CONFIG -> writeConfig(Payload.Config.decode(payload));
            case SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR -> takeDescriptor(request, message);
            case GET_VRING_BASE -> stopRing(message);
            case GET_INFLIGHT_FD -> newInflightBuffer(message);
            case SET_INFLIGHT_FD -> takeInflightBuffer(message);
            default -> describeRing(request, payload);
        }
    }

    private void takeOwner() throws Violation {
        if (owned) {
            throw Violation.ofRequest("a second owner");
        }
        owned = true;
    }

    private void giveUpOwner() throws Violation {
        backend.reset();
        owned = false;
    }

    private void agree(long chosen) throws Violation {
        if ((chosen & ~ProtocolFeatures.OFFERED) != 0) {
            throw Violation.ofStream(String.format("protocol features %#x not offered",
                    chosen & ~ProtocolFeatures.OFFERED));
        }
        protocolFeatures = chosen;
    }

    private void changeMemory(Request request, MessageStream.Message message) throws Violation {
        ByteBuffer payload = message.payload();
        if (request == Request.REM_MEM_REG) {
            Payload.Region gone = Payload.singleRegion(payload);
            backend.changeMemory(() -> backend.table().remove(gone));
            return;
        }
        List<Payload.Region> regions = request == Request.SET_MEM_TABLE
                ? Payload.regions(payload) : List.of(Payload.singleRegion(payload));
        List<FileDescriptor> files = new ArrayList<>();
        try {
            while (message.descriptors().count() > 0) {
                files.add(message.descriptors().take());
            }
            if (regions.size() != files.size()) {
                throw Violation.ofRequest(
                        regions.size() + " regions with " + files.size() + " descriptors");
            }
            backend.changeMemory(() -> {
                if (request == Request.SET_MEM_TABLE) {
                    backend.table().replace(regions, files);
                } else {
                    backend.table().add(regions.get(0), files.get(0));
                }
            });
        } finally {
            files.forEach(ReceivedDescriptors::close); // The mappings stay without them (VHU-9).
        }
    }

    private void keepBackendChannel(MessageStream.Message message) throws Violation {
        FileDescriptor channel = message.descriptors().take();
        if (channel == null) {
            throw Violation.ofRequest("a back end's channel without a descriptor");
        }
        closeBackendChannel();
        backendChannel = channel;
    }

    /** VHU-32: what does not fit is answered with an empty payload. */
    private void readConfig(MessageStream.Message message) throws IOException {
        Payload.Config asked = Payload.Config.decode(message.payload());
        if (!asked.fits(Payload.Config.BYTES_MAX - Payload.Config.HEADER_BYTES)) {
            reply(message, ByteBuffer.allocate(0));
            return;
        }
        byte[] bytes = new byte[asked.sizeBytes()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) backend.device().readConfig(asked.offsetBytes() + i, CONFIG_WIDTH);
        }
        ByteBuffer answer = buffer(Payload.Config.HEADER_BYTES + bytes.length);
        new Payload.Config(asked.offsetBytes(), asked.sizeBytes(), 0, bytes).encode(answer);
        reply(message, answer.flip());
    }

    private void writeConfig(Payload.Config written) throws Violation {
        if (!written.fits(Payload.Config.BYTES_MAX - Payload.Config.HEADER_BYTES)) {
            throw Violation.ofRequest("configuration at " + written);
        }
        for (int i = 0; i < written.sizeBytes(); i++) {
            backend.device().writeConfig(
                    written.offsetBytes() + i, CONFIG_WIDTH, written.bytes()[i]);
        }
    }

    private void takeDescriptor(Request request, MessageStream.Message message)
            throws IOException, Violation {
        Payload.VringDescriptor named = Payload.VringDescriptor.decode(message.payload());
        Ring ring = backend.ring(named.index());
        FileDescriptor descriptor = message.descriptors().take();
        if (named.hasDescriptor() != (descriptor != null)) {
            if (descriptor != null) {
                ReceivedDescriptors.close(descriptor);
            }
            throw Violation.ofRequest(request + " of " + ring + ": descriptor and its flag differ");
        }
        Pollable target = descriptor == null ? null : pollable(request, ring, descriptor);
        switch (request) {
            case SET_VRING_CALL -> calls.replaceCall(ring.index, target);
            case SET_VRING_ERR -> calls.replaceError(ring.index, target);
            default -> startRing(ring, target);
        }
    }

    private Pollable pollable(Request request, Ring ring, FileDescriptor descriptor)
            throws IOException, Violation {
        try {
            return Pollable.of(descriptor, meanwhile)
                    .readyFor(request != Request.SET_VRING_KICK);
        } catch (Violation e) {
            throw Violation.ofRequest(request + " of " + ring + ": " + e.getMessage());
        }
    }

    private void startRing(Ring ring, @Nullable Pollable kick) throws IOException, Violation {
        if (kick == null) {
            throw Violation.ofRequest(ring + " without a kick descriptor: nobody polls rings here");
        }
        kicks.watch(ring.index, kick, backend.device().kick(ring.index));
        ring.start();
        backend.device().kickFromGuest(ring.index); // Look once (VHU-20).
    }

    /** VHU-17: settled, and then neither ring nor descriptors are used any more. */
    private void stopRing(MessageStream.Message message) throws IOException, Violation {
        Ring ring = backend.ring(Payload.VringState.decode(message.payload()).index());
        backend.stop(ring);
        ring.unstart();
        kicks.forget(ring.index);
        kicks.settle(); // or the poller might still read a kick that is another back end's
        calls.replaceCall(ring.index, null);
        ByteBuffer answer = buffer(Payload.VringState.BYTES);
        new Payload.VringState(ring.index, ring.base()).encode(answer);
        reply(message, answer.flip());
    }

    /** VHU-25: zeroed memory, which the front end keeps for us. */
    private void newInflightBuffer(MessageStream.Message message) throws IOException, Violation {
        checkTracks();
        ByteBuffer asked = message.payload();
        ByteBuffer answer = buffer(asked.remaining());
        Payload.Inflight wanted = Payload.Inflight.decode(asked);
        InflightFile file = backend.newInflightFile(wanted);
        new Payload.Inflight(InflightBuffer.bytes(wanted.queues(), wanted.entries()), 0,
                wanted.queues(), wanted.entries()).encode(answer);
        reply(message, answer.rewind(), file.descriptor());
    }

    private void takeInflightBuffer(MessageStream.Message message) throws Violation {
        checkTracks();
        FileDescriptor file = message.descriptors().take();
        if (file == null) {
            throw Violation.ofRequest("an in-flight buffer without a descriptor");
        }
        try {
            backend.takeInflightBuffer(Payload.Inflight.decode(message.payload()), file);
        } finally {
            ReceivedDescriptors.close(file); // The mapping stays without it.
        }
    }

    private void checkTracks() throws Violation {
        if (!has(ProtocolFeatures.INFLIGHT_SHMFD)) {
            throw Violation.ofRequest("an in-flight buffer that was not agreed on");
        }
    }

    private void describeRing(Request request, ByteBuffer payload) throws Violation {
        if (request == Request.SET_VRING_ADDR) {
            Payload.VringAddress address = Payload.VringAddress.decode(payload);
            backend.ring(address.index()).address(address);
            return;
        }
        Payload.VringState state = Payload.VringState.decode(payload);
        Ring ring = backend.ring(state.index());
        switch (request) {
            case SET_VRING_NUM -> ring.size(checkedSize(state.num()));
            case SET_VRING_BASE -> ring.base(state.num());
            default -> enable(ring, state.num());
        }
    }

    private int checkedSize(int entries) throws Violation {
        if (entries <= 0 || entries > backend.device().queueSizeMax()
                || Integer.bitCount(entries) != 1) {
            throw Violation.ofRequest("a ring of " + Integer.toUnsignedString(entries)
                    + " entries; powers of two up to " + backend.device().queueSizeMax());
        }
        return entries;
    }

    /** Off means settled, and ready to go on from there (VHU-18, VHU-50). */
    private void enable(Ring ring, int on) throws Violation {
        if (on != 0 && on != 1) {
            throw Violation.ofRequest(ring + " enabled by " + Integer.toUnsignedString(on));
        }
        ring.enable(on == 1);
        if (on == 0) {
            backend.stop(ring);
        }
    }

    private boolean has(long protocolFeature) {
        return (protocolFeatures & protocolFeature) != 0;
    }

    private void reply(MessageStream.Message message, long value) throws IOException {
        reply(message, buffer(Long.BYTES).putLong(value).flip());
    }

    private void reply(MessageStream.Message message, ByteBuffer payload) throws IOException {
        reply(message, payload, null);
    }

    /** Whoever has the answer finds the status that goes with it. */
    private void reply(MessageStream.Message message, ByteBuffer payload,
            @Nullable FileDescriptor along) throws IOException {
        showStatus();
        answers.incrementAndGet();
        try {
            stream.reply(message.header().request(), payload, along);
        } finally {
            answers.incrementAndGet();
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    /** Settles and unmaps, in this order; then closes everything that is still open. */
    private void end() {
        ended = true;
        kicks.close();
        try {
            backend.end();
        } catch (RuntimeException e) {
            // Somebody may still use the memory: it stays mapped.
            LOG.error("{}: the device cannot be settled", name, e);
        }
        calls.clear();
        stream.close();
        closeBackendChannel();
        try {
            connection.close();
        } catch (IOException e) {
            LOG.debug("{}: closing the connection failed", name, e);
        }
    }

    private void closeBackendChannel() {
        FileDescriptor channel = backendChannel;
        if (channel != null) {
            ReceivedDescriptors.close(channel);
        }
        backendChannel = null;
    }
}
