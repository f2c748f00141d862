package dev.quiesce.examples.demo;

import dev.quiesce.aio.time.Clock;
import dev.quiesce.testkit.guest.FoundDisk;
import dev.quiesce.testkit.guest.GuestCommand;
import dev.quiesce.testkit.guest.GuestScsi;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;

/**
 * The guest's side of the storm: verified random commands on every queue, task management now and
 * then.
 *
 * <p>Confined to the guest; counters are read by others after it has ended.
 */
final class GuestStorm {
    private static final int FUNCTION_ONE_IN = 400;
    private static final int RESET_ONE_IN = 4;
    private static final int MISMATCHES_TOLD_MAX = 10;
    private static final long HISTOGRAM_MAX_MICROS = 60_000_000;

    private final GuestScsi driver;
    private final Clock clock;
    private final SplittableRandom random;
    private final EventHash events;
    private final List<StormSlot> slots = new ArrayList<>();
    private final Histogram latencyMicros = new Histogram(HISTOGRAM_MAX_MICROS, 3);
    private final List<String> mismatches = new ArrayList<>();
    private final int depth;
    private int functionsUnderWay;
    private long requests;
    private long bytes;
    private long aborts;
    private long resets;
    private long steps;
    private long mismatchCount;
    private boolean ending;

    GuestStorm(GuestScsi driver, DemoConfig config, List<FoundDisk> disks, FileChannel image,
            EventHash events) throws IOException {
        this.driver = driver;
        clock = driver.clock();
        this.events = events;
        depth = config.depth();
        random = new SplittableRandom(config.seed());
        List<StormDisk> contents = new ArrayList<>();
        for (FoundDisk disk : disks) {
            contents.add(new StormDisk(disk,
                    new DiskContent(image, disk.lengthBytes(), config.overlayBytes() / 2)));
        }
        for (int i = 0; i < config.queues() * depth; i++) {
            slots.add(new StormSlot(this, driver, contents, i / depth));
        }
    }

    /** Guest memory that the storm needs. */
    static int ramBytes(DemoConfig config) {
        return config.queues() * config.depth() * (StormSlot.DATA_BYTES + 8192);
    }

    /** Submits on every free slot; false if there was nothing to do. */
    boolean step() {
        steps++;
        boolean submitted = false;
        if (!ending) {
            for (StormSlot slot : slots) {
                submitted |= slot.submitIfFree(random);
            }
        }
        driver.kick();
        if (!ending) {
            perhapsManageTasks(); // After the kick: the commands were sent before the function.
        }
        return submitted;
    }

    /** Submits nothing more; what is outstanding is still awaited. */
    void end() {
        ending = true;
    }

    boolean isQuiet() {
        return driver.outstanding() == 0 && functionsUnderWay == 0;
    }

    void close() {
        for (StormSlot slot : slots) {
            slot.close();
        }
    }

    void answered(GuestCommand command, long movedBytes) {
        requests++;
        bytes += movedBytes;
        long micros = (clock.nanoTime() - command.submittedNanos()) / 1_000;
        latencyMicros.recordValue(Math.min(Math.max(0, micros), HISTOGRAM_MAX_MICROS));
        events.add(command.tag(), command.response() << 8 | command.status());
    }

    void mismatch(String what) {
        mismatchCount++;
        if (mismatches.size() < MISMATCHES_TOLD_MAX) {
            mismatches.add(what);
        }
    }

    long requests() {
        return requests;
    }

    long bytes() {
        return bytes;
    }

    long aborts() {
        return aborts;
    }

    long resets() {
        return resets;
    }

    long steps() {
        return steps;
    }

    Histogram latencyMicros() {
        return latencyMicros;
    }

    long mismatchCount() {
        return mismatchCount;
    }

    /** The first of the mismatches. */
    List<String> mismatches() {
        return mismatches;
    }

    private void perhapsManageTasks() {
        if (functionsUnderWay > 0 || random.nextInt(FUNCTION_ONE_IN) != 0) {
            return;
        }
        GuestCommand victim = slots.get(random.nextInt(slots.size())).command();
        boolean reset = random.nextInt(RESET_ONE_IN) == 0;
        if (!victim.isOutstanding()) {
            return;
        }
        int function = reset ? GuestScsi.LOGICAL_UNIT_RESET : GuestScsi.ABORT_TASK;
        long tag = victim.tag();
        if (driver.taskManagement(function, victim.target(), victim.lun(), tag,
                code -> functionAnswered(reset, tag, victim, code))) {
            functionsUnderWay++;
        }
    }

    private void functionAnswered(boolean reset, long tag, GuestCommand victim, int code) {
        functionsUnderWay--;
        events.add(tag, code);
        if (reset) {
            resets++;
        } else {
            aborts++;
            boolean complete = code == 0;
            if (complete && victim.isOutstanding() && victim.tag() == tag) {
                driver.poll(); // Its response was published before the function's (VSCSI-33).
                if (victim.isOutstanding() && victim.tag() == tag) {
                    mismatch("abort of tag " + tag + " is complete, the command is not: " + victim);
                }
            }
        }
    }
}
