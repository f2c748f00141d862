package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.ErrorHandler;
import dev.quiesce.aio.Lease;
import dev.quiesce.aio.LoopSeams;
import dev.quiesce.testkit.channel.SimulatedPipe;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A machine on one stack: event loops, workers and actors, stepped one at a time in an order that
 * is chosen from a seed, replayed, or searched (see {@link ScheduleSearch}). The same choices give
 * the same run, always.
 *
 * <pre>
 *     Scenario scenario = sim -&gt; {
 *         AioContext io = sim.context("io");
 *         sim.actor("guest", io).does("writes", ...).does("reads", ...);
 *         sim.actor("control", sim.main()).does("moves the disk", () -&gt; backend.setContext(io));
 *         sim.inTheEnd("nothing is in flight", () -&gt; backend.gate().inFlight() == 0);
 *     };
 *     Simulation.run(scenario, 42).orThrow();
 * </pre>
 *
 * <p>A step is a turn of a loop with its epilogue, one item of a worker, or one step of an
 * {@link Actor}. A turn runs one task that is ready ({@link #tasksPerTurn}), one outer-only task,
 * and all timers that are due: nobody moves between those. The simulation is the
 * {@link dev.quiesce.aio.Parker}, the clock and the workers of its contexts. A step runs
 * undisturbed, with two exceptions: where the control thread waits, and where it calls
 * {@link #interleave}, others are stepped. Only the control thread may wait.
 *
 * <p>A context is home to the code only while it is stepped, so methods that check their context
 * behave as with threads. Inside a callback nothing is interleaved: that is what
 * {@link StepModel} and jcstress are for.
 *
 * <p>A run fails if a condition does not hold or throws, a step throws or fails an assertion, a
 * callback's exception reaches the error handler, somebody waits for ever, or {@link #fail} is
 * called. One that takes too many steps is cut: it has no end, so nothing is known about that.
 *
 * <p>Confined to the thread that runs it.
 */
public final class Simulation {
    /** After so many steps a run is cut. */
    public static final int STEPS_MAX = 100_000;

    private static final int SHRINKING_RUNS_MAX = 3_000;
    private static final int WORKERS = 2;

    private final Scheduler scheduler;
    private final SplittableRandom random;
    private final SimulatedWorkers workers = new SimulatedWorkers();
    private final LoopSeams seams;
    private final AioContext main;
    private final List<End> ends = new ArrayList<>();
    private Predicate<Throwable> expected = thrown -> false;

    private Simulation(Scheduler scheduler, long seed) {
        this.scheduler = scheduler;
        this.random = new SplittableRandom(seed ^ 0x5DEECE66DL);
        ErrorHandler errors = this::onError;
        this.seams = new LoopSeams(scheduler.clock(), scheduler, workers, errors);
        this.main = context("main");
        scheduler.mainIs(main);
        for (int i = 0; i < WORKERS; i++) {
            scheduler.add(workers.worker(i));
        }
    }

    // ---- running

    /**
     * Runs a scenario, everything chosen from a seed.
     *
     * @param scenario what to run
     * @param seed the seed
     * @return what happened; without a story, for which the report is replayed
     */
    public static RunReport run(Scenario scenario, long seed) {
        return once(scenario, seed, Choices.random(seed), STEPS_MAX, false);
    }

    /**
     * Runs a scenario under many seeds. Different seeds may choose the same schedule: the report
     * counts both, and keeps the shortest failure of each kind.
     *
     * @param scenario what to run
     * @param firstSeed the first seed
     * @param seeds how many, one after the other; at least 1
     * @return what was found
     * @throws IllegalArgumentException if there are no seeds
     */
    public static SearchReport runSeeds(Scenario scenario, long firstSeed, int seeds) {
        if (seeds < 1) {
            throw new IllegalArgumentException("cannot run " + seeds + " seeds: need 1 or more");
        }
        SearchReport report = SearchReport.ofSeeds();
        for (int i = 0; i < seeds; i++) {
            report.count(run(scenario, firstSeed + i));
        }
        return report.tell(scenario);
    }

    /**
     * Runs a scenario again as it ran before, and tells the story.
     *
     * @param scenario the same scenario
     * @param report what it came to then
     * @return the same, with a story
     */
    public static RunReport replay(Scenario scenario, RunReport report) {
        return replay(scenario, report.seed(), report.choices());
    }

    /**
     * Runs a scenario with given choices, then without preemptions, and tells the story.
     *
     * @param scenario what to run
     * @param seed the seed of {@link #random()}
     * @param choices which of those that can move does, at each point where several can
     * @return what happened
     */
    public static RunReport replay(Scenario scenario, long seed, List<Integer> choices) {
        int[] given = choices.stream().mapToInt(Integer::intValue).toArray();
        return once(scenario, seed, Choices.given(given), STEPS_MAX, true);
    }

    /**
     * Looks for a shorter run that fails in the same way: fewest steps first, then fewest
     * preemptions.
     *
     * @param scenario the same scenario
     * @param failed a run that failed
     * @return the shortest found, with its story
     */
    public static RunReport shrink(Scenario scenario, RunReport failed) {
        return replay(scenario, new Shrinking(scenario, failed, SHRINKING_RUNS_MAX).shortest());
    }

    static RunReport once(
            Scenario scenario, long seed, Choices choices, int stepsMax, boolean telling) {
        Scheduler scheduler = new Scheduler(choices, stepsMax, telling);
        try {
            Simulation sim = new Simulation(scheduler, seed);
            scenario.build(sim);
            scheduler.runToEnd();
            sim.checkEnd();
        } catch (Scheduler.Unwind over) {
            return scheduler.report(seed);
        }
        return scheduler.report(seed);
    }

    // ---- building

    /** {@return the main context, whose owner is the control thread} */
    public AioContext main() {
        return main;
    }

    /**
     * Adds a context with a thread of its own.
     *
     * @param name what to call it
     * @return the context
     */
    public AioContext context(String name) {
        AioContext context = new AioContext(name, seams);
        scheduler.add(scheduler.loopOf(context));
        return context;
    }

    /**
     * Adds an actor on a thread that is no context's home.
     *
     * @param name what to call it
     * @return an actor without steps
     */
    public Actor actor(String name) {
        return add(new Actor(name, null, this::isStarted));
    }

    /**
     * Adds an actor that takes its steps as the owner of a context, between the turns of its loop.
     *
     * @param name what to call it
     * @param home the context; main makes it a part of the control thread
     * @return an actor without steps
     * @throws IllegalArgumentException if the context is not of this simulation
     */
    public Actor actor(String name, AioContext home) {
        scheduler.checkSteps(home);
        return add(new Actor(name, home, this::isStarted));
    }

    /**
     * Adds a pipe, for handlers of {@code aio.channel}: contexts of a simulation serve channels of
     * that simulation, and no others. Its ends do not block. What is written, or that it was
     * closed, is on its way until the pipe itself has moved, which happens when the choices want
     * it.
     *
     * @param name what to call it
     * @param capacityBytes how many bytes may be written and not yet read; at least 1
     * @return the pipe
     * @throws IllegalArgumentException if it could hold nothing
     */
    public Pipe pipe(String name, int capacityBytes) {
        SimulatedPipe pipe = scheduler.channels().pipe(capacityBytes);
        add(new Actor(name, null, this::isStarted))
                .servesWhen("delivers", pipe::isOnTheWay, pipe::arrive);
        return pipe;
    }

    /**
     * Does something at once, as the owner of a context, and lets everything settle. Not part of
     * the schedule. Only while the world is being built.
     *
     * @param home whose owner does it
     * @param action what to do
     * @throws IllegalArgumentException if the context is not of this simulation
     * @throws IllegalStateException if the simulation runs
     */
    public void given(AioContext home, Runnable action) {
        scheduler.checkSteps(home);
        if (isStarted()) {
            throw new IllegalStateException("the world is built already");
        }
        scheduler.setUp(new Actor("set-up", home, () -> false).does("sets up", action));
    }

    /**
     * Adds a condition that is looked at after every step.
     *
     * @param what the condition, in words
     * @param holds the condition; must hold at every moment between two steps
     */
    public void always(String what, BooleanSupplier holds) {
        scheduler.always(what, () -> scheduler.isSettingUp() || holds.getAsBoolean());
    }

    /**
     * Adds a condition for the end, when every actor has finished and nobody can move. It is
     * looked at by the control thread.
     *
     * @param what the condition, in words
     * @param holds the condition
     */
    public void inTheEnd(String what, BooleanSupplier holds) {
        ends.add(new End(what, holds));
    }

    /**
     * Says which exceptions may reach the error handler. By default none may.
     *
     * @param which whether to accept one
     */
    public void expectErrors(Predicate<Throwable> which) {
        expected = which;
    }

    /**
     * Sets how many tasks a turn runs at most; 1 unless set. More of them share an epilogue then,
     * and fewer interleavings are possible.
     *
     * @param tasks at least 1
     * @throws IllegalArgumentException if there were none, so that no turn would get anywhere
     */
    public void tasksPerTurn(int tasks) {
        if (tasks < 1) {
            throw new IllegalArgumentException("a turn of " + tasks + " tasks: need 1 or more");
        }
        scheduler.tasksPerSlice(tasks);
    }

    /** {@return the source of everything random in this run, other than the schedule} */
    public SplittableRandom random() {
        return random;
    }

    /** {@return the clock of all contexts; it moves when nothing else can} */
    public VirtualClock clock() {
        return scheduler.clock();
    }

    // ---- while running

    /**
     * The context whose owner is taking a step.
     *
     * @return the context, or null on other threads, a worker's for instance
     */
    public @Nullable AioContext current() {
        Agent agent = scheduler.current();
        return agent == null ? null : agent.home();
    }

    /** {@return who is taking a step, by name} */
    public String currentName() {
        Agent agent = scheduler.current();
        return agent == null ? "nobody" : agent.name();
    }

    /**
     * Lets others move in the middle of a control operation, as threads would: a hook of a driver
     * for instance. Called by the control thread.
     *
     * @param what where the control thread is, for the story
     */
    public void interleave(String what) {
        scheduler.interleave(what);
    }

    /**
     * Adds a line to the story.
     *
     * @param what what is worth knowing about the current step
     */
    public void note(String what) {
        scheduler.tell(what);
    }

    /**
     * Ends a loop as the death of its thread does: nothing runs in it any more, and actors whose
     * home it is take no further steps. Called by one of them. What the loop leaves behind goes to
     * the error handler, so {@linkplain #expectErrors expect} that.
     *
     * @param context the context, not main
     * @throws IllegalArgumentException if it is main, or not of this simulation, or has ended
     */
    public void endLoop(AioContext context) {
        if (context == main) {
            throw new IllegalArgumentException("the control thread cannot end: it is the run");
        }
        scheduler.endLoop(context);
    }

    /**
     * Ends the run as failed. Does not return.
     *
     * @param kind what sort of failure, the same for all that are alike
     * @param detail what it is this time
     */
    public void fail(String kind, String detail) {
        throw scheduler.fail(kind, detail, null);
    }

    private Actor add(Actor actor) {
        scheduler.add(actor);
        return actor;
    }

    private boolean isStarted() {
        return !scheduler.isSettingUp();
    }

    private void onError(AioContext context, String site, Throwable cause) {
        if (!expected.test(cause)) {
            scheduler.raise(
                    "error in a callback", site + " in " + context.name() + ": " + cause, cause);
        }
    }

    private void checkEnd() {
        try (Lease control = main.acquire()) {
            assert control != null;
            for (End end : ends) {
                if (!scheduler.hasFailed()) {
                    scheduler.expect(end.what, end.holds, "does not hold in the end");
                }
            }
        }
    }

    private record End(String what, BooleanSupplier holds) {
    }

    /** Makes a failing schedule shorter by leaving out and by flattening choices. */
    private static final class Shrinking {
        private final Scenario scenario;
        private int runsLeft;
        private RunReport best;

        Shrinking(Scenario scenario, RunReport failed, int runsMax) {
            this.scenario = scenario;
            this.best = failed;
            this.runsLeft = runsMax;
        }

        RunReport shortest() {
            boolean better = true;
            while (better && runsLeft > 0) {
                better = false;
                for (int size = best.choices().size(); size > 0; size /= 2) {
                    better |= pass(size);
                }
            }
            return best;
        }

        /** Leaves out, then flattens, each run of so many choices. */
        private boolean pass(int size) {
            boolean better = false;
            for (int from = 0; from < best.choices().size(); from += size) {
                List<Integer> all = best.choices();
                int to = Math.min(all.size(), from + size);
                List<Integer> without = new ArrayList<>(all.subList(0, from));
                without.addAll(all.subList(to, all.size()));
                List<Integer> flat = new ArrayList<>(all);
                flat.subList(from, to).replaceAll(choice -> 0);
                better |= attempt(without) || (!flat.equals(all) && attempt(flat));
            }
            return better;
        }

        private boolean attempt(List<Integer> choices) {
            if (runsLeft-- <= 0) {
                return false;
            }
            int[] given = choices.stream().mapToInt(Integer::intValue).toArray();
            RunReport next =
                    once(scenario, best.seed(), Choices.given(given), STEPS_MAX, false);
            if (!next.isFailed() || !next.kind().equals(best.kind())
                    || SearchReport.SHORTEST_FIRST.compare(next, best) >= 0) {
                return false;
            }
            best = next;
            return true;
        }
    }
}
