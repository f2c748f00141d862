package dev.quiesce.drain;

import java.util.List;

/** The atomic steps of a gate, as the step models call them. */
interface GateSteps {
    /** The number of open sections goes up. */
    void quiesce();

    /** The number of open sections goes down; at zero replays are booked for the lanes returned. */
    List<LaneSteps> endSection();

    boolean isQuiesced();

    /** Starts to find out whether anything is in flight. */
    ScanSteps scan();

    /** Finds or makes a lane. */
    LaneSteps lane(int index);

    void hold();

    void releaseHold();

    /** Everything that matters for what can happen next. */
    String fingerprint();

    /** One evaluation of "nothing is in flight". */
    interface ScanSteps {
        /** Performs the next read; returns whether it was the last. */
        boolean step();

        boolean isSettled();
    }

    /** The atomic steps of a lane. */
    interface LaneSteps {
        void count();

        boolean isOpen();

        boolean park(Request request);

        boolean unpark(Request request);

        void giveBack();

        int parkedCount();

        /** Hands over the oldest parked request, counted; null if there is none. */
        Request takeForReplay();

        boolean replayAgain();
    }
}
