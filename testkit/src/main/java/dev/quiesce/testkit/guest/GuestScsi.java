package dev.quiesce.testkit.guest;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.scsi.spec.LunAddress;
import dev.quiesce.virtio.device.DeviceStatus;
import dev.quiesce.virtio.device.QueueSetup;
import dev.quiesce.virtio.device.VirtioDevice;
import dev.quiesce.virtio.device.VirtioFeatures;
import dev.quiesce.virtio.scsi.VirtioScsi;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The guest's virtio-scsi driver: negotiates features, builds rings, submits commands and task
 * management, takes responses and events, and keeps a {@link TagLedger} of what the device owes.
 *
 * <p>Confined to one vCPU at a time: a thread, a step of a simulation, or the only thread of the
 * machine. Nothing here waits; {@link GuestMachine} does, in the way its machine waits.
 */
public final class GuestScsi {
    /** Task management: abort the command with a tag. */
    public static final int ABORT_TASK = 0;
    /** Task management: abort all commands of a logical unit. */
    public static final int ABORT_TASK_SET = 1;
    /** Task management: as {@link #ABORT_TASK_SET}, the initiators of others included. */
    public static final int CLEAR_TASK_SET = 3;
    /** Task management: reset every logical unit of a target. */
    public static final int I_T_NEXUS_RESET = 4;
    /** Task management: reset a logical unit. */
    public static final int LOGICAL_UNIT_RESET = 5;
    /** Task management: is a command with this tag there? */
    public static final int QUERY_TASK = 6;

    private static final int CONTROL_REQUEST_BYTES = 24;
    private static final int EVENT_BYTES = 16;

    /** What no device writes: a response that was announced and not written must show. */
    private static final int UNWRITTEN = 0xFF;

    private final Transport transport;
    private final GuestRam ram;
    private final GuestScsiConfig config;
    private final Clock clock;
    private final TagLedger ledger = new TagLedger();
    private final List<DriverQueue> queues = new ArrayList<>();
    private final Map<Long, GuestCommand> commands = new HashMap<>();
    private final Map<Long, ControlCall> controls = new HashMap<>();
    private final Deque<GuestEvent> events = new ArrayDeque<>();
    private final List<Long> eventBuffers = new ArrayList<>();
    private final BufferList buffers = new BufferList();
    private final List<UsedHandler> handlers = new ArrayList<>(); // One per queue.
    private long nextTag = 1;
    private boolean running;

    /**
     * Makes a driver that has not touched its device.
     *
     * @param device the device
     * @param ram the memory that the device was built with
     * @param config what to choose
     * @param clock for the ages of commands
     */
    public GuestScsi(VirtioScsi device, GuestRam ram, GuestScsiConfig config, Clock clock) {
        this(Transport.of(device), ram, config, clock);
    }

    /**
     * Makes a driver that has not touched its device, wherever that is.
     *
     * @param transport the way to a virtio-scsi device
     * @param ram the memory that the device sees
     * @param config what to choose
     * @param clock for the ages of commands
     */
    public GuestScsi(
            Transport transport, GuestRam ram, GuestScsiConfig config, Clock clock) {
        this.transport = transport;
        this.ram = ram;
        this.config = config;
        this.clock = clock;
    }

    /**
     * Brings the device up as a driver must: reset, features, rings, DRIVER_OK (VirtIO 1.2,
     * 3.1.1). vCPU; must have been reset or never begun.
     *
     * @return ends on the device's main context: true if the device accepted the features and runs
     */
    public CompletionStage<Boolean> begin() {
        if (running) {
            throw new IllegalStateException("the driver runs already");
        }
        running = true;
        long wanted = VirtioFeatures.VERSION_1
                | VirtioScsi.FEATURE_HOTPLUG | VirtioScsi.FEATURE_CHANGE
                | (config.indirect() ? VirtioFeatures.INDIRECT_DESC : 0)
                | (config.eventIdx() ? VirtioFeatures.EVENT_IDX : 0);
        long features = wanted & transport.offeredFeatures();
        buildQueues((features & VirtioFeatures.INDIRECT_DESC) != 0,
                (features & VirtioFeatures.EVENT_IDX) != 0);
        return transport.reset()
                .thenCompose(nothing -> transport.negotiate(features))
                .thenCompose(accepted -> accepted
                        ? transport.run(rings()) : CompletableFuture.completedFuture(false));
    }

