package dev.quiesce.scsi;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.Gate;
import dev.quiesce.drain.GateDrainable;
import dev.quiesce.scsi.spec.ScsiStatus;
import dev.quiesce.scsi.spec.Sense;
import java.util.ArrayList;
import java.util.List;

/**
 * A unit that does as told: TEST UNIT READY ends at once; START STOP UNIT stays listed until the
 * test ends it; SYNCHRONIZE CACHE is in flight until the test lets its work come back; all else
 * fails.
 */
public final class FakeUnit extends LogicalUnit {
    static final int[] READY = {0x00, 0, 0, 0, 0, 0};
    static final int[] STAY = {0x1B, 0, 0, 0, 0, 0};
    static final int[] WORK = {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0};

    public final List<ScsiRequest> staying = new ArrayList<>();
    public final List<ScsiRequest> working = new ArrayList<>();
    public final List<ScsiRequest> askedToStop = new ArrayList<>();
    public final List<Long> started = new ArrayList<>();
    public final FakeDrain drain;
    public int resets;

    private final Rig rig;

    public FakeUnit(Rig rig, String name) {
        this(rig, new FakeDrain(new Gate(name, rig.main)));
    }

    private FakeUnit(Rig rig, FakeDrain drain) {
        super(drain.name(), drain.gate, drain);
        this.rig = rig;
        this.drain = drain;
    }

    @Override
    public int blockSizeBytes() {
        return 512;
    }

    @Override
    protected void executeCommand(ScsiRequest request) {
        started.add(request.tag());
        switch (request.cdb().format()) {
            case TEST_UNIT_READY -> request.complete(ScsiStatus.GOOD);
            case START_STOP_UNIT -> staying.add(request);
            case SYNCHRONIZE_CACHE_10 -> {
                request.workBegins();
                working.add(request);
            }
            default -> request.completeWith(Sense.INVALID_OPCODE);
        }
    }

    @Override
    protected void cancelCommand(ScsiRequest request) {
        askedToStop.add(request);
    }

    @Override
    protected void onReset() {
        resets++;
    }

    /** Lets the work of a request come back, in the request's context. */
    public void workComesBack(ScsiRequest request) {
        request.home().execute(() -> {
            working.remove(request);
            if (request.workEnds()) {
                request.complete(ScsiStatus.GOOD);
            }
        });
        rig.turn(request.home());
    }

    /** Drains the gate, or refuses as something beneath a real unit may. */
    public static final class FakeDrain implements Drainable {
        public boolean refuses;

        private final Gate gate;
        private final Drainable drainable;

        private FakeDrain(Gate gate) {
            this.gate = gate;
            this.drainable = new GateDrainable(gate);
        }

        @Override
        public void quiesce() {
            if (refuses) {
                throw new IllegalStateException(name() + " cannot be drained");
            }
            drainable.quiesce();
        }

        @Override
        public boolean isBusy() {
            return drainable.isBusy();
        }

        @Override
        public void resume() {
            drainable.resume();
        }

        @Override
        public AioContext main() {
            return drainable.main();
        }

        @Override
        public void describe(WaitReport out) {
            drainable.describe(out);
        }

        @Override
        public String name() {
            return drainable.name();
        }
    }
}
