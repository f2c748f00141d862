package dev.quiesce.simulation;

import dev.quiesce.aio.AioContext;
import dev.quiesce.backend.BlockBackend;
import dev.quiesce.drain.DrainedSection;
import dev.quiesce.driver.filter.PassthroughDriver;
import dev.quiesce.graph.BlockGraph;
import dev.quiesce.graph.BlockNode;
import dev.quiesce.graph.GraphEdit;
import dev.quiesce.testkit.Simulation;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The control side of one backend: sections, moves and edits, blocking and not, at random. */
final class Control {
    private static final String FILTER = "inserted";

    private final Simulation sim;
    private final Machine machine;
    private final BlockGraph graph;
    private final BlockBackend backend;
    private final List<AioContext> contexts;
    private final BooleanSupplier quiet;
    private @Nullable DrainedSection section;
    private int asyncSections;
    private int asyncPending;

    Control(Simulation sim, Machine machine, BooleanSupplier quiet) {
        this.sim = sim;
        this.machine = machine;
        this.backend = machine.backend();
        this.graph = backend.graph();
        this.contexts = machine.contexts();
        this.quiet = quiet;
    }

    /** Does something, at random. Control. */
    void move() {
        if (section != null && sim.random().nextBoolean()) {
            endSection();
            return;
        }
        switch (sim.random().nextInt(6)) {
            case 0 -> beginSection();
            case 1 -> moveBackend();
            case 2 -> moveBackendAsync();
            case 3 -> beginSectionAsync();
            case 4 -> editBlocking();
            default -> editAsync();
        }
    }

    /** The last step. Control. */
    void end() {
        endSection();
    }

    /** {@return whether every section keeps its promise, I1} */
    boolean promiseHolds() {
        return (section == null && asyncSections == 0) || quiet.getAsBoolean();
    }

    /** {@return whether everything that it asked for has come to an end} */
    boolean isOver() {
        return section == null && asyncSections == 0 && asyncPending == 0;
    }

    private void beginSection() {
        sim.note("begins a drained section");
        DrainedSection next = DrainedSection.begin(backend);
        endSection();
        section = next;
    }

    private void endSection() {
        DrainedSection open = section;
        section = null;
        if (open != null) {
            sim.note("ends its drained section");
            open.close();
        }
    }

    private void beginSectionAsync() {
        AioContext finishIn = anyContext();
        sim.note("asks for a drained section, to be told in " + finishIn.name());
        asyncPending++;
        DrainedSection.beginAsync(finishIn, backend).whenComplete((open, failure) -> {
            asyncPending--;
            if (failure != null) {
                sim.fail("no section", failure.toString());
            }
            if (sim.current() != finishIn) {
                sim.fail("told elsewhere", sim.currentName());
            }
            asyncSections++;
            finishIn.execute(() -> {
                asyncSections--;
                settled(open.closeAsync());
            });
        });
    }

    private void moveBackend() {
        AioContext target = anyContext();
        sim.note("moves the backend to " + target.name());
        backend.setContext(target);
        if (backend.context() != target) {
            sim.fail("not moved", backend.context().name());
        }
    }

    private void moveBackendAsync() {
        AioContext target = anyContext();
        sim.note("asks for a move of the backend to " + target.name());
        settled(backend.setContextAsync(target));
    }

    private void editBlocking() {
        BlockNode filter = graph.find(machine.named(FILTER));
        sim.note(filter == null ? "inserts a filter" : "removes the filter");
        if (asyncPending > 0) {
            return;
        }
        if (filter == null) {
            graph.applyBlocking(insertion());
        } else {
            graph.applyBlocking(graph.edit().removeFilter(filter));
        }
    }

    private void editAsync() {
        if (asyncPending > 0) {
            return;
        }
        BlockNode filter = graph.find(machine.named(FILTER));
        sim.note(filter == null ? "asks for a filter" : "asks to remove the filter");
        settled(graph.apply(filter == null
                ? insertion()
                : graph.edit().removeFilter(filter)));
    }

    /** Fails the run if the operation fails, and is not over before the operation is. */
    void settled(CompletionStage<Void> stage) {
        asyncPending++;
        stage.whenComplete((nothing, failure) -> {
            asyncPending--;
            if (failure != null) {
                sim.fail("an operation failed", failure.toString());
            }
        });
    }

    private GraphEdit insertion() {
        return graph.edit().insertFilter(
                machine.named(FILTER), new PassthroughDriver(), machine.bottom());
    }

    private AioContext anyContext() {
        return contexts.get(sim.random().nextInt(contexts.size()));
    }
}
