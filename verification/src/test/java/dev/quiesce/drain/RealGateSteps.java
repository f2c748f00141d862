package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import java.util.ArrayList;
import java.util.List;

/** The steps of the real classes. Steps check no thread, so the contexts only name lanes. */
final class RealGateSteps implements GateSteps {
    private static final AioContext MAIN = new AioContext("main", LoopSeams.system());
    private static final List<AioContext> HOMES = List.of(
            new AioContext("home 0", LoopSeams.system()),
            new AioContext("home 1", LoopSeams.system()));
    private static final ParkedReplay REPLAY = parked -> { };

    private final Gate gate = new Gate("gate", MAIN);
    private final List<RealLane> lanes = new ArrayList<>();
    private Hold hold;

    @Override
    public void quiesce() {
        gate.beginSection();
    }

    @Override
    public List<LaneSteps> endSection() {
        List<Lane> booked = new ArrayList<>();
        gate.endSection(booked);
        List<LaneSteps> steps = new ArrayList<>();
        for (RealLane each : lanes) {
            if (booked.contains(each.lane)) {
                steps.add(each);
            }
        }
        return steps;
    }

    @Override
    public boolean isQuiesced() {
        return gate.isQuiesced();
    }

    @Override
    public ScanSteps scan() {
        SettledScan scan = new SettledScan(gate);
        return new ScanSteps() {
            @Override
            public boolean step() {
                return scan.step();
            }

            @Override
            public boolean isSettled() {
                return scan.inFlight() == 0;
            }

            @Override
            public String toString() {
                return scan.toString();
            }
        };
    }

    @Override
    public LaneSteps lane(int index) {
        while (lanes.size() <= index) {
            lanes.add(new RealLane(gate.lane(HOMES.get(lanes.size()), REPLAY)));
        }
        return lanes.get(index);
    }

    @Override
    public void hold() {
        hold = gate.hold("model", MAIN);
    }

    @Override
    public void releaseHold() {
        hold.close();
    }

    @Override
    public String fingerprint() {
        StringBuilder out = new StringBuilder().append(gate.quiesceDepth());
        InFlightCounter holds = gate.holdCounter();
        out.append(' ').append(holds.enteredSeqCst()).append('-').append(holds.leftSeqCst());
        for (RealLane each : lanes) {
            out.append(' ').append(each);
        }
        return out.toString();
    }

    /** One real lane. */
    private record RealLane(Lane lane) implements LaneSteps {
        @Override
        public void count() {
            lane.count();
        }

        @Override
        public boolean isOpen() {
            return lane.isOpen();
        }

        @Override
        public boolean park(Request request) {
            return lane.park(request);
        }

        @Override
        public boolean unpark(Request request) {
            return lane.takeOut(request);
        }

        @Override
        public void giveBack() {
            lane.giveBack(1);
        }

        @Override
        public int parkedCount() {
            return lane.parkedCount();
        }

        @Override
        public Request takeForReplay() {
            return (Request) lane.takeForReplay();
        }

        @Override
        public boolean replayAgain() {
            return lane.replayAgain();
        }

        @Override
        public String toString() {
            InFlightCounter counter = lane.counter();
            return counter.enteredSeqCst() + "-" + counter.leftSeqCst() + " " + lane.parkedCount()
                    + (lane.isReplayBooked() ? " booked" : "");
        }
    }
}
