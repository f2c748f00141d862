package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Parker;
import dev.quiesce.testkit.channel.SelectorHost;
import dev.quiesce.testkit.channel.SimulatedChannels;
import dev.quiesce.testkit.channel.SimulatedSelector;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Decides who moves next, on one stack, and remembers it. Confined to one thread. */
final class Scheduler implements Parker.Stepping {
    /*
     * One stack: a step of an agent runs to its end inside enter(), except that the control thread
     * may wait. Its wait is a nested turn of the main context; turnBegins() then steps others, and
     * main itself is one of the choices as soon as its loop is due. Nobody else may wait, so no
     * wait is ever beneath one that it depends on, and the stack is as deep as control operations
     * nest. While main waits, agents whose home it is cannot move: their thread is in the wait.
     *
     * A context is home to the stack only while it is stepped, by a lease of its own; main is
     * marked asleep while it waits. So a method that is called in the wrong context finds itself
     * there, as it would with threads.
     *
     * A loop that polls before it sleeps asks the scheduler between two looks. A microsecond passes
     * then, and others may move. Only main polls, since only main may wait.
     *
     * A context that has channels sleeps in a selector of ours, and is due when that would find
     * something. What is written to a channel is on its way until its wire, an agent, has moved, so
     * readiness comes when the choices want it; in which order a selector names several is a choice
     * as well, but no preemption.
     *
     * Leaving an agent that could have gone on is a preemption. The choices put whoever moved last
     * first, so "always 0" is the schedule without preemptions.
     *
     * Lost wake-ups cannot hide behind a timeout: a wait of a second or more with nothing due
     * anywhere and no timer armed is a failure. Shorter ones are a grace period: time passes. It
     * also passes where a timer is armed that is further away than the wait is long; such a wait
     * counts as a step, so one that no timer helps is cut.
     *
     * The first failure is remembered and unwinds everything as an Error, which no layer swallows.
     */
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(1);
    private static final long GRACE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(999);

    private final Choices choices;
    private final int stepsMax;
    private final boolean telling;
    private final VirtualClock clock = new VirtualClock();
    private final List<Agent> agents = new ArrayList<>();
    private final IdentityHashMap<AioContext, SteppedLoop> loops = new IdentityHashMap<>();
    private final SimulatedChannels channels = new SimulatedChannels();
    private final List<Condition> always = new ArrayList<>();
    private final List<String> story = new ArrayList<>();
    private final Path path = new Path();

    private Agent[] due = new Agent[8];
    private int tasksPerSlice = 1;
    private boolean settingUp = true;
    private @Nullable AioContext main;
    private @Nullable AioContext turnOf;
    private @Nullable Agent current;
    private @Nullable Agent last;
    private @Nullable Failure failure;
    private boolean cut;
    private int steps;
    private boolean told;

    Scheduler(Choices choices, int stepsMax, boolean telling) {
        this.choices = choices;
        this.stepsMax = stepsMax;
        this.telling = telling;
    }

    VirtualClock clock() {
        return clock;
    }

    void add(Agent agent) {
        agents.add(agent);
    }

    /** The one context whose thread may wait. */
    void mainIs(AioContext context) {
        main = context;
    }

    Agent.Loop loopOf(AioContext context) {
        return new Agent.Loop(context, loop(context));
    }

    void always(String what, BooleanSupplier holds) {
        always.add(new Condition(what, holds));
    }

    void tasksPerSlice(int tasks) {
        tasksPerSlice = tasks;
    }

    boolean hasFailed() {
        return failure != null;
    }

    boolean isSettingUp() {
        return settingUp;
    }

    @Nullable Agent current() {
        return current;
    }

    // ---- a run

    /** Runs something as an agent of its own, then everybody until nothing is due. */
    void setUp(Agent first) {
        enter(first);
        runAll();
    }

    /** Ends the set-up and runs to the end. */
    void runToEnd() {
        settingUp = false;
        last = null;
        runAll();
        for (Agent agent : agents) {
            String why = agent.unfinished();
            if (why != null) {
                throw fail("stuck", why, null);
            }
        }
    }

