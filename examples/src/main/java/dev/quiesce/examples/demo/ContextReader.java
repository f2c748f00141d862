package dev.quiesce.examples.demo;

import dev.quiesce.aio.AioContext;
import dev.quiesce.scsi.disk.ScsiDisk;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A foreign thread that reads the backends' contexts all the time (BB-44), and looks into the
 * guest's ledger now and then.
 */
final class ContextReader implements Runnable {
    private static final long PAUSE_NANOS = 100_000;
    private static final int LOOK_AT_LEDGER_EVERY = 512;
    private static final int FAILURES_MAX = 10;

    private final DemoMachine machine;
    private final ControlStorm control;
    private final LedgerWatch watch;
    private final List<String> failures = new ArrayList<>(); // Reader, then whoever joined it.
    private long readsDuringChange; // Reader, then whoever joined it.
    private volatile boolean stopped;

    ContextReader(DemoMachine machine, ControlStorm control, LedgerWatch watch) {
        this.machine = machine;
        this.control = control;
        this.watch = watch;
    }

    @Override
    public void run() {
        try {
            for (long turn = 1; !stopped; turn++) {
                readContexts();
                if (turn % LOOK_AT_LEDGER_EVERY == 0) {
                    watch.look();
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } catch (RuntimeException | Error e) {
            failures.add("context reader: " + e);
        }
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

    private void readContexts() {
        boolean changing = control.changesUnderWay() > 0;
        for (ScsiDisk disk : machine.disks()) {
            AioContext context = disk.backend().context();
            if (!machine.contexts().contains(context) && failures.size() < FAILURES_MAX) {
                failures.add("read an unknown context: " + context);
            }
        }
        if (changing) {
            readsDuringChange += machine.disks().size();
        }
    }
}
