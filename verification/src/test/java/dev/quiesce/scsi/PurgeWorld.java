package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.drain.Gate;
import dev.quiesce.scsi.spec.Sense;
import dev.quiesce.testkit.StepProgram;
import java.util.ArrayList;
import java.util.List;

/** A queue that executes commands in its context, against a purge on main; the real classes. */
final class PurgeWorld implements HostAdapter {
    static final byte[] COMMAND = {0x1B, 0, 0, 0, 0, 0};

    final AioContext main = new AioContext("main", LoopSeams.system());
    final AioContext queue = new AioContext("queue", LoopSeams.system());
    final Unit unit;
    final Purge purge;
    final List<Long> cancelled = new ArrayList<>();
    boolean concluded;

    /* The queue's local variables. */
    RequestList list;
    long seen;
    long nextTag = 1;

    PurgeWorld() {
        main.acquire();
        queue.acquire();
        unit = new Unit(this);
        purge = new Purge(unit, CancelCause.RESET, Sense.UA_RESET, true);
    }

    /** Executes one command, in the order of the real {@link LogicalUnit#execute}. */
    static void execute(StepProgram<PurgeWorld> program, String which) {
        program.step("publishes its list for " + which, w -> w.list = w.unit.lists().of(w.queue));
        program.step("reads the stamp for " + which, w -> w.seen = w.unit.stampVolatile());
        program.step("admits " + which, PurgeWorld::admit);
    }

    /** Executes one command in the wrong order. */
    static void executeTooEarly(StepProgram<PurgeWorld> program, String which) {
        program.step("reads the stamp for " + which, w -> w.seen = w.unit.stampVolatile());
        program.step("publishes its list for " + which, w -> w.list = w.unit.lists().of(w.queue));
        program.step("admits " + which, PurgeWorld::admit);
    }

    /** Serves what is posted to the queue's context. */
    static void turns(StepProgram<PurgeWorld> program) {
        program.branchWhen("takes a turn", w -> w.queue.hasRunnable(), w -> {
            w.queue.poll(0);
            return "takes a turn";
        }).serves();
    }

    /** The steps of a purge in their order. */
    static void purge(StepProgram<PurgeWorld> program) {
        program.step("closes the unit", w -> w.purge.closeUnit())
                .step("reads the lists", w -> w.purge.collectLists());
        drainAndEnd(program);
    }

    /** A purge that reads the lists before it closes the unit. */
    static void purgeTooEarly(StepProgram<PurgeWorld> program) {
        program.step("reads the lists", w -> w.purge.collectLists())
                .step("closes the unit", w -> w.purge.closeUnit());
        drainAndEnd(program);
    }

    private static void drainAndEnd(StepProgram<PurgeWorld> program) {
        program.step("quiesces and posts the walk", w -> w.purge.quiesce())
                .stepWhen("finds all gone", w -> !w.purge.isBusy(), w -> {
                    w.purge.conclude();
                    w.concluded = true;
                })
                .step("ends the section", w -> w.purge.resume())
                .step("opens the unit", w -> w.unit.purgeEnds());
    }

    private void admit() {
        ScsiRequest request = new ScsiRequest(this);
        request.prepare(queue, nextTag++, COMMAND, COMMAND.length);
        unit.admit(request, list, seen);
    }

    /** No command that started before the purge's end outlives it. */
    boolean nothingOldIsLeft() {
        return !concluded || cancelled.containsAll(unit.startedBefore);
    }

    /** Every command was cancelled or started, and none both unless it is old. */
    boolean nothingIsLost() {
        for (long tag = 1; tag < nextTag; tag++) {
            boolean after = unit.startedAfter.contains(tag);
            boolean attended = unit.unitAttentions().isEmpty() && tag == unit.attended;
            if (cancelled.contains(tag) == (after || attended)) {
                return false;
            }
        }
        return unit.listedRequests() == unit.startedAfter.size();
    }

    String fingerprint() {
        return (list != null) + " " + seen + " tags " + nextTag + " before " + unit.startedBefore
                + " after " + unit.startedAfter + " cancelled " + cancelled + " attended "
                + unit.attended + " attentions " + unit.unitAttentions() + " closed "
                + unit.isClosed() + (concluded ? " concluded " : " ") + unit.lists().all().length
                + " listed " + unit.listedRequests() + " runnable " + queue.hasRunnable()
                + " busy " + purge.isBusy() + " quiesced " + unit.gate().isQuiesced();
    }

    @Override
    public void complete(ScsiRequest request) {
        unit.attended = request.tag();
    }

    @Override
    public void cancelled(ScsiRequest request) {
        cancelled.add(request.tag());
    }

    /** Starts commands and never ends them. */
    static final class Unit extends LogicalUnit {
        final List<Long> startedBefore = new ArrayList<>();
        final List<Long> startedAfter = new ArrayList<>();

        /** The command that was answered with the unit attention. */
        long attended;

        private final PurgeWorld world;

        Unit(PurgeWorld world) {
            super("unit", new Gate("unit", world.main));
            this.world = world;
        }

        @Override
        public int blockSizeBytes() {
            return 512;
        }

        @Override
        protected void executeCommand(ScsiRequest request) {
            (world.concluded ? startedAfter : startedBefore).add(request.tag());
        }

        @Override
        protected void cancelCommand(ScsiRequest request) {
            throw new AssertionError("nothing is in flight: " + request);
        }
    }
}
