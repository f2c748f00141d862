package dev.quiesce.vhostuser;

import dev.quiesce.vhostuser.inflight.InflightBuffer;
import dev.quiesce.vhostuser.inflight.InflightException;
import dev.quiesce.vhostuser.inflight.InflightFile;
import dev.quiesce.vhostuser.inflight.InflightQueue;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.memory.PublishedMemory;
import dev.quiesce.virtio.memory.RegionMap;
import dev.quiesce.virtio.queue.QueueState;
import dev.quiesce.virtio.queue.Resumption;
import java.io.FileDescriptor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device as a session drives it: what a front end says about features, rings and memory, turned
 * into the device's own operations, each waited for. Session thread.
 */
final class Backend {
    private static final Logger LOG = LoggerFactory.getLogger(Backend.class);
    private static final long LOOK_MILLIS = 100;
    private static final int USED_INDEX_OFFSET = 2;
    private static final int INDEX_MASK = 0xFFFF;
    private static final int DRIVER = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER;

    private final VirtioDevice device;
    private final PublishedMemory shown;
    private final MemoryTable table = new MemoryTable();
    private final BooleanSupplier frontEndHasGone;
    private final Ring[] rings;
    private long features;
    private boolean up;
    private @Nullable InflightFile newest; // Given to the front end last.
    private @Nullable MappedRegion inflightMemory;
    private @Nullable InflightBuffer inflight; // In that memory; null: nobody keeps track.
    private @Nullable CompletionStage<Void> cancelling; // A reset because nobody is there any more.

    /**
     * Makes the driving side of a device in reset state.
     *
     * @param device the device
     * @param shown the memory that it was built with
     * @param frontEndHasGone asked while rings are waited for, which may be as long as somebody
     *     holds a drained section: when nobody is left to be told, what is parked is cancelled
     */
    Backend(VirtioDevice device, PublishedMemory shown, BooleanSupplier frontEndHasGone) {
        this.device = device;
        this.shown = shown;
        this.frontEndHasGone = frontEndHasGone;
        this.rings = new Ring[device.queues()];
        for (int i = 0; i < rings.length; i++) {
            rings[i] = new Ring(i);
        }
    }

    VirtioDevice device() {
        return device;
    }

    MemoryTable table() {
        return table;
    }

    long features() {
        return features;
    }

    /** The ring of a message. */
    Ring ring(int index) throws Violation {
        if (index < 0 || index >= rings.length) {
            throw Violation.ofRequest("ring " + Integer.toUnsignedString(index) + " of "
                    + rings.length + " (VHU-24)");
        }
        return rings[index];
    }

    /**
     * Takes the guest's choice of features. The device is reset unless it is the same choice again,
     * as after a pause: then nothing that the guest has set up is lost.
     */
    void negotiate(long chosen) throws Violation {
        long withoutProtocol = chosen & ~ProtocolFeatures.DEVICE_BIT;
        long offered = device.offeredFeatures();
        long strange = withoutProtocol & ~offered & ~ProtocolFeatures.TOLERATED;
        if (strange != 0 || (chosen & VirtioFeatures.VERSION_1) == 0) {
            throw Violation.ofRequest(String.format("features %#x: %s", chosen, strange == 0
                    ? "legacy guests are not served" : String.format("%#x not offered", strange)));
        }
        if (isAnyRunning() && chosen != features) {
            throw Violation.ofRequest("other features while rings run");
        }
        if (!up || chosen != features || device.isBroken()) {
            stopAll();
            bringUp(withoutProtocol & offered);
        }
        features = chosen;
        if ((chosen & ProtocolFeatures.DEVICE_BIT) == 0) {
            for (Ring ring : rings) {
                ring.enable(true); // VHU-19: such a front end will not send ENABLE.
            }
        }
    }

