package dev.quiesce.scsi;

import dev.quiesce.drain.Gate;
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
    public int resets;

    private final Rig rig;

    public FakeUnit(Rig rig, String name) {
        super(name, new Gate(name, rig.main));
        this.rig = rig;
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
}