    /**
     * Resets the device and forgets what it owed, without complaint. vCPU for the call; {@link
     * #forget} must follow on the vCPU when the stage has ended.
     *
     * @return ends on the device's main context
     */
    public CompletionStage<Void> reset() {
        return transport.reset();
    }

    /**
     * Frees the rings after a reset has ended; commands and task management functions that were
     * outstanding are gone, and their callers hear nothing. vCPU.
     */
    public void forget() {
        for (DriverQueue queue : queues) {
            queue.free();
        }
        queues.clear();
        handlers.clear();
        for (Map.Entry<Long, GuestCommand> each : commands.entrySet()) {
            ledger.forgiven(each.getKey());
            each.getValue().notSubmitted();
        }
        commands.clear();
        for (Map.Entry<Long, ControlCall> each : controls.entrySet()) {
            ledger.forgiven(each.getKey());
            each.getValue().free(ram);
        }
        controls.clear();
        eventBuffers.forEach(ram::free);
        eventBuffers.clear();
        running = false;
    }

    /**
     * The book of tags. Any thread.
     *
     * @return the ledger
     */
    public TagLedger ledger() {
        return ledger;
    }

    /**
     * The guest's memory. Any thread.
     *
     * @return the memory given at construction
     */
    public GuestRam ram() {
        return ram;
    }

    /**
     * The driver's clock. Any thread.
     *
     * @return the clock given at construction
     */
    public Clock clock() {
        return clock;
    }

    /**
     * Number of request queues. Any thread.
     *
     * @return the number that the device has
     */
    public int requestQueues() {
        return transport.queues() - VirtioScsi.FIRST_REQUEST_QUEUE;
    }

    /**
     * Makes a command record with buffers of its own for header and response. vCPU.
     *
     * @param listener hears the answer, or null
     * @return the command
     */
    public GuestCommand newCommand(GuestCommand.@Nullable Listener listener) {
        return new GuestCommand(ram, listener);
    }

    /**
     * Frees a command record's buffers. vCPU.
     *
     * @param command not outstanding
     */
    public void free(GuestCommand command) {
        command.free(ram);
    }

    /**
     * Puts a command on a ring; {@link #kick} tells the device. vCPU.
     *
     * @param requestQueue number of the request queue
     * @param command what to do
     * @return false if the ring is full
     */
    public boolean submit(int requestQueue, GuestCommand command) {
        long tag = nextTag++;
        command.submitted(tag, requestQueue, clock.nanoTime());
        byte[] header = new byte[GuestCommand.REQUEST_BYTES];
        LunAddress.encode(command.target(), command.lun(), header, 0);
        LittleEndian.int64(header, 8, tag);
        System.arraycopy(command.cdbBytes(), 0, header, 19, GuestCommand.CDB_SIZE);
        ram.write(command.headerAddress(), header);
        ram.fill(command.responseAddress(), GuestCommand.RESPONSE_BYTES, UNWRITTEN);
        command.describeBuffers(buffers);
        if (!queue(VirtioScsi.FIRST_REQUEST_QUEUE + requestQueue).add(buffers, tag)) {
            command.notSubmitted();
            return false;
        }
        commands.put(tag, command);
        ledger.open(tag, command.toString(), command.submittedNanos());
        return true;
    }

    /**
     * Publishes what was put on the rings since the last kick, and rings the doorbells asked for.
     * vCPU.
     */
    public void kick() {
        for (int i = 0; i < queues.size(); i++) {
            if (queues.get(i).publish()) {
                transport.kick(i);
            }
        }
    }

