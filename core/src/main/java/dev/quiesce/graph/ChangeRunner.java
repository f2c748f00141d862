package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ControlWait;
import dev.quiesce.aio.Task;
import dev.quiesce.aio.WaitReport;
import dev.quiesce.drain.Drainable;
import dev.quiesce.drain.DrainedSection;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Makes changes of one graph: plan, drain, one wait, plan again, commit, end. */
final class ChangeRunner {
    /*
     * A change is an Attempt: a set of drainables under an open section, widened while its plan
     * names more of them, at most MAX_ROUNDS times. Widening opens a section over the whole set
     * before the old one is closed. So everything is waited for together, by a wait of this
     * change's own, even if somebody else has it quiesced already (DRAIN-8), and nobody sees an end
     * and a begin in a row.
     *
     * Why a commit never meets another change half way: commits run on the control thread and do
     * not poll, and the plan that precedes one is made after the wait, in the same breath. A
     * blocking change may start inside the wait of another one, blocking or not; it runs to its end
     * there, and the outer one plans anew when its wait is over. Asynchronous changes start and
     * continue in outermost polls only (AIO-45), one after the other in the order in which they
     * were requested: the second one does not even plan before the first has finished.
     *
     * Between the end of an asynchronous wait and the step that acts on it, somebody may take a
     * hold: a walk over requests for instance. The step looks again, in the same breath as it
     * commits, and waits again if need be. So no context changes under a hold that was taken before
     * the commit (WALK-11).
     *
     * Work inside the section, if a change has any, is one more wait: it is begun when a plan is
     * covered, and its end is followed by a new plan and another look at who is counted. Whoever
     * does it holds a gate of the section meanwhile, so that other changes of the same nodes wait
     * for it.
     *
     * Hooks may start neither a change nor a section that is waited for (GR-5, DRAIN-9). While one
     * runs, hookDepth says so and either is refused; main, which is told too, refuses to be polled.
     */
    static final int MAX_ROUNDS = 8;

    private final BlockGraph graph;
    private final AioContext main;

    /** Control only: asynchronous changes that wait for their turn. */
    private final Deque<Running> waiting = new ArrayDeque<>();

    /** Control only: the asynchronous change that has its turn. */
    private @Nullable Running running;

    /** Control only. */
    private int hookDepth;

    ChangeRunner(BlockGraph graph) {
        this.graph = graph;
        this.main = graph.main();
    }

    void enterHooks() {
        ControlWait.enterHook(main);
        hookDepth++;
    }

    void leaveHooks() {
        hookDepth--;
        assert hookDepth >= 0 : "hooks left twice";
        ControlWait.leaveHook(main);
    }

    void checkNotInHook(String operation) {
        if (hookDepth > 0) {
            throw new IllegalStateException(
                    operation + " from within a hook of the graph of context " + main.name()
                            + ", on thread " + Thread.currentThread().getName()
                            + ": use its asynchronous form (DRAIN-9)");
        }
    }

    boolean isIdle() {
        return running == null && waiting.isEmpty();
    }

    /** Control: runs a change to its end, polling main while it waits. */
    void runBlocking(GraphChange change) {
        graph.checkControl(change.describe());
        Attempt attempt = new Attempt(change);
        try {
            for (Step step = attempt.advance(); step != Step.COMMITTED; step = attempt.advance()) {
                if (step == Step.DRAIN) {
                    attempt.replaceSection(DrainedSection.begin(attempt.nextRound()));
                } else {
                    attempt.awaitWork();
                }
            }
        } finally {
            attempt.end();
        }
        for (BlockNode node : attempt.released()) {
            goHome(node);
        }
    }

    /** Control: a component that lost a user returns to main if everybody left agrees (CTX-17). */
    private void goHome(BlockNode node) {
        try {
            runBlocking(NodeMove.home(graph, node));
        } catch (RuntimeException e) {
            main.report("return of '" + node.name() + "' to main", e);
        }
    }

    /** Any thread: runs a change when its turn comes. */
    CompletionStage<Void> run(GraphChange change) {
        Running next = new Running(change);
        main.postOuter(next);
        return next.result.minimalCompletionStage();
    }

    private void startNext() {
        running = waiting.poll();
        if (running != null) {
            main.postOuter(running);
        }
    }

    /** What a change needs next. */
    private enum Step {
        /** A section over what the plan names. */
        DRAIN,
        /** The end of its work. */
        WORK,
        /** Nothing: it is made. */
        COMMITTED
    }

    /** One change on its way: its section and what that covers. Control only. */
    private final class Attempt {
        private final GraphChange change;
        private final Set<Drainable> covered = ContextChange.orderedSet();
        private final GraphCommit commit = new GraphCommit(graph);
        private @Nullable DrainedSection section;
        private Collection<? extends Drainable> wanted = Set.of();
        private @Nullable CompletionStage<Void> work;
        private int rounds;
        private boolean workBegun;
        private boolean sealed;

        Attempt(GraphChange change) {
            this.change = change;
        }

