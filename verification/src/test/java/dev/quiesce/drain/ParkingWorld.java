package dev.quiesce.drain;

import static dev.quiesce.testkit.StepProgram.END;

import dev.quiesce.drain.GateSteps.LaneSteps;
import dev.quiesce.drain.Request.State;
import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import java.util.List;
import java.util.function.Supplier;

/**
 * Sections against requests that park and are replayed. Each lane has a home context: one thread,
 * so its submitter, its replay task and its completions take turns ({@code busy}).
 */
final class ParkingWorld {
    static final int HOMES = 2;

    final GateSteps gate;
    final Home[] homes = {new Home(), new Home()};
    final List<Request> requests =
            List.of(new Request("r0"), new Request("r1"), new Request("r2"));
    GateSteps.ScanSteps scan;
    List<LaneSteps> booked = List.of();
    boolean inSection;

    ParkingWorld(GateSteps gate) {
        this.gate = gate;
        for (int i = 0; i < HOMES; i++) {
            homes[i].lane = gate.lane(i);
        }
    }

    static StepModel<ParkingWorld> model(String question, Supplier<GateSteps> gate) {
        return StepModel.of(question, () -> new ParkingWorld(gate.get()))
                .fingerprint(ParkingWorld::fingerprint)
                .showing(ParkingWorld::fingerprint)
                .always("a request runs in a settled section",
                        w -> !w.inSection || w.requests.stream()
                                .noneMatch(r -> r.state == State.RUNNING))
                .inTheEnd("a request is stranded",
                        w -> w.requests.stream().noneMatch(r -> r.state == State.PARKED))
                .inTheEnd("counts are out of balance", ParkingWorld::isBalanced);
    }

    /** Sections in a row. Those that do not wait end at once. */
    static void control(StepProgram<ParkingWorld> program, boolean... waits) {
        for (int i = 0; i < waits.length; i++) {
            String section = " (" + (i + 1) + ")";
            program.step("quiesces" + section, w -> w.gate.quiesce());
            if (waits[i]) {
                await(program, section);
            }
            program.step("resumes" + section, w -> {
                w.inSection = false;
                w.booked = w.gate.endSection();
            });
            program.step("posts replays" + section, ParkingWorld::postReplays);
        }
    }

    /** Submits requests, one after the other. */
    static void submitter(StepProgram<ParkingWorld> program, int home, int... requests) {
        for (int index : requests) {
            String r = " r" + index;
            program.stepWhen("counts" + r, w -> w.homes[home].isFree(), w -> {
                w.homes[home].busy = true;
                w.lane(home).count();
            });
            program.branch("looks" + r, w -> w.lane(home).isOpen() ? "starts" + r : null);
            program.branch("parks" + r, w -> {
                boolean parked = w.lane(home).park(w.requests.get(index));
                if (parked) {
                    w.requests.get(index).become(State.NEW, State.PARKED);
                    w.homes[home].busy = false;
                }
                return parked ? "goes on after" + r : null;
            });
            program.step("starts" + r, w -> {
                w.requests.get(index).become(State.NEW, State.RUNNING);
                w.homes[home].busy = false;
            });
            program.step("goes on after" + r, w -> { });
        }
    }

    /** Gives the count back before it takes the lock (DRAIN-28). */
    static void hastySubmitter(StepProgram<ParkingWorld> program, int index) {
        program.step("counts", w -> w.lane(0).count())
                .branch("looks", w -> w.lane(0).isOpen() ? "starts" : null)
                .step("gives back", w -> w.lane(0).giveBack())
                .branch("parks", w -> {
                    Request request = w.requests.get(index);
                    boolean parked = w.lane(0).park(request);
                    if (parked) {
                        request.become(State.NEW, State.PARKED);
                    }
                    return parked ? END : null;
                })
                .step("starts", w -> w.requests.get(index).become(State.NEW, State.RUNNING));
    }

    /** The replay task of a home. */
    static void replayer(StepProgram<ParkingWorld> program, int home) {
        program.serves()
                .stepWhen("takes the posted replay",
                        w -> w.homes[home].posted && w.homes[home].isFree(),
                        w -> w.homes[home].beginReplay())
                .branch("hands over", w -> {
                    Request request = w.homes[home].nextReplay();
                    if (request == null) {
                        return null;
                    }
                    request.become(State.PARKED, State.RUNNING);
                    return "hands over";
                })
                .branch("looks again", w -> {
                    boolean again = w.lane(home).replayAgain();
                    if (again) {
                        w.homes[home].post();
                    }
                    return again ? "ends" : null;
                })
                .step("gives the replay's count back", w -> w.lane(home).giveBack())
                .branch("ends", w -> {
                    w.homes[home].busy = false;
                    return "takes the posted replay";
                });
    }

    /** Completes a request once it runs, and counts it out. */
    static void completer(StepProgram<ParkingWorld> program, int home, int... requests) {
        program.serves().branchWhen("completes",
                w -> w.homes[home].isFree() && w.firstRunning(requests) != null, w -> {
                    w.firstRunning(requests).become(State.RUNNING, State.DONE);
                    w.lane(home).giveBack();
                    return "completes";
                });
    }

    /** Cancels a request if it is parked. */
    static void canceller(StepProgram<ParkingWorld> program, int home, int index) {
        program.branchWhen("unparks", w -> w.homes[home].isFree(), w -> {
            boolean parked = w.lane(home).unpark(w.requests.get(index));
            if (parked) {
                w.requests.get(index).become(State.PARKED, State.CANCELLED);
            }
            return parked ? null : END;
        });
        program.stepWhen("counts the cancelled one out", w -> w.homes[home].isFree(),
                w -> w.lane(home).giveBack());
    }

    private static void await(StepProgram<ParkingWorld> program, String section) {
        String reads = "reads the next counter" + section;
        program.step("starts to look" + section, w -> w.scan = w.gate.scan())
                .branch(reads, w -> {
                    if (!w.scan.step()) {
                        return reads;
                    }
                    w.inSection = w.scan.isSettled();
                    w.scan = w.inSection ? null : w.gate.scan();
                    return w.inSection ? null : reads;
                });
    }

    private LaneSteps lane(int home) {
        return homes[home].lane;
    }

    private void postReplays() {
        for (Home home : homes) {
            if (booked.contains(home.lane)) {
                home.post();
            }
        }
        booked = List.of();
    }

    private Request firstRunning(int... indexes) {
        for (int index : indexes) {
            if (requests.get(index).state == State.RUNNING) {
                return requests.get(index);
            }
        }
        return null;
    }

    private boolean isBalanced() {
        GateSteps.ScanSteps last = gate.scan();
        boolean complete = false;
        while (!complete) {
            complete = last.step();
        }
        return last.isSettled();
    }

    private String fingerprint() {
        return gate.fingerprint() + " scan " + scan + (inSection ? " settled " : " ")
                + requests + homes[0] + homes[1] + booked.size();
    }

    /** The thread of a home context. */
    static final class Home {
        private LaneSteps lane;
        private boolean busy;
        private boolean posted;
        private int toReplay;

        private boolean isFree() {
            return !busy;
        }

        private void post() {
            if (posted) {
                throw new IllegalStateException("the replay task is queued already");
            }
            posted = true;
        }

        private void beginReplay() {
            posted = false;
            busy = true;
            toReplay = lane.parkedCount();
        }

        private Request nextReplay() {
            return toReplay-- > 0 ? lane.takeForReplay() : null;
        }

        @Override
        public String toString() {
            return (busy ? " busy" : " free") + (posted ? " posted" : "") + toReplay;
        }
    }
}
