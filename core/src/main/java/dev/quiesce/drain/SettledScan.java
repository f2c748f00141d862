package dev.quiesce.drain;

/**
 * One evaluation of "nothing is in flight", cut into its atomic reads. Confined to the thread that
 * made it.
 */
final class SettledScan {
    /*
     * The two passes of the proof in Gate: first everything that left, then, from a lane array that
     * is read again, everything that entered. Each call of step() performs exactly one volatile
     * read, so that the step model (GateSettledStepModelTest) drives this very class through all
     * interleavings.
     */
    private final Gate gate;
    private Lane[] lanes = {};
    private Pass pass = Pass.LANES_FOR_LEFT;
    private int next;
    private long left;
    private long entered;

    SettledScan(Gate gate) {
        this.gate = gate;
    }

    /** Performs the next read. Returns whether the evaluation is complete. */
    boolean step() {
        switch (pass) {
            case LANES_FOR_LEFT -> readLanes(Pass.LEFT);
            case LEFT -> {
                left += counter().leftSeqCst();
                advance(Pass.LANES_FOR_ENTERED);
            }
            case LANES_FOR_ENTERED -> readLanes(Pass.ENTERED);
            case ENTERED -> {
                entered += counter().enteredSeqCst();
                advance(Pass.DONE);
            }
            case DONE -> throw new IllegalStateException("the evaluation is complete");
        }
        return pass == Pass.DONE;
    }

    /**
     * What was in flight at most, at the instant between the two passes. Complete evaluations only.
     */
    long inFlight() {
        assert pass == Pass.DONE : pass;
        return entered - left;
    }

    @Override
    public String toString() {
        return pass + " at " + next + " of " + lanes.length
                + ": " + entered + " in, " + left + " out";
    }

    private void readLanes(Pass then) {
        lanes = gate.lanesSeqCst();
        next = 0;
        pass = then;
    }

    /**
     * Holds come last, then first: they may be taken and closed at any rate while a section is
     * open, and each one between the two reads of their counter spoils the evaluation.
     */
    private InFlightCounter counter() {
        int lane = pass == Pass.LEFT ? next : next - 1;
        return lane < 0 || lane == lanes.length ? gate.holdCounter() : lanes[lane].counter();
    }

    private void advance(Pass then) {
        if (next == lanes.length) {
            pass = then;
        }
        next++;
    }

    /** Where the evaluation stands. */
    private enum Pass { LANES_FOR_LEFT, LEFT, LANES_FOR_ENTERED, ENTERED, DONE }
}
