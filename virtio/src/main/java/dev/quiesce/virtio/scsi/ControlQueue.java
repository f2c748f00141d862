package dev.quiesce.virtio.scsi;

import dev.quiesce.scsi.CancelCause;
import dev.quiesce.scsi.LogicalUnit;
import dev.quiesce.scsi.ScsiRequest;
import dev.quiesce.scsi.spec.LunAddress;
import dev.quiesce.virtio.dataplane.QueueClient;
import dev.quiesce.virtio.dataplane.QueuePump;
import dev.quiesce.virtio.memory.GuestMemoryFault;
import dev.quiesce.virtio.queue.Chain;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * The control queue: task management functions (VSCSI-29) and asynchronous notification requests.
 *
 * <p>Always served by the main context (VSCSI-34). A function that waits for commands allocates
 * and holds its chain until they are gone and their responses are published; several may be under
 * way.
 */
final class ControlQueue implements QueueClient {
    private static final int ABORT_TASK = 0;
    private static final int ABORT_TASK_SET = 1;
    private static final int CLEAR_TASK_SET = 3;
    private static final int I_T_NEXUS_RESET = 4;
    private static final int LOGICAL_UNIT_RESET = 5;
    private static final int QUERY_TASK = 6;
    private static final int QUERY_TASK_SET = 7;

    private final VirtioScsi device;
    private final QueuePump pump;

    /* Counted by main, read by any thread. */
    private final AtomicLong aborts = new AtomicLong();
    private final AtomicLong resets = new AtomicLong();
    private final AtomicLong queries = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong answered = new AtomicLong();

    ControlQueue(VirtioScsi device, int queueIndex) {
        this.device = device;
        pump = new QueuePump(device, queueIndex, this);
    }

    QueuePump pump() {
        return pump;
    }

    /** Any thread. Answers are read first: no more of them than functions are seen. */
    TaskFunctionStats stats() {
        long answers = answered.get();
        return new TaskFunctionStats(
                aborts.get(), resets.get(), queries.get(), refused.get(), answers);
    }

    @Override
    public Chain onChain(int head, Chain popped) {
        byte[] request = new byte[(int) Math.min(popped.readableBytes(), ScsiLayout.TMF_LENGTH)];
        popped.copyFromReadable(0, request, 0, request.length);
        if (request.length < Integer.BYTES || popped.writableBytes() < 1) {
            tooShort(head);
            return popped;
        }
        switch (ScsiLayout.int32(request, 0)) {
            case ScsiLayout.CONTROL_TYPE_TMF -> taskManagement(head, popped, request);
            case ScsiLayout.CONTROL_TYPE_AN_QUERY, ScsiLayout.CONTROL_TYPE_AN_SUBSCRIBE ->
                    asynchronousNotification(head, popped, request);
            default -> respond(head, popped, ResponseCode.FUNCTION_REJECTED); // VSCSI-28 [B]
        }
        return new Chain(); // The popped one stays with its function until it is answered.
    }

    private void tooShort(int head) {
        device.markBroken(pump.describe() + ": control request too short (VSCSI-27)", null);
        pump.push(head, 0);
    }

    private void asynchronousNotification(int head, Chain chain, byte[] request) {
        if (request.length < ScsiLayout.AN_LENGTH
                || chain.writableBytes() < ScsiLayout.AN_ANSWER_LENGTH) {
            tooShort(head);
            return;
        }
        write(chain, new byte[ScsiLayout.AN_ANSWER_LENGTH]); // VSCSI-36: nothing supported.
        pump.push(head, ScsiLayout.AN_ANSWER_LENGTH);
    }

    private void taskManagement(int head, Chain chain, byte[] request) {
        if (request.length < ScsiLayout.TMF_LENGTH) {
            tooShort(head);
            return;
        }
        int subtype = ScsiLayout.int32(request, ScsiLayout.TMF_SUBTYPE);
        int address = LunAddress.decode(request, ScsiLayout.TMF_LUN);
        long tag = ScsiLayout.int64(request, ScsiLayout.TMF_TAG);
        count(subtype);
        switch (subtype) {
            case ABORT_TASK ->
                    onUnit(head, chain, address, unit -> abort(unit, task -> task.tag() == tag));
            case ABORT_TASK_SET, CLEAR_TASK_SET ->
                    onUnit(head, chain, address, unit -> abort(unit, all -> true));
            case QUERY_TASK ->
                    onUnit(head, chain, address, unit -> query(unit, task -> task.tag() == tag));
            case QUERY_TASK_SET -> onUnit(head, chain, address, unit -> query(unit, all -> true));
            case LOGICAL_UNIT_RESET -> onUnit(head, chain, address, this::reset);
            case I_T_NEXUS_RESET -> nexusReset(head, chain, address);
            default -> answer(head, chain, ResponseCode.FUNCTION_REJECTED);
        }
    }

