package dev.quiesce.vhostuser;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import dev.quiesce.virtio.device.QueueSetup;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A machine monitor with a mock guest: speaks vhost-user as QEMU does and drives the guest's rings
 * over shared memory. One thread.
 */
final class Machine implements AutoCloseable, GuestScsi.Transport {
    static final long LIMIT_NANOS = 60_000_000_000L;

    private static final long PROTOCOL_BIT = 1L << 30;

    /** The largest ring, which is more than any guest here chooses. */
    private static final int QUEUE_SIZE = 256;

    FrontEnd frontEnd;
    final SharedRam shared;
    final GuestInterrupts interrupts = new GuestInterrupts();
    final GuestScsi driver;
    final GuestMachine guest = GuestMachine.threaded(interrupts, Clock.system());
    private final int queues;
    private final long offered;
    private final List<Wire> kicks = new ArrayList<>();
    private final List<Wire> calls = new ArrayList<>();
    private final List<Integer> bases = new ArrayList<>();
    private List<QueueSetup> rings = List.of();
    private boolean memoryShared;
    private boolean running;
    private long chosen;
    private @Nullable InflightMemory inflight;

    /** The only queue that is configured, as by firmware, or -1 for all. */
    int onlyQueue = -1;

    /** Whether all memory comes in one message, as from front ends that know no slots. */
    boolean inOneTable;

    Machine(Path socket, GuestScsiConfig config) throws IOException {
        this(socket, config, new SharedRam(8 << 20));
    }

    /** Takes the memory over. */
    Machine(Path socket, GuestScsiConfig config, SharedRam memory) throws IOException {
        shared = memory;
        frontEnd = new FrontEnd(socket);
        offered = frontEnd.askNumber(1);
        queues = introduce();
        for (int i = 0; i < queues; i++) {
            kicks.add(Wire.ofSockets());
            calls.add(Wire.ofSockets());
            bases.add(0);
            listen(i, calls.get(i));
        }
        driver = new GuestScsi(this, shared.ram, config, Clock.system());
    }

    private int introduce() throws IOException {
        long protocol = frontEnd.askNumber(15);
        frontEnd.send(16, payload -> payload.putLong(protocol));
        int served = (int) frontEnd.askNumber(17);
        frontEnd.send(3, payload -> { });
        return served;
    }

    /**
     * Goes on with a back end that has taken the place of one that was killed; the guest has not
     * noticed. It gets the buffer in which the other one kept track.
     */
    void reconnect(Path socket) throws IOException {
        frontEnd.close();
        frontEnd = new FrontEnd(socket);
        frontEnd.askNumber(1);
        introduce();
        inflight().give(frontEnd);
        frontEnd.send(2, payload -> payload.putLong(chosen));
        memoryShared = false;
        for (int i = 0; i < queues; i++) {
            // All that a front end can know: where the guest was told that the ring stands.
            bases.set(i, usedIndex(i));
        }
        start(rings);
    }

    /** Where a ring's memory says that it stands. */
    int usedIndex(int queue) {
        byte[] bytes = shared.ram.read(rings.get(queue).usedAddress() + 2, 2);
        return (bytes[0] & 0xFF) | (bytes[1] & 0xFF) << 8;
    }

    /** The buffer that the back end keeps track in. */
    InflightMemory inflight() {
        return Objects.requireNonNull(inflight);
    }

    /** Gets a new buffer for each life of the device, as QEMU does. */
    private void renewInflight() throws IOException {
        if (inflight != null) {
            inflight.close();
        }
        inflight = InflightMemory.ask(frontEnd, queues, QUEUE_SIZE);
        inflight.give(frontEnd);
    }

    /** Connects and brings the guest's driver up. */
    static Machine booted(Path socket) throws IOException {
        Machine machine = new Machine(socket, GuestScsiConfig.likeLinux());
        GuestSession.begin(machine.driver, machine.guest, LIMIT_NANOS);
        return machine;
    }

    GuestSession session() {
        return new GuestSession(driver, guest, 1 << 20, LIMIT_NANOS);
    }

    /** Tells the back end of memory, as it stands. */
    void shareMemory() throws IOException {
        if (inOneTable) {
            check(sendTable());
            return;
        }
        FileDescriptor[] files = shared.descriptors();
        for (int i = 0; i < files.length; i++) {
            Payload.Region region = shared.regions().get(i);
            check(frontEnd.acknowledged(37, payload -> {
                payload.putLong(0);
                region.encode(payload);
            }, files[i]));
        }
    }

    /** Sends all memory in one message, and tells the answer. */
    long sendTable() throws IOException {
        return frontEnd.acknowledged(5, payload -> {
            payload.putInt(shared.regions().size()).putInt(0);
            shared.regions().forEach(each -> each.encode(payload));
        }, shared.descriptors());
    }

    private static void check(long granted) throws IOException {
        if (granted != 0) {
            throw new IOException("the back end refuses the memory");
        }
    }

