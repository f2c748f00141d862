package dev.quiesce.drain;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A gate in a hundred lines, right but for one chosen mistake. */
final class FaultyGateSteps implements GateSteps {
    private final Fault fault;
    private final List<FaultyLane> lanes = new ArrayList<>();
    private int quiesce;
    private int holdsEntered;
    private int holdsLeft;

    FaultyGateSteps(Fault fault) {
        this.fault = fault;
    }

    @Override
    public void quiesce() {
        quiesce++;
    }

    @Override
    public List<LaneSteps> endSection() {
        List<LaneSteps> booked = new ArrayList<>();
        if (--quiesce == 0) {
            for (FaultyLane lane : lanes) {
                if (lane.bookReplay()) {
                    booked.add(lane);
                }
            }
        }
        return booked;
    }

    @Override
    public boolean isQuiesced() {
        return quiesce != 0;
    }

    @Override
    public ScanSteps scan() {
        return fault == Fault.ONE_PASS ? new OnePassScan() : new TwoPassScan();
    }

    @Override
    public LaneSteps lane(int index) {
        while (lanes.size() <= index) {
            lanes.add(new FaultyLane());
        }
        return lanes.get(index);
    }

    @Override
    public void hold() {
        holdsEntered++;
    }

    @Override
    public void releaseHold() {
        holdsLeft++;
    }

    @Override
    public String fingerprint() {
        return quiesce + " " + holdsEntered + "-" + holdsLeft + " " + lanes;
    }

    /** What can be wrong. */
    enum Fault {
        NONE,
        /** Sums entered - left, lane by lane. */
        ONE_PASS,
        /** Sums what entered first and what left second. */
        ENTERED_FIRST,
        /** Does not look for new lanes between the two sums. */
        OLD_LANES,
        /** Parks by what it saw before it took the lock (DRAIN-30). */
        NO_SECOND_LOOK,
        /** Gives the count back before it takes the lock (DRAIN-28). */
        EARLY_GIVE_BACK,
        /** Takes no count for a replay from booking to its end (DRAIN-23). */
        UNCOUNTED_REPLAY,
        /** Books a replay for a lane that has one. */
        DOUBLE_BOOKING
    }

    /** Both sums in one pass: wrong, for any order of the lanes. */
    private final class OnePassScan implements ScanSteps {
        private int next;
        private int sum;

        @Override
        public boolean step() {
            sum += next < lanes.size()
                    ? lanes.get(next).entered - lanes.get(next).left
                    : holdsEntered - holdsLeft;
            return next++ >= lanes.size();
        }

        @Override
        public boolean isSettled() {
            return sum == 0;
        }

        @Override
        public String toString() {
            return next + ": " + sum;
        }
    }

    /** First what left, then what entered. */
    private final class TwoPassScan implements ScanSteps {
        private int seen = lanes.size();
        private int next;
        private int pass;
        private int sum;

        @Override
        public boolean step() {
            boolean leaves = pass == (fault == Fault.ENTERED_FIRST ? 1 : 0);
            if (next < seen) {
                FaultyLane lane = lanes.get(next++);
                sum += leaves ? -lane.left : lane.entered;
                return false;
            }
            sum += leaves ? -holdsLeft : holdsEntered;
            next = 0;
            if (fault != Fault.OLD_LANES) {
                seen = lanes.size();
            }
            return pass++ == 1;
        }

        @Override
        public boolean isSettled() {
            return sum == 0;
        }

        @Override
        public String toString() {
            return pass + "." + next + "/" + seen + ": " + sum;
        }
    }

    /** A lane of the faulty gate. */
    private final class FaultyLane implements LaneSteps {
        private final ArrayDeque<Request> parked = new ArrayDeque<>();
        private boolean booked;
        private int entered;
        private int left;

        @Override
        public void count() {
            entered++;
        }

        @Override
        public boolean isOpen() {
            return quiesce == 0 && parked.isEmpty();
        }

        @Override
        public boolean park(Request request) {
            if (fault != Fault.NO_SECOND_LOOK && isOpen()) {
                return false;
            }
            parked.addLast(request);
            if (fault != Fault.EARLY_GIVE_BACK) {
                giveBack();
            }
            return true;
        }

        @Override
        public boolean unpark(Request request) {
            boolean found = parked.remove(request);
            entered += found ? 1 : 0;
            return found;
        }

        @Override
        public void giveBack() {
            left++;
        }

        @Override
        public int parkedCount() {
            return parked.size();
        }

        @Override
        public Request takeForReplay() {
            Request request = parked.pollFirst();
            entered += request != null ? 1 : 0;
            return request;
        }

        @Override
        public boolean replayAgain() {
            booked = !parked.isEmpty() && quiesce == 0;
            if (!booked && fault == Fault.UNCOUNTED_REPLAY) {
                // Evens out the giving back that follows.
                count();
            }
            return booked;
        }

        private boolean bookReplay() {
            if (parked.isEmpty() || (booked && fault != Fault.DOUBLE_BOOKING)) {
                return false;
            }
            booked = true;
            if (fault != Fault.UNCOUNTED_REPLAY) {
                count();
            }
            return true;
        }

        @Override
        public String toString() {
            return entered + "-" + left + " " + parked.size() + (booked ? " booked" : "");
        }
    }
}