    private void count(int subtype) {
        switch (subtype) {
            case ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET -> aborts.incrementAndGet();
            case LOGICAL_UNIT_RESET, I_T_NEXUS_RESET -> resets.incrementAndGet();
            case QUERY_TASK, QUERY_TASK_SET -> queries.incrementAndGet();
            default -> refused.incrementAndGet();
        }
    }

    private void onUnit(int head, Chain chain, int address, UnitFunction function) {
        if (isNoTarget(address)) {
            answer(head, chain, ResponseCode.BAD_TARGET);
            return;
        }
        LogicalUnit unit =
                device.bus().find(LunAddress.target(address), LunAddress.lun(address));
        if (unit == null) {
            answer(head, chain, ResponseCode.INCORRECT_LUN); // VSCSI-26
            return;
        }
        answerWhenDone(head, chain, function.on(unit));
    }

    private boolean isNoTarget(int address) {
        return address == LunAddress.INVALID
                || address == LunAddress.REPORT_LUNS_WELL_KNOWN
                || !device.bus().hasTarget(LunAddress.target(address));
    }

    /**
     * Ends when every match is gone with its response published (VSCSI-32, VSCSI-33). What was
     * fetched is cancelled at once, because somebody may be waiting for it; what was not, after it
     * was.
     */
    private CompletionStage<Integer> abort(LogicalUnit unit, Predicate<ScsiRequest> which) {
        CompletionStage<Void> fetched = device.dataplane().fetch();
        return unit.cancelTasksAsync(CancelCause.ABORT, which)
                .thenCompose(found -> fetched)
                .thenCompose(nothing -> unit.cancelTasksAsync(CancelCause.ABORT, which))
                .thenApply(found -> ResponseCode.OK);
    }

    private CompletionStage<Integer> query(LogicalUnit unit, Predicate<ScsiRequest> which) {
        return device.dataplane().fetch()
                .thenCompose(nothing -> unit.countTasksAsync(which))
                .thenApply(found -> found > 0 ? ResponseCode.FUNCTION_SUCCEEDED : ResponseCode.OK);
    }

    /**
     * As {@link #abort}: what was fetched is purged at once, the unit is reset when the rest was
     * fetched too. Only that reset leaves a unit attention: the guest hears of one reset once.
     */
    private CompletionStage<Integer> reset(LogicalUnit unit) {
        CompletionStage<Void> fetched = device.dataplane().fetch();
        return unit.purgeAsync(CancelCause.RESET, null)
                .thenCompose(nothing -> fetched)
                .thenCompose(nothing -> unit.resetAsync())
                .thenApply(nothing -> ResponseCode.OK);
    }

    private void nexusReset(int head, Chain chain, int address) {
        if (isNoTarget(address)) {
            answer(head, chain, ResponseCode.BAD_TARGET);
            return;
        }
        List<CompletableFuture<Integer>> resets = new ArrayList<>();
        // VSCSI-55 [B]: a snapshot, then reset.
        for (LogicalUnit unit : device.bus().units(LunAddress.target(address))) {
            resets.add(reset(unit).toCompletableFuture());
        }
        answerWhenDone(head, chain, CompletableFuture
                .allOf(resets.toArray(new CompletableFuture<?>[0]))
                .thenApply(nothing -> ResponseCode.OK));
    }

    private void answerWhenDone(int head, Chain chain, CompletionStage<Integer> function) {
        function.whenComplete((code, failure) -> {
            if (failure != null) {
                device.main().report(pump.describe(), failure);
            }
            answer(head, chain, code == null ? ResponseCode.FAILURE : code);
        });
    }

    private void answer(int head, Chain chain, int code) {
        answered.incrementAndGet();
        respond(head, chain, code);
    }

    private void respond(int head, Chain chain, int code) {
        write(chain, new byte[] {(byte) code});
        pump.push(head, 1);
    }

    private void write(Chain chain, byte[] bytes) {
        if (device.isBroken()) {
            return;
        }
        try {
            chain.copyToWritable(0, bytes, 0, bytes.length);
        } catch (GuestMemoryFault | InternalError e) {
            device.markBroken(pump.describe() + ": guest memory failed under an answer", e);
        }
    }

    /** A task management function on one logical unit. */
    private interface UnitFunction {
        /** Begins it; the stage ends on the main context with the response code. */
        CompletionStage<Integer> on(LogicalUnit unit);
    }
}
