package dev.quiesce.drain;

import static dev.quiesce.testkit.StepProgram.END;

import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;
import java.util.function.Supplier;

/**
 * A section against requests that move: one on lane 0, and one that hops from lane 0 to a hold and
 * from there to lane 1, counted at every instant.
 */
final class SettledWorld {
    final GateSteps gate;
    GateSteps.ScanSteps scan;
    boolean inSection;
    boolean handedOver;
    boolean over;
    boolean kicked;
    int running;

    SettledWorld(GateSteps gate) {
        this.gate = gate;
        gate.lane(0);
    }

    static StepModel<SettledWorld> model(String question, Supplier<GateSteps> gate) {
        return StepModel.of(question, () -> new SettledWorld(gate.get()))
                .fingerprint(SettledWorld::fingerprint)
                .showing(SettledWorld::fingerprint)
                .always("a request runs in a settled section",
                        w -> !w.inSection || w.running == 0);
    }

    /** Quiesces, waits until settled, and resumes; twice. Sleeps until it is kicked. */
    static void control(StepProgram<SettledWorld> program) {
        for (int i = 1; i <= 2; i++) {
            String section = " (" + i + ")";
            String reads = "reads the next counter" + section;
            String wakes = "wakes up" + section;
            program.step("quiesces" + section, w -> w.gate.quiesce())
                    .step("acknowledges" + section, w -> w.kicked = false)
                    .step("starts to look" + section, w -> w.scan = w.gate.scan())
                    .branch(reads, w -> w.scan.step() ? null : reads)
                    .branch("decides" + section, w -> {
                        w.inSection = w.scan.isSettled();
                        w.scan = null;
                        return w.inSection ? "resumes" + section : null;
                    })
                    .branchWhen(wakes, w -> w.kicked, w -> "acknowledges" + section)
                    .step("resumes" + section, w -> {
                        w.inSection = false;
                        w.gate.endSection();
                    });
        }
    }

    /** Enters lane 0, runs, leaves; gives up if quiesced. */
    static void request(StepProgram<SettledWorld> program) {
        program.step("counts on lane 0", w -> w.gate.lane(0).count())
                .branch("looks", w -> w.gate.isQuiesced() ? "gives back" : null)
                .step("runs", w -> w.running++)
                .step("ends", w -> w.running--)
                .step("gives back", w -> w.gate.lane(0).giveBack())
                .step("kicks", SettledWorld::kick);
    }

    /** The same, but looks before it counts. */
    static void requestThatLooksFirst(StepProgram<SettledWorld> program) {
        program.branch("looks", w -> w.gate.isQuiesced() ? END : null)
                .step("counts on lane 0", w -> w.gate.lane(0).count())
                .step("runs", w -> w.running++)
                .step("ends", w -> w.running--)
                .step("gives back", w -> w.gate.lane(0).giveBack())
                .step("kicks", SettledWorld::kick);
    }

    /** The same as the first, but decides about the kick before it gives back. */
    static void requestThatKicksEarly(StepProgram<SettledWorld> program) {
        program.step("counts on lane 0", w -> w.gate.lane(0).count())
                .branch("looks", w -> w.gate.isQuiesced() ? "kicks" : null)
                .step("runs", w -> w.running++)
                .step("ends", w -> w.running--)
                .step("kicks", SettledWorld::kick)
                .step("gives back", w -> w.gate.lane(0).giveBack());
    }

    /** Enters lane 0 and hands over to another context by a hold, leaving the lane last. */
    static void sender(StepProgram<SettledWorld> program) {
        program.step("counts on lane 0", w -> w.gate.lane(0).count())
                .branch("looks", w -> {
                    w.over = w.gate.isQuiesced();
                    return w.over ? "gives back" : null;
                })
                .step("runs", w -> w.running++)
                .step("takes a hold", w -> w.gate.hold())
                .step("posts", w -> w.handedOver = true)
                .step("gives back", w -> w.gate.lane(0).giveBack())
                .step("kicks", SettledWorld::kick);
    }

    /** Takes over under the hold: counts on lane 1, made only now, without looking. */
    static void receiver(StepProgram<SettledWorld> program) {
        program.branchWhen("takes over", w -> w.handedOver || w.over, w -> w.over ? END : null)
                .step("makes lane 1", w -> w.gate.lane(1))
                .step("counts on lane 1", w -> w.gate.lane(1).count())
                .step("closes the hold, kicks", w -> {
                    w.gate.releaseHold();
                    w.kick();
                })
                .step("ends", w -> w.running--)
                .step("gives back", w -> w.gate.lane(1).giveBack())
                .step("kicks", SettledWorld::kick);
    }

    /** As the gate does: wakes the waiter only if a section is open. */
    private void kick() {
        kicked |= gate.isQuiesced();
    }

    private String fingerprint() {
        return gate.fingerprint() + " scan " + scan + (inSection ? " settled " : " ") + running
                + (handedOver ? " posted" : "") + (over ? " over" : "") + (kicked ? " kicked" : "");
    }
}
