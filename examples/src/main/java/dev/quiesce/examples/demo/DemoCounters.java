package dev.quiesce.examples.demo;

import dev.quiesce.backend.BackendStats;
import dev.quiesce.scsi.disk.ScsiDisk;
import dev.quiesce.testkit.guest.GuestScsi;
import java.util.function.ToLongFunction;

/**
 * Gathers every counter of the demo in the order in which it is reported. Control, after the
 * storm.
 */
record DemoCounters(DemoMachine machine, ControlStorm control, GuestScsi driver,
        ContextReader reader, GuestStorm guest, long stormNanos) {

    void fill(DemoResult result, EventHash events) {
        result.put("requests", guest.requests());
        result.put("bytes", guest.bytes());
        result.put("iops", Math.round(guest.requests() / Math.max(1e-9, stormNanos / 1e9)));
        result.put("p50Micros", guest.latencyMicros().getValueAtPercentile(50));
        result.put("p99Micros", guest.latencyMicros().getValueAtPercentile(99));
        result.put("drains", control.drains());
        result.put("contextChanges", control.contextChanges());
        result.put("changesWithInFlight", control.changesWithInFlight());
        result.put("queueRehomes", machine.hba().dataplane().rehomes());
        result.put("contextReadsDuringChange", reader.readsDuringChange());
        result.put("parked", backends(BackendStats::parked));
        result.put("replayed", backends(BackendStats::replayed));
        result.put("cancelledWhileParked", backends(BackendStats::cancelledWhileParked));
        result.put("cancelledInDriver", backends(BackendStats::cancelledInDriver));
        result.put("walksAwaited", disks(ScsiDisk::walksAwaited));
        result.put("removalsWithRequestsListed", machine.bus().removalsWithRequestsListed());
        result.put("dataplaneRestarts", control.dataplaneRestarts());
        result.put("aborts", guest.aborts());
        result.put("resets", guest.resets());
        result.put("replugs", control.replugs());
        result.put("graphEdits", control.graphEdits());
        result.put("oldestRequestMillis", driver.ledger().oldestEverNanos() / 1_000_000);
        result.put("sha256Matches", result.matches());
        result.put("mismatches", guest.mismatchCount());
        result.put("lostRequests", (long) driver.ledger().openTags());
        result.put("eventHash", Long.toHexString(events.value()));
    }

    private long backends(ToLongFunction<BackendStats> counter) {
        return disks(disk -> counter.applyAsLong(disk.backend().stats()));
    }

    private long disks(ToLongFunction<ScsiDisk> counter) {
        return machine.disks().stream().mapToLong(counter).sum();
    }
}
