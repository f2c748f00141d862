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
            case ABORT_TASK -> abort(head, chain, address, task -> task.tag() == tag);
            case ABORT_TASK_SET, CLEAR_TASK_SET -> abort(head, chain, address, all -> true);
            case QUERY_TASK ->
                    onUnit(head, chain, address, unit -> query(unit, task -> task.tag() == tag));
            case QUERY_TASK_SET -> onUnit(head, chain, address, unit -> query(unit, all -> true));
            case LOGICAL_UNIT_RESET ->
                    after(settleLeaving(address, CancelCause.RESET, all -> true), head, chain,
                            () -> onUnit(head, chain, address, this::reset));
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
        return isNoUnit(address) || !device.bus().hasTarget(LunAddress.target(address));
    }

    private static boolean isNoUnit(int address) {
        return address == LunAddress.INVALID || address == LunAddress.REPORT_LUNS_WELL_KNOWN;
    }

    private void abort(int head, Chain chain, int address, Predicate<ScsiRequest> which) {
        after(settleLeaving(address, CancelCause.ABORT, which), head, chain,
                () -> onUnit(head, chain, address,
                        unit -> settle(unit, CancelCause.ABORT, which)
                                .thenApply(nothing -> ResponseCode.OK)));
    }

    /**
     * Ends when a unit that is being unplugged from the address has no matching command any more.
     * The guest does not find the unit, but its commands are the guest's until they are answered,
     * and the driver may re-use their buffers after the function (MAL-25).
     */
    private CompletionStage<?> settleLeaving(
            int address, CancelCause cause, Predicate<ScsiRequest> which) {
        LogicalUnit leaving = isNoUnit(address) ? null : device.bus()
                .findLeaving(LunAddress.target(address), LunAddress.lun(address));
        return leaving == null
                ? CompletableFuture.completedStage(null) : settle(leaving, cause, which);
    }

    /** Goes on with the function, which looks again: a unit is back if its purge failed. */
    private void after(CompletionStage<?> settled, int head, Chain chain, Runnable then) {
        settled.whenComplete((nothing, failure) -> {
            if (failure == null) {
                then.run();
            } else {
                failed(head, chain, failure);
            }
        });
    }

    /**
     * Ends when every match is gone with its response published (VSCSI-32, VSCSI-33). What was
     * fetched is cancelled at once, because somebody may be waiting for it; what was not, after it
     * was.
     */
    private CompletionStage<?> settle(
            LogicalUnit unit, CancelCause cause, Predicate<ScsiRequest> which) {
        CompletionStage<Void> fetched = device.dataplane().fetch();
        return unit.cancelTasksAsync(cause, which)
                .thenCompose(found -> fetched)
                .thenCompose(nothing -> unit.cancelTasksAsync(cause, which));
    }

    private CompletionStage<Integer> query(LogicalUnit unit, Predicate<ScsiRequest> which) {
        return device.dataplane().fetch()
                .thenCompose(nothing -> unit.countTasksAsync(which))
                .thenApply(found -> found > 0 ? ResponseCode.FUNCTION_SUCCEEDED : ResponseCode.OK);
    }

    /**
     * As {@link #settle}: what was fetched is purged at once, the unit is reset when the rest was
     * fetched too. Only that reset leaves a unit attention: the guest hears of one reset once.
     */
    private CompletionStage<Integer> reset(LogicalUnit unit) {
        CompletionStage<Void> fetched = device.dataplane().fetch();
        return unit.purgeAsync(CancelCause.RESET, null)
                .thenCompose(nothing -> fetched)
                .thenCompose(nothing -> unit.resetAsync())
                .thenApply(nothing -> ResponseCode.OK);
    }

    /** VSCSI-55 [B]: a snapshot, then reset; units that are being unplugged are waited for. */
    private void nexusReset(int head, Chain chain, int address) {
        if (isNoUnit(address)) {
            answer(head, chain, ResponseCode.BAD_TARGET);
            return;
        }
        int target = LunAddress.target(address);
        List<CompletableFuture<?>> parts = new ArrayList<>();
        for (LogicalUnit unit : device.bus().units(target)) {
            parts.add(reset(unit).toCompletableFuture());
        }
        int code = parts.isEmpty() ? ResponseCode.BAD_TARGET : ResponseCode.OK;
        for (LogicalUnit unit : device.bus().leavingUnits(target)) {
            parts.add(settle(unit, CancelCause.RESET, all -> true).toCompletableFuture());
        }
        answerWhenDone(head, chain, CompletableFuture
                .allOf(parts.toArray(new CompletableFuture<?>[0]))
                .thenApply(nothing -> code));
    }

    private void answerWhenDone(int head, Chain chain, CompletionStage<Integer> function) {
        function.whenComplete((code, failure) -> {
            if (failure == null) {
                answer(head, chain, code);
            } else {
                failed(head, chain, failure);
            }
        });
    }

    private void failed(int head, Chain chain, Throwable failure) {
        device.main().report(pump.describe(), failure);
        answer(head, chain, ResponseCode.FAILURE);
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