    private void runAll() {
        while (true) {
            Agent next = choose(null, false);
            if (next != null) {
                enter(next);
            } else {
                long leftNanos = nanosToNearestDeadline();
                if (leftNanos == Long.MAX_VALUE) {
                    return;
                }
                clock.advance(leftNanos);
            }
        }
    }

    private void enter(Agent agent) {
        Agent before = current;
        current = agent;
        told = false;
        try {
            agent.step(this);
        } catch (Unwind unwind) {
            throw unwind;
        } catch (RuntimeException | Error e) {
            raise(e.getClass().getSimpleName(), String.valueOf(e.getMessage()), e);
        } finally {
            current = before;
        }
        check();
    }

    private void check() {
        for (Condition condition : always) {
            if (failure == null) {
                expect(condition.what, condition.holds, "no longer holds");
            }
        }
        unwindIfOver();
    }

    /** Looks at a condition; raises a failure of that kind if it does not hold, or throws. */
    void expect(String what, BooleanSupplier holds, String otherwise) {
        try {
            if (!holds.getAsBoolean()) {
                raise(what, otherwise, null);
            }
        } catch (Unwind unwind) {
            throw unwind;
        } catch (RuntimeException | Error e) {
            raise(what, "cannot be told: " + e, e);
        }
    }

    private boolean isDue(Agent agent) {
        try {
            return agent.isDue();
        } catch (Unwind unwind) {
            throw unwind;
        } catch (RuntimeException | Error e) {
            throw fail(e.getClass().getSimpleName(),
                    "whether " + agent.name() + " can move: " + e.getMessage(), e);
        }
    }

    private void unwindIfOver() {
        if (failure != null || cut) {
            throw new Unwind();
        }
    }

    /** Who moves next: one of those that can, or {@code self}; null if nobody can. */
    private @Nullable Agent choose(@Nullable Agent self, boolean selfIsDue) {
        unwindIfOver();
        boolean lastIsDue = false;
        int width = 0;
        for (Agent agent : agents) {
            boolean can = agent == self ? selfIsDue : !isBlocked(agent) && isDue(agent);
            if (can) {
                if (width == due.length) {
                    due = Arrays.copyOf(due, 2 * width);
                }
                due[width++] = agent;
                lastIsDue |= agent == last;
            }
        }
        if (width == 0) {
            return null;
        }
        if (lastIsDue) {
            moveLastToFront(width);
        }
        int chosen = 0;
        if (width > 1 && !settingUp) {
            chosen = choices.next(width);
            path.add(chosen, width, lastIsDue);
        }
        last = due[chosen];
        if (!settingUp) {
            path.mix(agents.indexOf(last));
        }
        countStep();
        return last;
    }

    private void countStep() {
        if (++steps > stepsMax) {
            cut = true;
            throw new Unwind();
        }
    }

    private void moveLastToFront(int width) {
        int at = 0;
        while (due[at] != last) {
            at++;
        }
        assert at < width : "last is due";
        System.arraycopy(due, 0, due, 1, at);
        due[0] = last;
    }

    /** Whether the agent's thread is somewhere below on the stack. */
    private boolean isBlocked(Agent agent) {
        AioContext home = agent.home();
        return agent == current || (home != null && home == main && current != null);
    }

    // ---- the seams

    @Override
    public void adopt(AioContext context, Parker.Loop loop) {
        loops.put(context, new SteppedLoop(loop));
    }

    /** The next turn of this context is a step of ours, not one that is nested in a callback. */
    void turnIsOwn(AioContext context) {
        turnOf = context;
    }

    @Override
    public void turnBegins(AioContext context, long maxWaitNanos) {
        boolean own = turnOf == context;
        turnOf = null;
        if (!own && context == main) {
            stepOthers(context, maxWaitNanos);
        }
    }

