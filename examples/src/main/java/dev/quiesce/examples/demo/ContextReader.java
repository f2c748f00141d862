package dev.quiesce.examples.demo;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Clock;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.testkit.guest.TagLedger;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A foreign thread that reads the backends' contexts all the time (BB-44), and watches the guest's
 * ledger: what is late or answered twice is reported at once, with where it is.
 */
final class ContextReader implements Runnable {
    private static final long LATE_NANOS = 5_000_000_000L;
    private static final long PAUSE_NANOS = 100_000;
    private static final int LOOK_AT_LEDGER_EVERY = 512;

    private final DemoMachine machine;
    private final ControlStorm control;
    private final TagLedger ledger;
    private final PrintWriter err;
    private final List<String> failures = new ArrayList<>(); // Reader, then whoever joined it.
    private int complaintsSeen;
    private long readsDuringChange;
    private volatile boolean stopped;

    ContextReader(DemoMachine machine, ControlStorm control, TagLedger ledger, PrintWriter err) {
        this.machine = machine;
        this.control = control;
        this.ledger = ledger;
        this.err = err;
    }

    @Override
    public void run() {
        for (long turn = 1; !stopped; turn++) {
            readContexts();
            if (turn % LOOK_AT_LEDGER_EVERY == 0) {
                lookAtLedger();
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        lookAtLedger();
    }

    void stop() {
        stopped = true;
    }

    long readsDuringChange() {
        return readsDuringChange;
    }

    List<String> failures() {
        return failures;
    }

    /** One look at the ledger; also used by machines without threads. */
    void lookAtLedger() {
        Clock clock = machine.main().clock();
        if (ledger.findLate(clock.nanoTime(), LATE_NANOS) > 0) {
            for (ScsiDisk disk : machine.disks()) {
                WaitReport where = new WaitReport();
                disk.backend().gate().describe(where);
                report(disk.name() + ": " + disk.listedRequests() + " listed; " + where);
            }
        }
        List<String> complaints = ledger.complaints();
        for (; complaintsSeen < complaints.size(); complaintsSeen++) {
            report(complaints.get(complaintsSeen));
        }
    }

    private void readContexts() {
        boolean changing = control.changesUnderWay() > 0;
        for (ScsiDisk disk : machine.disks()) {
            AioContext context = disk.backend().context();
            if (!machine.contexts().contains(context)) {
                failures.add("read an unknown context: " + context);
            }
        }
        if (changing) {
            readsDuringChange += machine.disks().size();
        }
    }

    private void report(String what) {
        err.println("demo: " + what.replace('\n', ' '));
        err.flush();
    }
}