        /** Plans; if the section covers the plan, begins the work or, after it, commits. */
        Step advance() {
            checkNotInHook(change.describe());
            enterHooks();
            try {
                wanted = change.plan();
                if (!covered.containsAll(wanted)) {
                    return Step.DRAIN;
                }
                if (!workBegun) {
                    workBegun = true;
                    work = change.work();
                    if (work != null) {
                        return Step.WORK;
                    }
                }
                try {
                    change.commit(commit);
                } finally {
                    // Also after half a commit: what it did is to be a graph, and is to be ended.
                    sealed = true;
                    commit.seal();
                }
                return Step.COMMITTED;
            } finally {
                leaveHooks();
            }
        }

        /** What the next section has to cover: all that was named so far. */
        Drainable[] nextRound() {
            if (++rounds > MAX_ROUNDS) {
                throw new BlockLayerException(change.describe() + ": the graph kept growing for "
                        + MAX_ROUNDS + " rounds, now " + wanted);
            }
            covered.addAll(wanted);
            return covered.toArray(Drainable[]::new);
        }

        CompletionStage<Void> work() {
            return Objects.requireNonNull(work, "no work was begun");
        }

        /** Polls until the work is done and nobody is counted; throws what the work failed with. */
        void awaitWork() {
            CompletableFuture<Void> done = work().toCompletableFuture();
            ControlWait.until(main, new ControlWait.Target() {
                @Override
                public boolean isDone() {
                    DrainedSection open = section;
                    return done.isDone() && (open == null || open.isSettled());
                }

                @Override
                public void describe(WaitReport out) {
                    DrainedSection open = section;
                    if (open != null) {
                        open.describe(out);
                    }
                }
            });
            rethrow(done);
        }

        private static void rethrow(CompletableFuture<Void> done) {
            try {
                done.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        }

        void replaceSection(DrainedSection next) {
            DrainedSection old = section;
            section = next;
            if (old != null) {
                old.close();
            }
        }

        /** Waits again if something was counted since the wait ended; null if nothing was. */
        @Nullable CompletionStage<Void> settle() {
            DrainedSection open = section;
            return open == null || open.isSettled() ? null : open.settledAsync(main);
        }

        /** Ends the section, then closes the drivers of removed nodes. */
        void end() {
            DrainedSection open = section;
            section = null;
            if (open != null) {
                open.close();
            }
            if (sealed) {
                sealed = false;
                for (BlockNode node : commit.retired()) {
                    graph.callHook(() -> node.driver().close(), "close", node.name());
                }
            }
        }

        Collection<BlockNode> released() {
            return commit.released();
        }
    }

    /** An asynchronous change. Its run() is one step, always in an outermost poll of main. */
    private final class Running extends Task {
        private final CompletableFuture<Void> result = new CompletableFuture<>();
        private final Deque<BlockNode> released = new ArrayDeque<>();
        private Attempt attempt;
        private @Nullable DrainedSection begun;
        private @Nullable Throwable failure;
        private boolean changed;

        Running(GraphChange change) {
            this.attempt = new Attempt(change);
        }

        @Override
        protected void run() {
            if (running == null) {
                running = this;
            } else if (running != this) {
                waiting.add(this);
                return;
            }
            try {
                step();
            } catch (RuntimeException e) {
                finish(e);
            } catch (Error e) {
                finish(e);
                throw e;
            }
        }

        private void step() {
            if (failure != null) {
                finish(failure);
                return;
            }
            DrainedSection next = begun;
            begun = null;
            if (next != null) {
                attempt.replaceSection(next);
            }
            CompletionStage<Void> unsettled = attempt.settle();
            if (unsettled != null) {
                unsettled.whenComplete((nothing, cause) -> onBegun(null, cause));
                return;
            }
            switch (attempt.advance()) {
                case DRAIN -> DrainedSection.beginAsync(main, attempt.nextRound())
                        .whenComplete(this::onBegun);
                case WORK -> attempt.work()
                        .whenComplete((nothing, cause) -> onBegun(null, cause));
                case COMMITTED -> {
                    attempt.end();
                    changed = true;
                    released.addAll(attempt.released());
                    goHomeOrFinish();
                }
            }
        }

        private void onBegun(@Nullable DrainedSection section, @Nullable Throwable cause) {
            begun = section;
            failure = cause instanceof CompletionException wrapped ? wrapped.getCause() : cause;
            main.postOuter(this);
        }

        /**
         * The next component that lost a user goes home; when there is none left the change is
         * over.
         */
        private void goHomeOrFinish() {
            BlockNode node = released.poll();
            if (node == null) {
                finish(null);
            } else {
                attempt = new Attempt(NodeMove.home(graph, node));
                main.postOuter(this);
            }
        }

        private void finish(@Nullable Throwable cause) {
            failure = null;
            attempt.end();
            if (changed && cause != null) {
                main.report(describe(), cause);
                goHomeOrFinish();
                return;
            }
            startNext();
            if (cause == null) {
                result.complete(null);
            } else {
                result.completeExceptionally(cause);
            }
        }

        @Override
        public String describe() {
            return attempt.change.describe();
        }
    }
}