    /** Gives the device every ring that should run and does not (VHU-16, VHU-51). */
    void runWhatShould() throws Violation {
        if (!up) {
            return;
        }
        List<CompletionStage<Void>> starts = new ArrayList<>();
        try {
            for (Ring ring : rings) {
                if (ring.shouldRun() && !ring.isRunning()) {
                    QueueSetup setup = ring.setup(table);
                    starts.add(device.startQueue(ring.index, setup, resumption(ring, setup)));
                    ring.runs();
                }
            }
        } finally {
            starts.forEach(Backend::await); // also those before a ring that cannot run
        }
    }

    /** Takes a ring back from the device, if it has it; everything fetched is completed. */
    void stop(Ring ring) {
        if (ring.isRunning()) {
            ring.stopped(awaitSettled(device.stopQueue(ring.index)).lastAvail());
            forgetIfCancelled();
        }
    }

    /** Takes every ring back from the device that it has; everything fetched is completed. */
    void stopAll() {
        Map<Ring, CompletionStage<QueueState>> stops = new LinkedHashMap<>();
        for (Ring ring : rings) {
            if (ring.isRunning()) {
                stops.put(ring, device.stopQueue(ring.index));
            }
        }
        stops.forEach((ring, stop) -> ring.stopped(awaitSettled(stop).lastAvail()));
        forgetIfCancelled();
    }

    /**
     * Changes the memory under running rings: all are taken back, so that what is in flight ends on
     * the old mappings; then those go, and the rings run on (VHU-11).
     */
    void changeMemory(MemoryChange change) throws Violation {
        try {
            change.apply();
        } catch (Violation e) {
            table.releaseRemoved(); // what was mapped before it was refused, and nobody has seen
            throw e;
        }
        stopAll();
        shown.publish(table.map());
        table.releaseRemoved();
        for (Ring ring : rings) {
            ring.memoryChanged(table);
        }
    }

    /**
     * Where a ring goes on. Where the buffer was used before it knows, and not the front end, which
     * after a crash can only guess (VHU-28).
     */
    private Resumption resumption(Ring ring, QueueSetup setup) throws Violation {
        InflightBuffer buffer = inflight;
        if (buffer == null) {
            return Resumption.at(ring.base());
        }
        try {
            int used = shown.map().load16(setup.usedAddress() + USED_INDEX_OFFSET);
            InflightQueue queue = buffer.resume(ring.index, ring.size(), used);
            int[] unfinished = queue.unfinished();
            int lastAvail = queue.wasUsedBefore()
                    ? (used + unfinished.length) & INDEX_MASK : ring.base();
            return Resumption.of(lastAvail, unfinished, queue);
        } catch (InflightException e) {
            throw forged(e);
        } catch (InternalError e) {
            throw Violation.ofRequest(ring + " in memory that was truncated");
        }
    }

    /**
     * Makes a buffer for the front end to keep: one per connection, zeroed each time, so that
     * asking often costs us no more than asking once.
     */
    InflightFile newInflightFile(Payload.Inflight wanted) throws IOException, Violation {
        checkInflight(wanted);
        InflightFile file = newest;
        if (file == null) {
            file = InflightFile.create(
                    InflightBuffer.bytes(device.queues(), device.queueSizeMax()));
            newest = file;
        } else {
            file.clear();
        }
        return file;
    }

    /** Takes the buffer in which the rings that start from now on keep track. */
    void takeInflightBuffer(Payload.Inflight given, FileDescriptor file) throws Violation {
        checkInflight(given);
        long bytes = InflightBuffer.bytes(given.queues(), given.entries());
        if (given.sizeBytes() < bytes || given.fileOffset() % Long.BYTES != 0) {
            throw Violation.ofRequest(given + " instead of " + bytes + " aligned bytes (SBUG-28)");
        }
        Payload.Region region = new Payload.Region(0, bytes, 0, given.fileOffset());
        MappedRegion.checkArithmetic(region);
        MappedRegion next = new MappedRegion(region);
        try {
            next.map(file);
        } catch (Violation e) {
            table.discard(next);
            table.releaseRemoved();
            throw e;
        }
        discardInflight();
        table.releaseRemoved();
        inflightMemory = next;
        inflight = new InflightBuffer(
                RegionMap.builder().mayBeTruncated(true).add(0, next.parts()).build(),
                given.queues(), given.entries());
    }

