package dev.quiesce.virtio.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Task;
import dev.quiesce.backend.BackendListener;
import dev.quiesce.scsi.BusListener;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiAddress;
import dev.quiesce.scsi.ScsiBus;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.virtio.dataplane.Dataplane;
import dev.quiesce.virtio.dataplane.QueueMapping;
import dev.quiesce.virtio.dataplane.QueuePump;
import dev.quiesce.virtio.device.Interrupt;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.device.VirtioDeviceConfig;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.memory.GuestMemory;
import dev.quiesce.virtio.queue.SplitVirtqueue;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The virtio-scsi device: a SCSI bus behind one control queue, one event queue and any number of
 * request queues (VirtIO 1.2, 5.6).
 *
 * <p>Registers as {@link VirtioDevice}. The control and event queues are served by the main
 * context, the request queues by the contexts of the {@link QueueMapping} given to {@link
 * #startDataplane}; until then, by nobody: kicks are remembered.
 *
 * <p>Example, on the thread that owns {@code main}:
 *
 * <pre>{@code
 * VirtioScsi hba = VirtioScsi.create(VirtioScsiConfig.of("scsi0", 2), bus, memory, interrupt);
 * hba.startDataplane(QueueMapping.roundRobin(List.of(ioThread.context()), 2));
 * }</pre>
 */
public final class VirtioScsi extends VirtioDevice {
    /** Number of the control queue. */
    public static final int CONTROL_QUEUE = 0;
    /** Number of the event queue. */
    public static final int EVENT_QUEUE = 1;
    /** Number of the first request queue. */
    public static final int FIRST_REQUEST_QUEUE = 2;
    /** Feature: plugging and unplugging is announced by events. */
    public static final long FEATURE_HOTPLUG = 1L << 1;
    /** Feature: parameter changes are announced by events. */
    public static final long FEATURE_CHANGE = 1L << 2;

    private static final int DEVICE_ID = 8;

    private final VirtioScsiConfig config;
    private final ScsiBus bus;
    private final ScsiConfigSpace configSpace;
    private final ControlQueue controlQueue;
    private final Dataplane control;
    private final Dataplane requests;
    private final EventQueue events;
    private final BusListener busListener = new BusEvents();
    private final List<Watched> watched = new ArrayList<>(); // Main only.
    private @Nullable QueueMapping mapping; // Main only; null: the dataplane is stopped.
    private boolean ringsOpen; // Main only.

    private VirtioScsi(
            VirtioScsiConfig config, ScsiBus bus, GuestMemory memory, Interrupt interrupt) {
        super(new VirtioDeviceConfig(config.name(), bus.main(), memory, interrupt,
                config.requestQueues() + FIRST_REQUEST_QUEUE, config.queueSizeMax()));
        this.config = config;
        this.bus = bus;
        configSpace = new ScsiConfigSpace(config, bus.config().targetMax(), bus.config().lunMax());
        controlQueue = new ControlQueue(this, CONTROL_QUEUE);
        control = new Dataplane(
                config.name() + ".control", main(), List.of(controlQueue.pump()));
        List<QueuePump> pumps = new ArrayList<>();
        for (int i = 0; i < config.requestQueues(); i++) {
            pumps.add(new RequestQueue(this, FIRST_REQUEST_QUEUE + i).pump());
        }
        requests = new Dataplane(config.name() + ".requests", main(), pumps);
        events = new EventQueue(this, EVENT_QUEUE);
    }

    /**
     * Makes a device in front of a bus. Control.
     *
     * @param config how it presents itself
     * @param bus its disks, those of now and those plugged later
     * @param memory the guest's memory
     * @param interrupt the way to the guest
     * @return the device, in reset state
     */
    public static VirtioScsi create(
            VirtioScsiConfig config, ScsiBus bus, GuestMemory memory, Interrupt interrupt) {
        bus.main().checkHome();
        VirtioScsi device = new VirtioScsi(config, bus, memory, interrupt);
        for (LogicalUnit unit : bus.units()) {
            device.watch(unit);
        }
        bus.addListener(device.busListener);
        return device;
    }

    /**
     * The bus behind the device. Any thread.
     *
     * @return the bus
     */
    public ScsiBus bus() {
        return bus;
    }

    /**
     * Serves the request queues from now on as a mapping says, and after every reset again. Any
     * thread. If they are being served differently, that is stopped first.
     *
     * @param queues who serves which request queue
     * @return ends on the main context when every queue is attached, or the mapping noted if the
     *     driver has not set up its queues yet
     * @throws IllegalArgumentException if a fixed mapping names fewer contexts than there are
     *     request queues (DP-3)
     */
    public CompletionStage<Void> startDataplane(QueueMapping queues) {
        if (queues instanceof QueueMapping.Fixed fixed
                && fixed.contexts().size() < config.requestQueues()) {
            throw new IllegalArgumentException(name() + " has " + config.requestQueues()
                    + " request queues, the mapping names " + fixed.contexts().size()
                    + " contexts: nobody would serve request queue " + fixed.contexts().size()
                    + " (DP-3)");
        }
        return onMain("start dataplane", () -> {
            boolean restart = mapping != null;
            mapping = queues;
            if (!ringsOpen) {
                return CompletableFuture.completedFuture(null);
            }
            CompletionStage<Void> stopped =
                    restart ? requests.stop() : CompletableFuture.completedFuture(null);
            return stopped.thenCompose(nothing -> startIfStill(queues));
        });
    }

    /**
     * Ceases to serve the request queues. Any thread. Ends when every fetched command was answered
     * and its response published; commands parked in somebody's drained section end after that
     * section.
     *
     * @return ends on the main context
     */
    public CompletionStage<Void> stopDataplane() {
        return onMain("stop dataplane", () -> {
            mapping = null;
            return requests.stop();
        });
    }

    /**
     * The mapping in which request queue i is served where the disk that is i-th in address order
     * (modulo their number) lives, and moves after it. Any thread.
     *
     * @return the mapping
     */
    public QueueMapping following() {
        return new QueueMapping.Follow(this::leaderContext);
    }

    /**
     * The control side of the request queues, for statistics. Any thread.
     *
     * @return the dataplane
     */
    public Dataplane dataplane() {
        return requests;
    }

    /**
     * The task management functions so far, over all resets of the device. Any thread.
     *
     * @return how many of which kind
     */
    public TaskFunctionStats taskFunctions() {
        return controlQueue.stats();
    }

    /**
     * Takes the device off its bus after a reset, for good. Any thread. The bus and its disks stay
     * as they are, and are not touched by what is written into the device's registers afterwards.
     * Later calls get the outcome of the first.
     *
     * @return ends on the main context when nothing of the device runs any more
     */
    public CompletionStage<Void> closeAsync() {
        return close();
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long offeredFeatures() {
        long ring = memory().map().guestStoresOrdered() ? VirtioFeatures.EVENT_IDX : 0;
        return VirtioFeatures.VERSION_1 | VirtioFeatures.INDIRECT_DESC | ring
                | (config.hotplug() ? FEATURE_HOTPLUG : 0) | (config.change() ? FEATURE_CHANGE : 0);
    }

    @Override
    public long readConfig(int offsetBytes, int widthBytes) {
        return configSpace.read(offsetBytes, widthBytes);
    }

    @Override
    public void writeConfig(int offsetBytes, int widthBytes, long value) {
        configSpace.write(offsetBytes, widthBytes, value);
    }

    @Override
    protected CompletionStage<Void> onDriverOk() {
        SplitVirtqueue controlRing = openQueue(CONTROL_QUEUE);
        if (controlRing != null) {
            control.install(0, controlRing);
        }
        events.attach(openQueue(EVENT_QUEUE));
        for (int i = 0; i < config.requestQueues(); i++) {
            SplitVirtqueue ring = openQueue(FIRST_REQUEST_QUEUE + i);
            if (ring != null) {
                requests.install(i, ring);
            }
        }
        ringsOpen = true;
        QueueMapping queues = mapping;
        CompletionStage<Void> started =
                control.start(new QueueMapping.Fixed(List.of(main())));
        return queues == null ? started : started.thenCompose(nothing -> startIfStill(queues));
    }

    @Override
    protected CompletionStage<Void> onReset() {
        // VSCSI-49: stop fetching, cancel and settle every command, answer every function, forget.
        ringsOpen = false;
        return requests.detach()
                .thenCompose(nothing -> resetUnits())
                .thenCompose(nothing -> requests.awaitIdle())
                .thenCompose(nothing -> control.stop())
                .thenRun(this::forgetRings)
                .whenComplete((nothing, failure) -> configSpace.resetEnded());
    }

    @Override
    protected void onRegistersReset() {
        configSpace.reset();
    }

    @Override
    protected void onClosed() {
        bus.removeListener(busListener);
        for (Watched watch : List.copyOf(watched)) {
            unwatch(watch.disk);
        }
    }

    @Override
    protected CompletionStage<Void> onQueueStart(int index, SplitVirtqueue ring) {
        if (index == EVENT_QUEUE) {
            events.attach(ring);
            return CompletableFuture.completedFuture(null);
        }
        return index == CONTROL_QUEUE
                ? control.open(0, ring) : requests.open(index - FIRST_REQUEST_QUEUE, ring);
    }

    @Override
    protected CompletionStage<Void> onQueueStop(int index) {
        if (index == EVENT_QUEUE) {
            events.suspend();
            return CompletableFuture.completedFuture(null);
        }
        return index == CONTROL_QUEUE
                ? control.close(0) : requests.close(index - FIRST_REQUEST_QUEUE);
    }

    /** Unless a stop, a reset or another mapping came while this start was waiting. */
    private CompletionStage<Void> startIfStill(QueueMapping queues) {
        return ringsOpen && mapping == queues
                ? requests.start(queues) : CompletableFuture.completedFuture(null);
    }

    ScsiConfigSpace configSpace() {
        return configSpace;
    }

    private CompletionStage<Void> resetUnits() {
        List<CompletableFuture<Void>> resets = new ArrayList<>();
        for (LogicalUnit unit : bus.units()) {
            resets.add(unit.resetAsync().toCompletableFuture());
        }
        return CompletableFuture.allOf(resets.toArray(new CompletableFuture<?>[0]));
    }

    private void forgetRings() {
        requests.retire();
        control.retire();
        events.detach();
    }

    private AioContext leaderContext(int requestQueue) {
        List<LogicalUnit> units = bus.units();
        if (units.isEmpty()) {
            return main();
        }
        LogicalUnit leader = units.get(requestQueue % units.size());
        return leader instanceof ScsiDisk disk ? disk.backend().context() : main();
    }

    private void watch(LogicalUnit unit) {
        if (unit instanceof ScsiDisk disk) {
            Watched watch = new Watched(disk);
            watched.add(watch);
            disk.backend().addListener(watch);
        }
    }

    private void unwatch(LogicalUnit unit) {
        for (Watched watch : List.copyOf(watched)) {
            if (watch.disk == unit) {
                watched.remove(watch);
                watch.disk.backend().removeListener(watch);
            }
        }
    }

    private CompletionStage<Void> onMain(String what, Operation operation) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        main().postOuter(new Task() {
            @Override
            protected void run() {
                begin(operation).whenComplete((nothing, failure) -> {
                    if (failure != null) {
                        done.completeExceptionally(failure);
                    } else {
                        done.complete(null);
                    }
                });
            }

            @Override
            public String describe() {
                return name() + ": " + what;
            }
        });
        return done.minimalCompletionStage();
    }

    /** Begins an operation; one that throws has failed. */
    private static CompletionStage<Void> begin(Operation operation) {
        try {
            return operation.run();
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** One asynchronous operation, begun on main. */
    private interface Operation {
        CompletionStage<Void> run();
    }

    /** A disk whose drained sections the dataplane follows. Main context. */
    private final class Watched implements BackendListener {
        private final ScsiDisk disk;

        Watched(ScsiDisk disk) {
            this.disk = disk;
        }

        @Override
        public void drainedBegin() {
            requests.sectionBegins();
        }

        @Override
        public void drainedEnd() {
            requests.sectionEnds();
        }
    }

    /** What the bus tells, on the main context. */
    private final class BusEvents implements BusListener {
        @Override
        public void unitAdded(LogicalUnit unit, ScsiAddress address) {
            watch(unit);
            if ((negotiatedFeatures() & FEATURE_HOTPLUG) != 0) {
                events.unitAdded(address);
            }
            requests.follow();
        }

        @Override
        public void unitRemoved(LogicalUnit unit, ScsiAddress address) {
            unwatch(unit);
            if ((negotiatedFeatures() & FEATURE_HOTPLUG) != 0) {
                events.unitRemoved(address);
            }
            requests.follow();
        }

        @Override
        public void unitChanged(LogicalUnit unit, ScsiAddress address, Sense what) {
            if ((negotiatedFeatures() & FEATURE_CHANGE) != 0) {
                events.unitChanged(address, what);
            }
        }
    }
}