    /** Stops every ring as QEMU does when the guest is paused; the memory stays. */
    void pause() throws IOException {
        for (int i = 0; i < queues; i++) {
            enable(i, 0);
        }
        for (int i = 0; i < queues; i++) {
            if (isConfigured(i)) {
                bases.set(i, stop(i));
            }
        }
        running = false;
    }

    /** What the driver gave the device last. */
    List<QueueSetup> lastRings() {
        return rings;
    }

    /** Waits until a condition of the guest holds. */
    void until(BooleanSupplier done) {
        if (!guest.await(driver, done, LIMIT_NANOS)) {
            throw new AssertionError("time is over; the guest is owed " + driver.outstanding());
        }
    }

    /** How many descriptors the back end has for a queue's kicks, and how many for its calls. */
    List<Long> passed(int queue) throws IOException {
        return List.of(KernelCounts.onTheSameAs(kicks.get(queue).readEnd()) - 1,
                KernelCounts.onTheSameAs(calls.get(queue).writeEnd()) - 1);
    }

    /** Where a ring stood when it was stopped. */
    int base(int queue) {
        return bases.get(queue);
    }

    @Override
    public int queues() {
        return queues;
    }

    @Override
    public long offeredFeatures() {
        return offered;
    }

    @Override
    public CompletionStage<Void> reset() {
        return now(() -> {
            if (running) {
                pause();
            }
            for (int i = 0; i < queues; i++) {
                bases.set(i, 0);
            }
            return null;
        });
    }

    @Override
    public CompletionStage<Boolean> negotiate(long features) {
        return now(() -> {
            renewInflight();
            chosen = features | PROTOCOL_BIT;
            frontEnd.send(2, payload -> payload.putLong(chosen));
            return true;
        });
    }

    @Override
    public CompletionStage<Boolean> run(List<QueueSetup> given) {
        return now(() -> {
            start(given);
            return true;
        });
    }

    /** Starts rings at their bases, in the order in which QEMU sends it. */
    void start(List<QueueSetup> given) throws IOException {
        rings = given;
        if (!memoryShared) {
            shareMemory();
            memoryShared = true;
        }
        for (int i = 0; i < rings.size(); i++) {
            if (isConfigured(i)) {
                int queue = i;
                describe(i, rings.get(i));
                frontEnd.send(12, payload -> payload.putLong(queue), kicks.get(i).readEnd());
            }
        }
        for (int i = 0; i < queues; i++) {
            enable(i, 1);
        }
        for (int i = 0; i < queues; i++) {
            int queue = i;
            frontEnd.send(13, payload -> payload.putLong(queue), calls.get(i).writeEnd());
        }
        running = true;
        frontEnd.settle();
    }

    void describe(int queue, QueueSetup ring) throws IOException {
        frontEnd.send(8, state(queue, ring.sizeEntries())::encode);
        frontEnd.send(10, state(queue, bases.get(queue))::encode);
        frontEnd.send(9, new Payload.VringAddress(queue, 0,
                ring.descriptorAddress() + SharedRam.USER_OFFSET,
                ring.usedAddress() + SharedRam.USER_OFFSET,
                ring.availAddress() + SharedRam.USER_OFFSET, 0x3ff)::encode);
    }

    /** Starts one ring that was stopped. */
    void kickAgain(int queue) throws IOException {
        frontEnd.send(12, payload -> payload.putLong(queue), kicks.get(queue).readEnd());
    }

    void enable(int queue, int on) throws IOException {
        frontEnd.send(18, state(queue, on)::encode);
    }

    int stop(int queue) throws IOException {
        ByteBuffer answer = frontEnd.ask(11, state(queue, 0)::encode);
        answer.getInt();
        return answer.getInt();
    }

    @Override
    public void kick(int queue) {
        try {
            kicks.get(queue).signal();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean isConfigured(int queue) {
        return onlyQueue < 0 || queue == onlyQueue;
    }

    /** Runs a step on a thread that cannot throw what it throws. */
    static <T> T quietly(Step<T> step) {
        try {
            return step.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Payload.VringState state(int queue, int num) {
        return new Payload.VringState(queue, num);
    }

    /** One thread per queue that turns calls into interrupts, until the wire is closed. */
    private void listen(int queue, Wire call) {
        Host.daemon(() -> {
            try {
                while (call.await()) {
                    interrupts.queue(queue);
                }
            } catch (IOException closed) {
                return;
            }
        }).start();
    }

    private static <T> CompletionStage<T> now(Step<T> step) {
        try {
            return CompletableFuture.completedFuture(step.run());
        } catch (IOException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** Something that talks to the back end. */
    interface Step<T> {
        T run() throws IOException;
    }

    @Override
    public void close() throws IOException {
        frontEnd.close();
        if (inflight != null) {
            inflight.close();
        }
        for (Wire kick : kicks) {
            kick.close();
        }
        for (Wire call : calls) {
            call.close();
        }
        shared.close();
    }
}