    private void checkInflight(Payload.Inflight described) throws Violation {
        if (described.queues() == 0 || described.queues() > device.queues()
                || described.entries() == 0 || described.entries() > device.queueSizeMax()) {
            throw Violation.ofRequest(described + " for " + device.queues() + " rings of up to "
                    + device.queueSizeMax() + " entries");
        }
        if (isAnyRunning()) {
            throw Violation.ofRequest("another in-flight buffer while rings run");
        }
    }

    /** A few pages, but any number of times: they go as the guest's memory does. */
    private void discardInflight() {
        if (inflightMemory != null) {
            table.discard(inflightMemory);
        }
        inflightMemory = null;
        inflight = null;
    }

    private void closeNewest() {
        try (InflightFile file = newest) {
            newest = null;
        } catch (IOException e) {
            LOG.debug("closing the file of an in-flight buffer failed", e);
        }
    }

    private void forgetInflight() throws Violation {
        InflightBuffer buffer = inflight;
        if (buffer != null) {
            try {
                buffer.forget();
            } catch (InflightException e) {
                throw forged(e);
            }
        }
    }

    private static Violation forged(InflightException cause) {
        return Violation.ofStream("in-flight buffer: " + cause.getMessage());
    }

    /**
     * Stops all rings and resets the device, cancelling what is in flight; memory stays. The guest
     * has begun anew, so nothing is unfinished.
     */
    void reset() throws Violation {
        await(device.writeStatus(0));
        forget();
        forgetInflight();
    }

    private void forget() {
        up = false;
        features = 0;
        for (Ring ring : rings) {
            ring.reset();
        }
    }

    /**
     * Resets the device and gives all memory back. What the in-flight buffer says stays as it is:
     * whoever comes with it later goes on.
     */
    void end() {
        closeNewest();
        await(device.writeStatus(0));
        forget();
        discardInflight();
        shown.publish(MemoryTable.empty());
        table.clear();
        table.releaseRemoved();
    }

    List<VhostUserStatus.Queue> describeRings() {
        List<VhostUserStatus.Queue> list = new ArrayList<>();
        for (Ring ring : rings) {
            list.add(new VhostUserStatus.Queue(
                    ring.isStarted(), ring.isEnabled(), ring.isRunning()));
        }
        return list;
    }

    private void bringUp(long chosen) throws Violation {
        await(device.writeStatus(0));
        up = false;
        forgetInflight();
        await(device.writeStatus(DRIVER));
        device.writeDriverFeatures(chosen);
        await(device.writeStatus(DRIVER | DeviceStatus.FEATURES_OK));
        if ((device.status() & DeviceStatus.FEATURES_OK) == 0) {
            throw Violation.ofRequest(String.format("features %#x refused", chosen));
        }
        await(device.writeStatus(DRIVER | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK));
        up = true;
    }

    private void forgetIfCancelled() {
        CompletionStage<Void> reset = cancelling;
        if (reset != null) {
            await(reset);
            cancelling = null;
            forget();
        }
    }

    /** Waits for a ring; if the front end goes meanwhile, by cancelling what the ring waits for. */
    private QueueState awaitSettled(CompletionStage<QueueState> stop) {
        CompletableFuture<QueueState> settled = stop.toCompletableFuture();
        boolean interrupted = false;
        while (!settled.isDone()) {
            try {
                settled.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (cancelling == null && frontEndHasGone.getAsBoolean()) {
                    cancelling = device.writeStatus(0);
                }
            } catch (ExecutionException e) {
                break; // Told below.
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return await(settled);
    }

    private boolean isAnyRunning() {
        for (Ring ring : rings) {
            if (ring.isRunning()) {
                return true;
            }
        }
        return false;
    }

    /** Waits for the device; its thread is the main context's, never this one. */
    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause();
            throw cause instanceof RuntimeException failure ? failure : e;
        }
    }

    /** A change of the table. */
    interface MemoryChange {
        void apply() throws Violation;
    }
}
