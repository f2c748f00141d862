package dev.quiesce.drain;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.LoopSeams;
import java.util.ArrayList;
import java.util.List;

/** The steps of the real classes. The calling thread owns every context, so every check passes. */
final class RealGateSteps implements GateSteps {
    private final AioContext main = context("main");
    private final Gate gate = new Gate("gate", main);
    private final List<RealLane> lanes = new ArrayList<>();
    private Hold hold;

    private static AioContext context(String name) {
        AioContext context = new AioContext(name, LoopSeams.system());
        context.acquire();
        return context;
    }

    @Override
    public void quiesce() {
        gate.quiesce();
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
            lanes.add(new RealLane(gate.lane(context("home" + lanes.size()), task -> { })));
        }
        return lanes.get(index);
    }

    @Override
    public void hold() {
        hold = gate.hold("model", main);
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
