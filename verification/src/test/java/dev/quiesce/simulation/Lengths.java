package dev.quiesce.simulation;

import dev.quiesce.drain.DrainedSection;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.testkit.Simulation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Control that changes a disk's length at random, and remembers when it was how short. */
final class Lengths {
    static final int BLOCK_BYTES = 512;
    static final int BLOCKS = 16;

    private final Simulation sim;
    private final Machine machine;
    private final List<Change> changes = new ArrayList<>();
    private @Nullable DrainedSection section;
    private int blocks;
    private int pending;
    private int now;

    Lengths(Simulation sim, Machine machine) {
        this.sim = sim;
        this.machine = machine;
        this.blocks = Integer.MAX_VALUE;
    }

    /** One change: when it was asked for and when it was over, and what it left. */
    private static final class Change {
        private final int blocksBefore;
        private final int blocks;
        private final int asked;
        private int over = Integer.MAX_VALUE;

        Change(int blocksBefore, int blocks, int asked) {
            this.blocksBefore = blocksBefore;
            this.blocks = blocks;
            this.asked = asked;
        }
    }

    /** {@return the present moment} Each is another one. */
    int moment() {
        return now++;
    }

    /** Does something, at random. Control. */
    void move() {
        switch (sim.random().nextInt(5)) {
            case 0 -> toggleSection();
            case 1 -> machine.backend().setContextAsync(
                    machine.contexts().get(sim.random().nextInt(machine.contexts().size())));
            default -> resize(sim.random().nextInt(BLOCKS));
        }
    }

    void end() {
        endSection();
    }

    boolean isOver() {
        return section == null && pending == 0;
    }

    /** Whether a block was, or may have been, cut off at some time from one moment to another. */
    boolean mayBeShort(int block, int from, int to) {
        boolean isShort = false;
        for (Change each : changes) {
            if (each.asked <= to && each.over >= from) {
                isShort |= each.blocks <= block || each.blocksBefore <= block;
            } else if (each.over < from) {
                isShort = each.blocks <= block;
            }
        }
        return isShort;
    }

    /** Whether a block was surely cut off by a change within these moments. */
    boolean wasCut(int block, int from, int to) {
        return changes.stream().anyMatch(
                each -> each.asked > from && each.over < to && each.blocks <= block);
    }

    private void resize(int wanted) {
        if (pending > 0) {
            return; // one after the other, so that what each left is known
        }
        endSection(); // or it would be waited for
        int to = wanted + 1;
        sim.note("asks for " + to + " blocks");
        Change change = new Change(blocks, to, moment());
        changes.add(change);
        blocks = to;
        pending++;
        BlockNode root = Objects.requireNonNull(machine.backend().root());
        machine.backend().graph().resizeAsync(root, (long) to * BLOCK_BYTES)
                .whenComplete((nothing, failure) -> {
                    pending--;
                    change.over = moment();
                    sim.note("has " + to + " blocks");
                    if (failure != null) {
                        sim.fail("not resized", failure.toString());
                    }
                });
    }

    private void toggleSection() {
        if (section != null) {
            endSection();
        } else if (pending == 0) {
            section = DrainedSection.begin(machine.backend());
        }
    }

    private void endSection() {
        DrainedSection open = section;
        section = null;
        if (open != null) {
            open.close();
        }
    }
}
