package dev.quiesce.examples.daemon;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.guest.GuestCdb;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestEvent;
import dev.quiesce.testkit.guest.GuestMachine;
import dev.quiesce.testkit.guest.GuestScsi;
import dev.quiesce.testkit.guest.GuestScsiConfig;
import dev.quiesce.testkit.guest.GuestSession;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A guest on a thread of its own that writes blocks of disk 0, reads them back, and compares; and
 * that looks at what else comes and goes. Any error of disk 0 is a failure.
 */
final class WorkingGuest implements Runnable {
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int BLOCKS = 1024;
    private static final int BLOCK_BYTES = 512;
    private static final int CAPACITY_CHANGED = 0x2A | 0x09 << 8;

    final AtomicLong rounds = new AtomicLong();
    final AtomicLong plugged = new AtomicLong();
    final AtomicLong unplugged = new AtomicLong();
    final AtomicLong resized = new AtomicLong();
    private final GuestScsi driver;
    private final GuestMachine machine;
    private final Random random = new Random(7);
    private final int[] model = new int[BLOCKS];
    private volatile boolean stopping;

    WorkingGuest(MockGuests.Slot slot) {
        Clock clock = slot.device().main().clock();
        this.driver = new GuestScsi(slot.device(), slot.ram(), GuestScsiConfig.likeLinux(), clock);
        this.machine = GuestMachine.threaded(slot.interrupts(), clock);
    }

    void stop() {
        stopping = true;
    }

    @Override
    public void run() {
        GuestSession.begin(driver, machine, LIMIT_NANOS);
        List<String> complaints = new ArrayList<>();
        try (GuestSession session = new GuestSession(driver, machine, 4096, LIMIT_NANOS)) {
            while (!stopping && complaints.isEmpty()) {
                round(session, complaints);
                takeEvents();
                rounds.incrementAndGet();
            }
        }
        complaints.addAll(driver.ledger().complaints());
        if (!complaints.isEmpty()) {
            throw new AssertionError(complaints);
        }
    }

    private void round(GuestSession session, List<String> complaints) {
        int block = random.nextInt(BLOCKS);
        int value = random.nextInt();
        GuestCommand written = session.write(
                0, 0, GuestCdb.write10(block, 1, false), content(block, value));
        if (!written.isGood()) {
            complaints.add("write of block " + block + ": " + written + " " + written.sense());
            return;
        }
        model[block] = value;
        int other = random.nextInt(BLOCKS);
        byte[] read = session.read(0, 0, GuestCdb.read10(other, 1), BLOCK_BYTES);
        if (!session.answer().isGood()) {
            complaints.add("read of block " + other + ": " + session.answer().sense());
        } else if (!Arrays.equals(read, content(other, model[other]))) {
            complaints.add("block " + other + " is not what was written");
        }
        Sense second = session.execute(0, 1, GuestCdb.testUnitReady()).sense();
        if (second.key() != 0 && !second.equals(Sense.LUN_NOT_SUPPORTED)) {
            complaints.add("LUN 1: " + second);
        }
    }

    private void takeEvents() {
        for (GuestEvent event = driver.nextEvent(); event != null; event = driver.nextEvent()) {
            if (event.event() == GuestEvent.PARAM_CHANGE && event.reason() == CAPACITY_CHANGED) {
                resized.incrementAndGet();
            } else if (event.reason() == GuestEvent.REASON_RESCAN) {
                plugged.incrementAndGet();
            } else if (event.reason() == GuestEvent.REASON_REMOVED) {
                unplugged.incrementAndGet();
            }
        }
    }

    private static byte[] content(int block, int value) {
        byte[] bytes = new byte[BLOCK_BYTES];
        if (value != 0) {
            new Random(value * 31L + block).nextBytes(bytes);
        }
        return bytes;
    }
}
