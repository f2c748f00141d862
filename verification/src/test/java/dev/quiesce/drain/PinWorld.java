package dev.quiesce.drain;

import dev.quiesce.testkit.StepModel;
import dev.quiesce.testkit.StepProgram;

/**
 * Somebody who wants a backend's context to stay what it is, against control operations that change
 * it: with a root only in a settled section, without a root at any time.
 */
final class PinWorld {
    final GateSteps gate = new RealGateSteps();
    GateSteps.ScanSteps scan;
    boolean root;
    boolean held;
    char context = 'A';
    char read = '?';
    char pinned = '?';

    PinWorld(boolean root) {
        this.root = root;
    }

    static StepModel<PinWorld> model(String question, boolean root) {
        return StepModel.of(question, () -> new PinWorld(root))
                .fingerprint(PinWorld::fingerprint)
                .showing(PinWorld::fingerprint)
                .always("the context changed under a pin",
                        w -> w.pinned == '?' || w.pinned == w.context);
    }

    /** Moves the backend in a drained section. */
    static void move(StepProgram<PinWorld> program) {
        begin(program, true);
        program.step("stores context B", w -> w.context = 'B');
        program.step("resumes", w -> w.gate.endSection());
    }

    /** Removes the root in a drained section, then moves what has no root, without draining. */
    static void removeThenMove(StepProgram<PinWorld> program) {
        begin(program, true);
        program.step("removes the root", w -> w.root = false);
        program.step("resumes", w -> w.gate.endSection());
        program.step("stores context B", w -> w.context = 'B');
    }

    /** Inserts a root: moves to its context, without waiting, and attaches. */
    static void insert(StepProgram<PinWorld> program) {
        begin(program, false);
        program.step("stores context B", w -> w.context = 'B');
        program.step("attaches the root", w -> w.root = true);
        program.step("resumes", w -> w.gate.endSection());
    }

    /** Fails to insert a root: moves there and back. */
    static void insertInVain(StepProgram<PinWorld> program) {
        begin(program, false);
        program.step("stores context B", w -> w.context = 'B');
        program.step("stores context A again", w -> w.context = 'A');
        program.step("resumes", w -> w.gate.endSection());
    }

    /** Takes the steps of a pin in the order given, uses it, and lets go. */
    static void pinner(StepProgram<PinWorld> program, Step... order) {
        for (Step step : order) {
            switch (step) {
                case HOLD -> program.step("takes a hold", w -> {
                    w.gate.hold();
                    w.held = true;
                });
                case OPEN -> program.branch("is it open?",
                        w -> w.gate.isQuiesced() ? "lets go" : null);
                case ROOT -> program.branch("has it a root?", w -> w.root ? null : "lets go");
                case READ -> program.step("reads the context", w -> w.read = w.context);
            }
        }
        program.step("is pinned", w -> w.pinned = w.read)
                .step("lets go", w -> {
                    w.pinned = '?';
                    if (w.held) {
                        w.gate.releaseHold();
                    }
                });
    }

    private static void begin(StepProgram<PinWorld> program, boolean waits) {
        program.step("quiesces", w -> w.gate.quiesce());
        if (waits) {
            program.step("starts to look", w -> w.scan = w.gate.scan());
            program.branch("reads the next counter", w -> {
                if (!w.scan.step()) {
                    return "reads the next counter";
                }
                boolean settled = w.scan.isSettled();
                w.scan = settled ? null : w.gate.scan();
                return settled ? null : "reads the next counter";
            });
        }
    }

    private String fingerprint() {
        return gate.fingerprint() + " scan " + scan + (root ? " root " : " empty ") + context + read
                + pinned + (held ? " held" : "");
    }

    /** One of the four steps of a pin. */
    enum Step { HOLD, OPEN, ROOT, READ }
}