    /**
     * Sends a task management function. vCPU; kicks.
     *
     * @param function {@link #ABORT_TASK}, …
     * @param target the target
     * @param lun the logical unit
     * @param tag the command's tag, for functions about one command
     * @param answered hears the response code, on the vCPU
     * @return false if the control ring is full
     */
    public boolean taskManagement(
            int function, int target, int lun, long tag, IntConsumer answered) {
        byte[] request = new byte[CONTROL_REQUEST_BYTES];
        LittleEndian.int32(request, 4, function);
        LunAddress.encode(target, lun, request, 8);
        LittleEndian.int64(request, 16, tag);
        long own = nextTag++;
        ControlCall call = new ControlCall(
                ram.allocate(request.length, 8), ram.allocate(1, 1), answered);
        ram.write(call.request, request);
        ram.fill(call.response, 1, UNWRITTEN);
        buffers.clear().readable(call.request, request.length).writable(call.response, 1);
        if (!queue(VirtioScsi.CONTROL_QUEUE).add(buffers, own)) {
            call.free(ram);
            return false;
        }
        controls.put(own, call);
        ledger.open(own, "task management " + function + " on " + target + ":" + lun
                + " tag " + tag, clock.nanoTime());
        kick();
        return true;
    }

    /**
     * Takes every response and event that has arrived. vCPU.
     *
     * @return how many
     */
    public int poll() {
        int taken = 0;
        for (int i = 0; i < queues.size(); i++) {
            taken += queues.get(i).poll(handlers.get(i));
        }
        return taken;
    }

    /**
     * Asks for interrupts on every queue, before waiting for one. vCPU.
     *
     * @return true if something has arrived already: do not wait
     */
    public boolean enableInterrupts() {
        boolean arrived = false;
        for (DriverQueue queue : queues) {
            arrived |= queue.enableInterrupts();
        }
        return arrived;
    }

    /** Does without interrupts while the vCPU looks by itself. vCPU. */
    public void disableInterrupts() {
        for (DriverQueue queue : queues) {
            queue.disableInterrupts();
        }
    }

    /**
     * Takes the oldest event that has arrived. vCPU.
     *
     * @return the event, or null
     */
    public @Nullable GuestEvent nextEvent() {
        return events.poll();
    }

    /**
     * Commands that the device owes an answer. vCPU.
     *
     * @return the number
     */
    public int outstanding() {
        return commands.size();
    }

    private DriverQueue queue(int index) {
        if (index >= queues.size()) {
            throw new IllegalStateException("the driver does not run, no queue " + index);
        }
        return queues.get(index);
    }

    private void buildQueues(boolean indirect, boolean eventIdx) {
        for (int i = 0; i < transport.queues(); i++) {
            DriverQueue queue = new DriverQueue(
                    ram, new DriverQueueConfig(config.queueSize(), indirect, eventIdx));
            queues.add(queue);
            handlers.add(handlerOf(i));
            queue.enableInterrupts();
        }
        for (int i = 0; i < config.eventBuffers(); i++) {
            long buffer = ram.allocate(EVENT_BYTES, 8);
            eventBuffers.add(buffer);
            postEventBuffer(buffer);
        }
    }

    private List<QueueSetup> rings() {
        List<QueueSetup> rings = new ArrayList<>();
        for (DriverQueue queue : queues) {
            rings.add(new QueueSetup(config.queueSize(), queue.descriptorAddress(),
                    queue.availAddress(), queue.usedAddress(), true));
        }
        return rings;
    }

    private UsedHandler handlerOf(int queue) {
        return switch (queue) {
            case VirtioScsi.CONTROL_QUEUE -> new Controls();
            case VirtioScsi.EVENT_QUEUE -> new Events();
            default -> new Requests(queue);
        };
    }

    private void postEventBuffer(long address) {
        buffers.clear().writable(address, EVENT_BYTES);
        if (!queue(VirtioScsi.EVENT_QUEUE).add(buffers, address)) {
            ledger.complain("queue " + VirtioScsi.EVENT_QUEUE + ": no room for an event buffer");
        }
    }

    private void complain(int queue, RingViolation violation) {
        ledger.complain("queue " + queue + ": " + violation);
    }

    /** Responses of commands. */
    private final class Requests implements UsedHandler {
        private final int queue;

        Requests(int queue) {
            this.queue = queue;
        }

        @Override
        public void onUsed(long token, int writtenBytes) {
            GuestCommand command = commands.remove(token);
            ledger.answered(token, clock.nanoTime());
            if (command == null) {
                return; // The ledger has complained.
            }
            command.answered(ram.read(command.responseAddress(), GuestCommand.RESPONSE_BYTES));
            GuestCommand.Listener listener = command.listener();
            if (listener != null) {
                listener.onAnswered(command);
            }
        }

