package dev.quiesce.virtio.device;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.EventNotifier;
import dev.quiesce.virtio.device.DriverRegisters.StatusWrite;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.memory.MemoryMap;
import dev.quiesce.virtio.queue.QueueConfig;
import dev.quiesce.virtio.queue.QueueState;
import dev.quiesce.virtio.queue.Resumption;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import dev.quiesce.virtio.queue.Virtqueue;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A virtio device as its transport sees it: feature negotiation, status byte, queue registers,
 * doorbells.
 *
 * <p>Register methods may be called from any thread, one caller at a time, with a happens-before
 * edge between successive callers; they never block and never do I/O. Writing the status is
 * asynchronous inside: the change is made on the main context, in the order of the writes, and the
 * returned stage ends there when it has taken effect; the status reads as before until then. A
 * driver reads FEATURES_OK back without waiting, so a transport holds the guest at its writes until
 * the stage has ended.
 *
 * <p>A driver should wait, after writing 0, until it reads 0. What one that does not wait writes
 * meanwhile belongs to its next life: features, queue registers, configuration space and status
 * take effect, in that order, after the reset has ended, and so do kicks. Until then {@link
 * #status} shows the old life. The rings of the old life are written until its reset has ended: a
 * driver that re-uses their memory must wait.
 *
 * <p>A guest that breaks the rules breaks its device and nothing else (I7): the device is marked,
 * shows {@link DeviceStatus#NEEDS_RESET}, raises one configuration interrupt, writes no ring any
 * more, and works again after the driver has reset it.
 */
public abstract class VirtioDevice {
    /*
     * `status` and `brokenCause` are read by every queue's context and written by main (the cause:
     * by whoever meets the defect first). They are only looked at, never waited for:
     * release/acquire suffices, and losing the race means that one more chain is popped from a
     * broken ring, which its own fault state refuses. The CAS on `brokenCause` elects one reporter,
     * so that a guest cannot flood the log or the interrupt; being one word, it is there as soon as
     * the device is known to be broken.
     */
    private static final Logger LOG = LoggerFactory.getLogger(VirtioDevice.class);
    private static final VarHandle STATUS;
    private static final VarHandle BROKEN_CAUSE;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATUS = lookup.findVarHandle(VirtioDevice.class, "status", int.class);
            BROKEN_CAUSE = lookup.findVarHandle(
                    VirtioDevice.class, "brokenCause", Throwable.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final VirtioDeviceConfig config;
    private final DriverRegisters registers;
    private final Doorbells doorbells;
    private volatile long negotiatedFeatures; // Written by main before DRIVER_OK, read by any.
    private final @Nullable SplitVirtqueue[] rings; // Main only; null: the queue is not in use.
    private final Turns turns;
    private final AtomicReference<@Nullable CompletableFuture<Void>> closing =
            new AtomicReference<>();

    /* Main only. */
    private QueueSetup[] served = {}; // The queue registers at DRIVER_OK.
    private boolean resetFailed;
    private boolean closed;

    @SuppressWarnings("unused") // Through STATUS.
    private int status;

    @SuppressWarnings("unused") // Through BROKEN_CAUSE.
    private @Nullable Throwable brokenCause;

    /**
     * Makes a device in its reset state.
     *
     * @param config what it is built from
     */
    protected VirtioDevice(VirtioDeviceConfig config) {
        this.config = config;
        registers = new DriverRegisters(config.queues());
        doorbells = new Doorbells(config.name(), config.queues(), registers);
        rings = new SplitVirtqueue[config.queues()];
        turns = new Turns(config.name(), config.main());
    }

    /**
     * The device's name. Any thread.
     *
     * @return the name
     */
    public final String name() {
        return config.name();
    }

    /**
     * The main context. Any thread.
     *
     * @return the context in which status changes are made
     */
    public final AioContext main() {
        return config.main();
    }

    /**
     * The guest's memory. Any thread.
     *
     * @return the memory given at construction
     */
    public final GuestMemory memory() {
        return config.memory();
    }

    /**
     * The way to the guest. Any thread.
     *
     * @return the interrupt given at construction
     */
    public final Interrupt interrupt() {
        return config.interrupt();
    }

    /**
     * Number of queues. Any thread.
     *
     * @return the number
     */
    public final int queues() {
        return config.queues();
    }

    /**
     * Largest ring a driver may choose. Any thread.
     *
     * @return entries, a power of two
     */
    public final int queueSizeMax() {
        return config.queueSizeMax();
    }

    /**
     * The device id of the standard (VirtIO 1.2, 5). Any thread.
     *
     * @return the id, 8 for a SCSI host
     */
    public abstract int deviceId();

    /**
     * The features that a driver may choose from. Any thread.
     *
     * @return feature bits
     */
    public abstract long offeredFeatures();

    /**
     * Writes the driver's choice of features; effective when the driver sets FEATURES_OK. Any
     * thread. Ignored after FEATURES_OK.
     *
     * @param features feature bits; bits that were not offered make FEATURES_OK read back 0
     *     (MAL-19)
     */
    public final void writeDriverFeatures(long features) {
        registers.writeFeatures(features);
    }

    /**
     * The negotiated features, 0 before FEATURES_OK. Any thread.
     *
     * @return feature bits
     */
    public final long negotiatedFeatures() {
        return negotiatedFeatures;
    }

    /**
     * The status byte as a driver reads it. Any thread.
     *
     * @return bits of {@link DeviceStatus}
     */
    public final int status() {
        return (int) STATUS.getAcquire(this);
    }

    /**
     * Whether the driver may use the rings. Any thread.
     *
     * @return whether DRIVER_OK is set
     */
    public final boolean isDriverOk() {
        return (status() & DeviceStatus.DRIVER_OK) != 0;
    }

    /**
     * Writes the status byte. Any thread; never blocks. Writing 0 resets the device: when the
     * returned stage has ended nothing late arrives in memory, ring or interrupt (VSCSI-49,
     * VSCSI-50).
     *
     * @param value bits of {@link DeviceStatus}
     * @return ends on the main context when the write has taken effect; exceptionally if the
     *     device could not follow (for example because its contexts are closed)
     */
    public final CompletionStage<Void> writeStatus(int value) {
        StatusWrite write;
        try {
            write = value == 0 ? takeReset() : registers.writeStatus(value,
                    (value & DeviceStatus.FEATURES_OK) == 0 || areFeaturesAcceptable());
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e); // The embedder's memory map, for instance.
        }
        if (write.sets(DeviceStatus.DRIVER_OK)) {
            noteKicks();
        }
        return turns.change(
                "status := 0x" + Integer.toHexString(value), () -> applyStatus(write));
    }

    /**
     * Begins to use one queue of a running device, from where its ring stands: for transports that
     * start and stop each queue by itself, as vhost-user does. Any thread; never blocks. Takes its
     * turn among the writes of the status. What the guest got wrong breaks the device, as at
     * DRIVER_OK.
     *
     * @param index the queue
     * @param setup where its ring is; need not have been written before
     * @param from where to go on: at 0 in a new ring, else at what {@link #stopQueue} answered, or
     *     where a journal says
     * @return ends on the main context when the queue is served, or waits for its dataplane to be
     *     started; exceptionally if the queue does not exist, is in use (which it is until a stop
     *     has ended), or DRIVER_OK is not set
     */
    public final CompletionStage<Void> startQueue(int index, QueueSetup setup, Resumption from) {
        int life = registers.life();
        return turns.operation("start queue " + index, () -> {
            checkCanStart(index);
            registers.replaceQueue(life, index, setup);
            SplitVirtqueue ring = judged(index, SplitVirtqueue.attach(
                    configOf(setup), memory(), from), setup.sizeEntries());
            if (ring == null) {
                return CompletableFuture.completedStage(null);
            }
            CompletionStage<Void> started = onQueueStart(index, ring);
            rings[index] = ring;
            return started;
        });
    }

    /**
     * Ceases to use one queue: nothing more is fetched, what was fetched is completed, and then
     * neither the ring nor the interrupt is touched any more. Any thread; never blocks. Commands
     * parked in somebody's drained section end after that section; a reset cancels them meanwhile.
     * Kicks are remembered.
     *
     * @param index the queue
     * @return ends on the main context with where the ring stands: start it again from its {@code
     *     lastAvail}; exceptionally if the queue is not in use
     */
    public final CompletionStage<QueueState> stopQueue(int index) {
        return turns.operation("stop queue " + index, () -> {
            SplitVirtqueue ring = index >= 0 && index < rings.length ? rings[index] : null;
            if (ring == null) {
                throw new IllegalStateException(name() + ": queue " + index + " is not in use");
            }
            return onQueueStop(index).thenApply(nothing -> {
                if (rings[index] == ring) {
                    rings[index] = null; // Unless a reset came first.
                }
                return ring.state();
            });
        });
    }

    /**
     * Writes the registers of one queue. Any thread. Ignored after DRIVER_OK (MAL-20) and for a
     * queue that does not exist.
     *
     * @param index the queue
     * @param setup the values of the driver; judged at DRIVER_OK
     */
    public final void writeQueue(int index, QueueSetup setup) {
        registers.writeQueue(index, setup);
    }

    /**
     * Reads the registers of one queue. Any thread.
     *
     * @param index the queue
     * @return what the driver has written, {@link QueueSetup#ABSENT} for a queue that does not
     *     exist
     */
    public final QueueSetup queue(int index) {
        return registers.queue(index);
    }

    /**
     * The doorbell of one queue. Any thread may set it, at any time: a kick before the queue is
     * served is remembered (DP-45). In a machine whose stores are not ordered only {@link
     * #kickFromGuest} tells the device of new chains.
     *
     * @param index the queue
     * @return its notifier
     * @throws IndexOutOfBoundsException if the queue does not exist
     */
    public final EventNotifier kick(int index) {
        return doorbells.bell(index);
    }

    /**
     * Rings a doorbell with a number that a guest wrote. The thread that runs the guest's CPU: in a
     * machine whose stores are not ordered it reads here how far it has come. A queue that does not
     * exist is ignored (MAL-18).
     *
     * @param index the queue
     */
    public final void kickFromGuest(int index) {
        if (doorbells.exists(index)) {
            noteKick(index);
            doorbells.bell(index).set();
        }
    }

    /**
     * Lets a ring be read as far as its driver had come at its last kick, if stores are not
     * ordered; else the ring finds out by itself. The owner of the ring, before it pops.
     *
     * @param index the queue
     * @param ring its ring
     */
    public final void showKicked(int index, Virtqueue ring) {
        doorbells.show(index, ring);
    }

    /**
     * Reads the configuration space. Any thread. Little-endian; bytes beyond the end read as ones
     * (VSCSI-6).
     *
     * @param offsetBytes first byte
     * @param widthBytes 1, 2, 4 or 8
     * @return the value, zero extended
     */
    public abstract long readConfig(int offsetBytes, int widthBytes);

    /**
     * Writes the configuration space. Any thread. Writes beyond the end or to read-only fields are
     * ignored.
     *
     * @param offsetBytes first byte
     * @param widthBytes 1, 2, 4 or 8
     * @param value the value, little-endian in the space
     */
    public abstract void writeConfig(int offsetBytes, int widthBytes, long value);

    /**
     * Whether the guest has broken the device since its last reset. Any thread.
     *
     * @return whether it needs a reset
     */
    public final boolean isBroken() {
        return brokenCause() != null;
    }

    /**
     * What broke the device. Any thread.
     *
     * @return the cause, or null if it is not broken
     */
    public final @Nullable Throwable brokenCause() {
        return (Throwable) BROKEN_CAUSE.getAcquire(this);
    }

    /**
     * Breaks the device: it shows NEEDS_RESET, raises the configuration interrupt once, and no
     * ring of it is written any more. Any thread. Only the first call has an effect.
     *
     * @param what the rule that the guest broke, or what went wrong, for the operator
     * @param cause the cause if there is one
     */
    public final void markBroken(String what, @Nullable Throwable cause) {
        Throwable told = cause != null ? cause : new IllegalStateException(what);
        // CAS: of several contexts that meet a defect exactly one reports it.
        if (!BROKEN_CAUSE.compareAndSet(this, null, told)) {
            return;
        }
        // CAS loop inside: main may be changing the byte at the same time.
        STATUS.getAndBitwiseOr(this, DeviceStatus.NEEDS_RESET);
        LOG.warn("{}: broken by its guest until reset: {}", name(), what);
        interrupt().config();
    }

    /**
     * The driver has set DRIVER_OK: rings are configured. Main context.
     *
     * @return ends on the main context when the device serves its queues
     */
    protected abstract CompletionStage<Void> onDriverOk();

    /**
     * The driver resets the device: stop, settle everything in flight, forget. Main context.
     * Registers, features and status are cleared by this class afterwards.
     *
     * @return ends on the main context when nothing can arrive late any more
     */
    protected abstract CompletionStage<Void> onReset();

    /**
     * The driver has written 0 into the status: what it writes into the configuration space from
     * now on belongs to its next life, which begins when {@link #onReset} has ended. The driver's
     * thread; does not block.
     */
    protected void onRegistersReset() {}

    /** The device was reset for the last time, by {@link #close}: leave what it serves. Main. */
    protected void onClosed() {}

    /**
     * One queue of the running device gets its ring. Main context.
     *
     * @param index the queue
     * @param ring its ring, possibly broken
     * @return ends on the main context when the queue is served, or as far as it can be now
     */
    protected abstract CompletionStage<Void> onQueueStart(int index, SplitVirtqueue ring);

    /**
     * One queue of the running device loses its ring: settle, retire it, forget it. Main context.
     *
     * @param index the queue, which has a ring
     * @return ends on the main context when the ring is not touched any more
     */
    protected abstract CompletionStage<Void> onQueueStop(int index);

    /**
     * Whether a set of features may be accepted besides being a subset of the offered ones. Any
     * thread.
     *
     * @param features the driver's choice
     * @return whether FEATURES_OK may be set
     */
    protected boolean acceptsFeatures(long features) {
        return (features & VirtioFeatures.VERSION_1) != 0;
    }

    /**
     * Builds the ring of a queue from what the driver has written. Main context, from {@link
     * #onDriverOk}.
     *
     * @param index the queue
     * @return the ring, possibly one that is broken from birth, or null if the driver has not
     *     enabled it
     */
    protected final @Nullable SplitVirtqueue openQueue(int index) {
        QueueSetup setup = served[index];
        if (!setup.enabled()) {
            return null;
        }
        SplitVirtqueue ring = judged(
                index, new SplitVirtqueue(configOf(setup), memory()), setup.sizeEntries());
        rings[index] = ring;
        return ring;
    }

    /**
     * Resets the device for the last time, and then closes it, before any later write of the status
     * takes its turn. Any thread; later calls get the outcome of the first. A closed device ignores
     * what is written.
     *
     * @return ends on the main context after {@link #onClosed}; exceptionally if the device could
     *     not be reset: then it is not closed
     */
    protected final CompletionStage<Void> close() {
        CompletableFuture<Void> outcome = new CompletableFuture<>();
        // CAS: of several callers one closes, and all wait for that.
        CompletableFuture<Void> first = closing.compareAndExchange(null, outcome);
        if (first != null) {
            return first.minimalCompletionStage();
        }
        StatusWrite reset = takeReset();
        turns.change("close", () -> applyStatus(reset).thenRun(this::becomeClosed))
                .whenComplete((nothing, failure) -> {
                    if (failure != null) {
                        outcome.completeExceptionally(failure);
                    } else {
                        outcome.complete(null);
                    }
                });
        return outcome.minimalCompletionStage();
    }

    private QueueConfig configOf(QueueSetup setup) {
        return new QueueConfig(setup.sizeEntries(), setup.descriptorAddress(),
                setup.availAddress(), setup.usedAddress(), negotiatedFeatures);
    }

    /** Breaks the device over a ring that cannot work; null if the device cannot hold it at all. */
    private @Nullable SplitVirtqueue judged(int index, SplitVirtqueue ring, int sizeEntries) {
        if (sizeEntries > queueSizeMax()) {
            markBroken("queue " + index + ": size " + sizeEntries + " exceeds "
                    + queueSizeMax() + " (VQ-38)", null);
            return null;
        }
        showKicked(index, ring);
        if (ring.fault() != null) {
            markBroken("queue " + index + ": " + ring.fault(), ring.faultCause());
        }
        return ring;
    }

    private void checkCanStart(int index) {
        if (index < 0 || index >= rings.length || rings[index] != null || !isDriverOk()) {
            throw new IllegalStateException(name() + ": queue " + index + " of " + rings.length
                    + " cannot be started: it must not be in use, the status be DRIVER_OK, is 0x"
                    + Integer.toHexString(status()));
        }
    }

    private void noteKick(int index) {
        try {
            doorbells.note(index, memory().map());
        } catch (RuntimeException | InternalError e) {
            kickFailed("queue " + index, e);
        }
    }

    private void noteKicks() {
        try {
            doorbells.noteAll(memory().map());
        } catch (RuntimeException | InternalError e) {
            kickFailed("DRIVER_OK", e);
        }
    }

    /** Nothing of the guest's making is thrown at whoever runs its CPU (I7). */
    private void kickFailed(String what, Throwable cause) {
        markBroken(what + ": guest memory failed under a kick", cause);
    }

    private StatusWrite takeReset() {
        onRegistersReset();
        return registers.reset();
    }

    private boolean areFeaturesAcceptable() {
        long chosen = registers.features();
        return (chosen & ~offeredFeatures()) == 0 && acceptsFeatures(chosen);
    }

    private CompletionStage<Void> applyStatus(StatusWrite write) {
        if (closed) {
            return CompletableFuture.completedStage(null); // Serves nothing, and says so: reads 0.
        }
        if (write.resets()) {
            resetFailed = true;
            return onReset().thenRun(this::becomeReset);
        }
        if (resetFailed) {
            return CompletableFuture.failedStage(
                    new IllegalStateException(name() + ": its last reset failed"));
        }
        if (write.sets(DeviceStatus.FEATURES_OK)) {
            negotiatedFeatures = write.features();
        }
        boolean starts = write.sets(DeviceStatus.DRIVER_OK);
        if (starts) {
            served = write.queues();
            doorbells.serve(write.life());
        }
        // Atomic OR: a queue's context may be adding NEEDS_RESET.
        STATUS.getAndBitwiseOr(this, write.set());
        return starts ? onDriverOk() : CompletableFuture.completedStage(null);
    }

    private void becomeReset() {
        resetFailed = false;
        served = new QueueSetup[0];
        doorbells.forget();
        Arrays.fill(rings, null);
        negotiatedFeatures = 0;
        BROKEN_CAUSE.setRelease(this, null);
        // Last: a transport that polls the status for 0 sees everything above when it reads it.
        STATUS.setRelease(this, 0);
    }

    private void becomeClosed() {
        closed = true;
        onClosed();
    }
}
