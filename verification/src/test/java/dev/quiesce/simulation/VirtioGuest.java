package dev.quiesce.simulation;

import dev.quiesce.testkit.Simulation;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestEvent;
import dev.quiesce.testkit.guest.GuestInterrupts;
import dev.quiesce.testkit.guest.GuestScsi;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A guest on a vCPU of its own: sends commands and task management functions through the rings,
 * resets its device and brings it up again, takes answers when it is interrupted, and knows what
 * each must bring.
 */
final class VirtioGuest {
    private static final int SLOTS_PER_DISK = 2;
    private static final int BLOCK_BYTES = 512;
    private static final int UNKNOWN = -1;
    private static final int CHECK_CONDITION = 2;
    private static final int COMPLETE = 0;
    private static final int SUCCEEDED = 10;
    private static final Set<Integer> CANCELLED = Set.of(2, 3, 4); // aborted, bad target, reset
    private static final Set<Integer> TARGET_ABSENT = Set.of(3, 12); // or no such unit

    private final Simulation sim;
    private final GuestScsi driver;
    private final GuestInterrupts interrupts;
    private final Slot[] slots;
    private final Map<Integer, Boolean> believed = new HashMap<>();
    private final int disks;
    private @Nullable CompletableFuture<?> pending; // A reset, or the device coming up.
    private boolean comingUp;
    private long interruptsSeen;
    private int functions;
    private int resets;