        @Override
        public void onViolation(RingViolation violation) {
            complain(queue, violation);
        }
    }

    /** Responses of task management functions. */
    private final class Controls implements UsedHandler {
        @Override
        public void onUsed(long token, int writtenBytes) {
            ControlCall call = controls.remove(token);
            ledger.answered(token, clock.nanoTime());
            if (call != null) {
                int code = ram.read(call.response, 1)[0] & 0xFF;
                call.free(ram);
                call.answered.accept(code);
            }
        }

        @Override
        public void onViolation(RingViolation violation) {
            complain(VirtioScsi.CONTROL_QUEUE, violation);
        }
    }

    /** Events; their buffers are posted again at once. */
    private final class Events implements UsedHandler {
        @Override
        public void onUsed(long token, int writtenBytes) {
            byte[] bytes = ram.read(token, EVENT_BYTES);
            int event = LittleEndian.int32(bytes, 0);
            int lun = (bytes[6] & 0x3F) << Byte.SIZE | (bytes[7] & 0xFF);
            events.add(new GuestEvent(event & Integer.MAX_VALUE, event < 0, bytes[5] & 0xFF, lun,
                    LittleEndian.int32(bytes, 12)));
            postEventBuffer(token);
            kick();
        }

        @Override
        public void onViolation(RingViolation violation) {
            complain(VirtioScsi.EVENT_QUEUE, violation);
        }
    }

    /** A task management function under way. */
    private static final class ControlCall {
        private final long request;
        private final long response;
        private final IntConsumer answered;

        ControlCall(long request, long response, IntConsumer answered) {
            this.request = request;
            this.response = response;
            this.answered = answered;
        }

        void free(GuestRam ram) {
            ram.free(request);
            ram.free(response);
        }
    }

    /**
     * How a guest's driver reaches its device: by the registers of a device in the same process, or
     * by whatever else carries them.
     *
     * <p>Called by the vCPU; nothing here blocks it for long.
     */
    public interface Transport {
        /**
         * Number of queues.
         *
         * @return as the device says
         */
        int queues();

        /**
         * The features that may be chosen.
         *
         * @return feature bits
         */
        long offeredFeatures();

        /**
         * Resets the device.
         *
         * @return ends when nothing of the time before arrives any more
         */
        CompletionStage<Void> reset();

        /**
         * Chooses features, after a reset.
         *
         * @param features feature bits
         * @return whether the device accepts them
         */
        CompletionStage<Boolean> negotiate(long features);

        /**
         * Gives the device its rings and lets it run.
         *
         * @param rings one for each queue
         * @return whether the device runs
         */
        CompletionStage<Boolean> run(List<QueueSetup> rings);

        /**
         * Rings a queue's doorbell.
         *
         * @param queue the queue
         */
        void kick(int queue);

        /**
         * The registers of a device in this process.
         *
         * @param device the device
         * @return the transport
         */
        static Transport of(VirtioDevice device) {
            return new Registers(device);
        }

        /**
         * A device's registers, written as a driver must (VirtIO 1.2, 3.1.1).
         *
         * @param device the device
         */
        record Registers(VirtioDevice device) implements Transport {
            private static final int KNOWN = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER;

            @Override
            public int queues() {
                return device.queues();
            }

            @Override
            public long offeredFeatures() {
                return device.offeredFeatures();
            }

            @Override
            public CompletionStage<Void> reset() {
                return device.writeStatus(0);
            }

            @Override
            public CompletionStage<Boolean> negotiate(long features) {
                return device.writeStatus(KNOWN)
                        .thenCompose(nothing -> {
                            device.writeDriverFeatures(features);
                            return device.writeStatus(KNOWN | DeviceStatus.FEATURES_OK);
                        })
                        .thenApply(nothing -> (device.status() & DeviceStatus.FEATURES_OK) != 0);
            }

            @Override
            public CompletionStage<Boolean> run(List<QueueSetup> rings) {
                for (int i = 0; i < rings.size(); i++) {
                    device.writeQueue(i, rings.get(i));
                }
                return device.writeStatus(KNOWN | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK)
                        .thenApply(nothing -> device.isDriverOk() && !device.isBroken());
            }

            @Override
            public void kick(int queue) {
                device.kickFromGuest(queue);
            }
        }
    }
}