    private void stepOthers(AioContext context, long maxWaitNanos) {
        Parker.Loop loop = loop(context);
        Agent self = current;
        if (maxWaitNanos == 0 && !loop.isDue()) {
            unwindIfOver();
            return;
        }
        while (true) {
            Agent next = choose(self, loop.isDue());
            if (next == null || next == self) {
                told = false;
                return;
            }
            enter(next);
        }
    }

    @Override
    public int tasksPerSlice(AioContext context) {
        return tasksPerSlice;
    }

    @Override
    public void callbackBegins(AioContext context, Supplier<String> what) {
        if (telling && !settingUp) {
            tell("runs: " + what.get());
        }
    }

    @Override
    public void park(AioContext context, long maxNanos) {
        unwindIfOver();
        if (context != main) {
            throw fail("wait", "context " + context.name() + " waits; only control may", null);
        }
        long leftNanos = nanosToNearestDeadline();
        if (leftNanos == Long.MAX_VALUE && maxNanos > GRACE_NANOS_MAX) {
            throw fail("stuck", waiting(context), null);
        }
        if (leftNanos > maxNanos) {
            countStep();
        }
        clock.advance(Math.min(leftNanos, maxNanos));
    }

    @Override
    public void pause(AioContext context) {
        clock.advance(PAUSE_NANOS);
        unwindIfOver();
        Agent self = current;
        if (!settingUp && self != null && context == main) {
            stepOthersFor(self, context);
        }
    }

    @Override
    public void unpark(AioContext context, @Nullable Thread owner) {
        // Nothing to do: whether a context is due is asked before each choice.
    }

    @Override
    public boolean serves(AioContext context) {
        return loops.containsKey(context);
    }

    @Override
    public Selector openSelector(AioContext context) {
        SimulatedSelector selector = channels.selector(new SelectorHost() {
            @Override
            public void sleep(long maxNanos) {
                park(context, maxNanos);
            }

            @Override
            public int first(int ready) {
                return decide(ready);
            }
        });
        loop(context).selector = selector;
        return selector;
    }

    /** The channels of this run. */
    SimulatedChannels channels() {
        return channels;
    }

    /** What the world outside decides, other than who moves next: one of so many things. */
    private int decide(int width) {
        if (settingUp) {
            return 0;
        }
        int chosen = choices.next(width);
        path.add(chosen, width, false);
        path.mix(agents.size() + chosen);
        return chosen;
    }

    /** Steps others from a place inside a control operation; the control thread may go on. */
    void interleave(String what) {
        Agent self = current;
        if (settingUp || self == null) {
            return;
        }
        AioContext home = self.home();
        if (home != main || home == null || !home.isHome()) {
            throw new IllegalStateException("only control yields, not " + self.name());
        }
        tell(what);
        stepOthersFor(self, home);
    }

    /** Steps others until it is the control thread's turn again, which can go on all the time. */
    private void stepOthersFor(Agent self, AioContext home) {
        loop(home).whileAsleep(() -> {
            Agent next = choose(self, true);
            while (next != null && next != self) {
                enter(next);
                next = choose(self, true);
            }
        });
        told = false;
    }

    /** Throws unless the context is one that this steps. */
    void checkSteps(AioContext context) {
        SteppedLoop unused = loop(context);
    }

    /** The thread of a loop dies; nobody steps that any more. */
    void endLoop(AioContext context) {
        SteppedLoop loop = loop(context);
        tell("the loop of " + context.name() + " ends");
        loop.end("the loop of " + context.name() + " was ended by its simulation");
        loops.remove(context);
    }

    /** How far the nearest deadline is; {@link Long#MAX_VALUE} if time brings none. */
    private long nanosToNearestDeadline() {
        long nearest = Long.MAX_VALUE;
        for (AioContext context : loops.keySet()) {
            nearest = Math.min(nearest, context.nextDeadlineNanos());
        }
        long now = clock.nanoTime();
        // One that has passed is of somebody who cannot move: time does not help.
        return nearest == Long.MAX_VALUE || nearest <= now ? Long.MAX_VALUE : nearest - now;
    }