    VirtioGuest(Simulation sim, GuestScsi driver, GuestInterrupts interrupts, int disks) {
        this.sim = sim;
        this.driver = driver;
        this.interrupts = interrupts;
        this.disks = disks;
        slots = new Slot[disks * SLOTS_PER_DISK];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot(i % disks, i);
        }
    }

    /** Brings the device up. vCPU. */
    void begin() {
        believed.clear();
        comingUp = true;
        CompletionStage<Boolean> up = driver.begin();
        pending = up.toCompletableFuture();
        up.thenAccept(runs -> {
            if (!runs) {
                sim.fail("the device does not come up", "");
            }
        });
    }

    /** Does something, at random. vCPU. */
    void move() {
        if (pending != null) {
            goOn();
            return;
        }
        switch (sim.random().nextInt(14)) {
            case 0, 1, 2, 3, 4, 5, 6 -> send();
            case 7 -> driver.kick();
            case 8 -> takeAnswers();
            case 9 -> abortTask();
            case 10 -> onDisk(GuestScsi.ABORT_TASK_SET, "aborts the tasks of");
            case 11 -> onDisk(GuestScsi.LOGICAL_UNIT_RESET, "resets");
            case 12 -> query();
            default -> resetDevice();
        }
    }

    /** {@return whether something has happened that it has to look at} */
    boolean isInterrupted() {
        return interrupts.raised() != interruptsSeen
                || (pending != null && pending.isDone());
    }

    /** Looks. vCPU. */
    void onInterrupt() {
        interruptsSeen = interrupts.raised();
        if (pending != null) {
            goOn();
        } else {
            takeAnswers();
        }
    }

    /** Tells the device of everything that it was not told of. vCPU. */
    void kickAll() {
        if (pending == null) {
            driver.kick();
        }
    }

    /** {@return what the device owes it, or null if nothing} */
    @Nullable String debts() {
        List<String> complaints = driver.ledger().complaints();
        if (!complaints.isEmpty()) {
            return complaints.toString();
        }
        return pending == null && driver.ledger().openTags() == 0 && functions == 0 ? null
                : "open tags " + driver.ledger().openTags() + ", functions " + functions
                        + ", pending " + pending + ": " + Arrays.toString(slots);
    }

    /** {@return how often it has reset its device} */
    int resets() {
        return resets;
    }

    /** {@return whether it is right about a disk, or was told that it missed something} */
    boolean knowsWhatIsPlugged(int target, boolean plugged) {
        return believed.getOrDefault(target, plugged) == plugged;
    }

    private void goOn() {
        CompletableFuture<?> awaited = Objects.requireNonNull(pending);
        if (!awaited.isDone()) {
            return;
        }
        awaited.join();
        pending = null;
        if (comingUp) {
            comingUp = false;
            sim.note("its device is up");
            takeAnswers();
            return;
        }
        sim.note("its device is reset; brings it up");
        driver.forget();
        resets++;
        functions = 0;
        for (Slot slot : slots) {
            slot.given();
        }
        begin();
    }

    private void resetDevice() {
        if (sim.random().nextInt(3) != 0) {
            return;
        }
        sim.note("resets its device");
        pending = driver.reset().toCompletableFuture();
    }

    private void takeAnswers() {
        interruptsSeen = interrupts.raised();
        do {
            driver.poll();
        } while (driver.enableInterrupts());
        for (GuestEvent event = driver.nextEvent(); event != null; event = driver.nextEvent()) {
            sim.note("hears of " + event);
            learn(event);
        }
        List<String> complaints = driver.ledger().complaints();
        if (!complaints.isEmpty()) {
            sim.fail("the guest complains", complaints.toString());
        }
    }

    private void learn(GuestEvent event) {
        if (event.missed()) {
            believed.clear();
        }
        if (event.event() == GuestEvent.TRANSPORT_RESET) {
            believed.put(event.target(), event.reason() == GuestEvent.REASON_RESCAN);
        }
    }

    private void send() {
        Slot slot = slots[sim.random().nextInt(slots.length)];
        if (slot.command.isOutstanding()) {
            return;
        }
        slot.send();
        if (sim.random().nextInt(3) > 0) {
            driver.kick();
        }
    }

    private void abortTask() {
        Slot slot = slots[sim.random().nextInt(slots.length)];
        if (slot.command.isOutstanding()) {
            sim.note("aborts " + slot.command);
            settling(GuestScsi.ABORT_TASK, slot.target, slot.command.tag(),
                    Set.of(slot.command.tag()));
        }
    }

    private void onDisk(int function, String what) {
        int target = sim.random().nextInt(disks);
        sim.note(what + " disk " + target);
        Set<Long> tags = new HashSet<>();
        for (Slot slot : slots) {
            if (slot.target == target && slot.command.isOutstanding()) {
                tags.add(slot.command.tag());
            }
        }
        settling(function, target, 0, tags);
    }

    /** A function after which certain commands must have been answered (VSCSI-33). */
    private void settling(int function, int target, long tag, Set<Long> tags) {
        sendFunction(function, target, tag, code -> {
            if (code == COMPLETE) {
                driver.poll();
                for (Slot slot : slots) {
                    if (slot.command.isOutstanding() && tags.contains(slot.command.tag())) {
                        sim.fail("a function was answered too early", slot.toString());
                    }
                }
            } else if (!TARGET_ABSENT.contains(code)) {
                sim.fail("unexpected answer of a function", "code " + code);
            }
        });
    }

    private void query() {
        Slot slot = slots[sim.random().nextInt(slots.length)];
        sim.note("asks for " + slot.command);
        sendFunction(GuestScsi.QUERY_TASK, slot.target, slot.command.tag(), code -> {
            if (code != COMPLETE && code != SUCCEEDED && !TARGET_ABSENT.contains(code)) {
                sim.fail("unexpected answer of a query", "code " + code);
            }
        });
    }

    private void sendFunction(
            int function, int target, long tag, IntConsumer answered) {
        boolean sent = driver.taskManagement(function, target, 0, tag, code -> {
            functions--;
            answered.accept(code);
        });
        if (sent) {
            functions++;
        }
    }

    /** One command at a time to one block of one disk. */
    private final class Slot implements GuestCommand.Listener {
        private final int target;
        private final int block;
        private final long buffer = driver.ram().allocate(BLOCK_BYTES, BLOCK_BYTES);
        private final GuestCommand command = driver.newCommand(this);
        private byte opcode;
        private byte pattern;
        private int expected;
        private int canary = UNKNOWN;

        Slot(int target, int block) {
            this.target = target;
            this.block = block;
        }

        void send() {
            checkCanary();
            byte[] cdb = switch (sim.random().nextInt(6)) {
                case 0, 1 -> GuestCdb.read10(block, 1);
                case 2, 3 -> GuestCdb.write10(block, 1, sim.random().nextBoolean());
                case 4 -> GuestCdb.synchronizeCache10();
                default -> GuestCdb.testUnitReady();
            };
            opcode = cdb[0];
            pattern = (byte) sim.random().nextInt(1, 120);
            command.cdb(target, 0, cdb);
            if (isWrite()) {
                driver.ram().fill(buffer, BLOCK_BYTES, pattern);
                command.dataOut(buffer, BLOCK_BYTES);
            } else if (isRead()) {
                driver.ram().fill(buffer, BLOCK_BYTES, 0x7F);
                command.dataIn(buffer, BLOCK_BYTES);
            }
            boolean sent = driver.submit(
                    sim.random().nextInt(driver.requestQueues()), command);
            sim.note((sent ? "sends " : "finds no room for ") + command);
        }

        /** After a reset: the buffer is the guest's again, nothing may come late. */
        void given() {
            if (isWrite()) {
                expected = UNKNOWN;
            }
            canary = sim.random().nextInt(120, 127);
            driver.ram().fill(buffer, BLOCK_BYTES, canary);
        }

        void checkCanary() {
            if (canary != UNKNOWN) {
                checkBytes("something was written after the reset", canary);
                canary = UNKNOWN;
            }
        }

        @Override
        public void onAnswered(GuestCommand answered) {
            sim.note("gets the answer of " + answered);
            if (answered.isGood()) {
                succeeded();
            } else if (CANCELLED.contains(answered.response())) {
                if (isWrite()) {
                    expected = UNKNOWN;
                }
            } else if (answered.response() != GuestCommand.RESPONSE_OK
                    || answered.status() != CHECK_CONDITION
                    || !answered.sense().isUnitAttention()) {
                sim.fail("unexpected answer", answered.toString());
            }
        }

        private void succeeded() {
            if (isWrite()) {
                expected = pattern;
            } else if (isRead()) {
                int first = driver.ram().read(buffer, 1)[0];
                if (expected == UNKNOWN) {
                    expected = first;
                }
                checkBytes("wrong data", expected);
            }
        }

        private void checkBytes(String kind, int wanted) {
            for (byte each : driver.ram().read(buffer, BLOCK_BYTES)) {
                if (each != (byte) wanted) {
                    sim.fail(kind, "block " + block + ": " + each + ", not " + wanted);
                }
            }
        }

        private boolean isWrite() {
            return opcode == 0x2A;
        }

        private boolean isRead() {
            return opcode == 0x28;
        }

        @Override
        public String toString() {
            return command.toString();
        }
    }
}
