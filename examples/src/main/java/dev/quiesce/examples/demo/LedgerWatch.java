package dev.quiesce.examples.demo;

import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.testkit.guest.TagLedger;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Looks into the guest's ledger and reports at once what is wrong there; of what is late, also
 * where it is.
 *
 * <p>{@link #look} is for one thread at a time, any. Where a request is only its contexts know: the
 * main context is asked about each disk's gate, and a walk visits the disk's requests, each in its
 * own context. Reports therefore come from several threads.
 *
 * <p>Looks come many times a second. If one comes much later, the host has stood still, and an
 * answer could not come: what is late by then gets its whole time once more.
 */
final class LedgerWatch {
    private static final long STALL_NANOS = 1_000_000_000L;

    private final DemoMachine machine;
    private final TagLedger ledger;
    private final long lateNanos;
    private final Consumer<String> report;
    private int complaintsSeen;
    private long lookedAtNanos;
    private long excusedUntilNanos;

    LedgerWatch(DemoMachine machine, TagLedger ledger, long lateNanos, Consumer<String> report) {
        this.machine = machine;
        this.ledger = ledger;
        this.lateNanos = lateNanos;
        this.report = report;
        lookedAtNanos = machine.main().clock().nanoTime();
        excusedUntilNanos = lookedAtNanos;
    }

    /** Reports what was not reported before. */
    void look() {
        look(machine.main().clock().nanoTime());
    }

    /** The same at some time. */
    void look(long nowNanos) {
        if (nowNanos - lookedAtNanos > STALL_NANOS) {
            excusedUntilNanos = nowNanos + lateNanos;
        }
        lookedAtNanos = nowNanos;
        // What was sent since the stall is not late before that time, either.
        Set<Long> late = nowNanos - excusedUntilNanos >= 0
                ? ledger.findLate(nowNanos, lateNanos) : Set.of();
        List<String> complaints = ledger.complaints();
        for (; complaintsSeen < complaints.size(); complaintsSeen++) {
            report.accept(complaints.get(complaintsSeen));
        }
        if (!late.isEmpty()) {
            machine.main().post(new Where(late));
        }
    }

    /** Asks every disk for some tags. Main context. */
    private final class Where extends Task {
        private final Set<Long> missing = ConcurrentHashMap.newKeySet();

        Where(Set<Long> late) {
            missing.addAll(late);
        }

        @Override
        protected void run() {
            Set<Long> late = new HashSet<>(missing);
            AtomicInteger walks = new AtomicInteger(machine.disks().size());
            for (ScsiDisk disk : machine.disks()) {
                WaitReport gate = new WaitReport();
                disk.backend().describe(gate);
                report.accept(disk.name() + ": " + disk.listedRequests() + " listed, "
                        + disk.cancellingRequests() + " being cancelled; " + gate);
                CompletionStage<Integer> walk = disk.countTasksAsync(
                        request -> late.contains(request.tag()) && isHere(disk, request));
                walk.thenAccept(found -> {
                    if (walks.decrementAndGet() == 0) {
                        reportMissing();
                    }
                });
            }
        }

        @Override
        public String describe() {
            return "search for late commands";
        }

        /** In the request's context. */
        private boolean isHere(ScsiDisk disk, ScsiRequest request) {
            missing.remove(request.tag());
            report.accept("tag " + request.tag() + " is at " + disk.name() + ": " + request);
            return true;
        }

        private void reportMissing() {
            for (long tag : missing) {
                report.accept("tag " + tag
                        + " is with no disk: not fetched from its ring, or answered meanwhile");
            }
        }
    }
}