    private SteppedLoop loop(AioContext context) {
        SteppedLoop loop = loops.get(context);
        if (loop == null) {
            throw new IllegalArgumentException(context + " is not of this simulation");
        }
        return loop;
    }

    private String waiting(AioContext context) {
        StringBuilder text = new StringBuilder(context.name() + " waits, and nobody can move");
        for (Agent agent : agents) {
            String why = agent.unfinished();
            if (why != null && agent != current) {
                text.append("; ").append(why);
            }
        }
        return text.toString();
    }

    // ---- the story

    /** Says what the current agent does. */
    void tell(String what) {
        Agent who = current;
        if (telling && !settingUp && failure == null && who != null) {
            story.add(String.format("%-9s %s", told ? "" : who.name(), what));
            told = true;
        }
    }

    /** Remembers the first failure; the run ends when the current step does. */
    void raise(String kind, String detail, @Nullable Throwable cause) {
        if (failure == null) {
            failure = new Failure(kind, detail, cause);
        }
    }

    Unwind fail(String kind, String detail, @Nullable Throwable cause) {
        raise(kind, detail, cause);
        return new Unwind();
    }

    RunReport report(long seed) {
        return new RunReport(
                seed, path, new RunReport.Extent(steps, cut), failure, List.copyOf(story));
    }

    /** A loop of this run; it is also due for what its selector would find. */
    private static final class SteppedLoop implements Parker.Loop {
        private final Parker.Loop loop;
        private @Nullable SimulatedSelector selector;

        SteppedLoop(Parker.Loop loop) {
            this.loop = loop;
        }

        @Override
        public boolean isDue() {
            SimulatedSelector sleepsIn = selector;
            return loop.isDue() || (sleepsIn != null && sleepsIn.hasReady());
        }

        @Override
        public void whileAsleep(Runnable meanwhile) {
            loop.whileAsleep(meanwhile);
        }

        @Override
        public void end(String because) {
            loop.end(because);
        }
    }

    private record Condition(String what, BooleanSupplier holds) {
    }

    /**
     * What went wrong.
     *
     * @param kind the same for failures that are alike
     * @param detail what it was this time
     * @param cause what was thrown, or null
     */
    record Failure(String kind, String detail, @Nullable Throwable cause) {
    }

    /** Ends a run from wherever it is. An Error, so that nobody takes it for a failed callback. */
    static final class Unwind extends Error {
        private static final long serialVersionUID = 1;

        Unwind() {
            super("the run is over", null, false, false);
        }
    }

    /** The choices of one run, and what they were made from. */
    static final class Path {
        private int[] chosen = new int[32];
        private int[] widths = new int[32];
        private boolean[] preempts = new boolean[32];
        private int length;
        private int preemptions;
        private long fingerprint = 1;

        void add(int choice, int width, boolean lastIsDue) {
            if (length == chosen.length) {
                chosen = Arrays.copyOf(chosen, 2 * length);
                widths = Arrays.copyOf(widths, 2 * length);
                preempts = Arrays.copyOf(preempts, 2 * length);
            }
            chosen[length] = choice;
            widths[length] = width;
            preempts[length] = lastIsDue;
            length++;
            if (lastIsDue && choice != 0) {
                preemptions++;
            }
        }

        void mix(int agent) {
            fingerprint = (fingerprint ^ agent) * 0x9E3779B97F4A7C15L;
            fingerprint ^= fingerprint >>> 29;
        }

        int length() {
            return length;
        }

        int width(int i) {
            return widths[i];
        }

        boolean preemptsAt(int i) {
            return preempts[i];
        }

        int preemptions() {
            return preemptions;
        }

        long fingerprint() {
            return fingerprint;
        }

        int[] chosen() {
            return Arrays.copyOf(chosen, length);
        }

        /** The first choices, and then another one than was made. */
        int[] branch(int at, int other) {
            int[] prefix = Arrays.copyOf(chosen, at + 1);
            prefix[at] = other;
            return prefix;
        }
    }
}
