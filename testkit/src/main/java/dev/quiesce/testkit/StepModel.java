package dev.quiesce.testkit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An exhaustive explorer: runs two or three actors through every interleaving of their atomic steps
 * and tells the shortest one that violates something.
 *
 * <p>The state may be a hand-written model or the real classes, driven step by step on one thread.
 * The explorer never copies a state: it makes a fresh one and replays a prefix, so any object graph
 * will do as long as it is deterministic.
 *
 * <pre>
 *     StepReport report = StepModel.of("is the counter exact?", Counter::new)
 *             .actor("left", a -&gt; a.step("reads", c -&gt; c.seenByLeft = c.value)
 *                                  .step("writes", c -&gt; c.value = c.seenByLeft + 1))
 *             .actor("right", a -&gt; a.step("reads", c -&gt; c.seenByRight = c.value)
 *                                   .step("writes", c -&gt; c.value = c.seenByRight + 1))
 *             .fingerprint(c -&gt; List.of(c.value, c.seenByLeft, c.seenByRight))
 *             .inTheEnd("both counted", c -&gt; c.value == 2)
 *             .explore();
 * </pre>
 *
 * <p>What counts as a failure: an invariant of {@link #always} that is false after a step (or at
 * the start), one of {@link #inTheEnd} that is false when no actor can move, an exception or failed
 * assertion in a step, a state in which no actor can move although one that does not merely
 * {@linkplain StepProgram#serves() serve} has not ended (somebody waits for ever), and a state from
 * which no schedule comes to an end (somebody looks again and again, for ever).
 *
 * <p>The exploration proves something about interleavings of sequentially consistent steps. What a
 * memory model may reorder within and across the steps is for jcstress.
 *
 * <p>Confined to the thread that uses it.
 *
 * @param <S> the state that all actors share
 */
public final class StepModel<S> {
    /*
     * Breadth first, so the first failure has the fewest steps. A node of the search is a state,
     * reached by the schedule along its parents. Two schedules lead to the same node if fingerprint
     * and program counters agree; without a fingerprint every schedule is a node of its own. As a
     * check on fingerprints that leave something out, the set of possible actors must agree
     * whenever two schedules meet.
     */
    private static final int DEFAULT_STATES_MAX = 2_000_000;

    private final String question;
    private final Supplier<? extends S> start;
    private final List<StepProgram<S>> actors = new ArrayList<>();
    private final List<Condition<S>> always = new ArrayList<>();
    private final List<Condition<S>> inTheEnd = new ArrayList<>();
    private @Nullable Function<? super S, ?> fingerprint;
    private @Nullable Function<? super S, String> shown;

    private StepModel(String question, Supplier<? extends S> start) {
        this.question = Objects.requireNonNull(question, "question");
        this.start = Objects.requireNonNull(start, "start");
    }

    /**
     * Begins a model.
     *
     * @param question what it asks, for the report
     * @param start makes a fresh start state, always the same one
     * @param <S> the state that all actors share
     * @return a model without actors
     */
    public static <S> StepModel<S> of(String question, Supplier<? extends S> start) {
        return new StepModel<>(question, start);
    }

    /**
     * Adds an actor.
     *
     * @param name names it in schedules
     * @param program adds its steps
     * @return this
     */
    public StepModel<S> actor(String name, Consumer<? super StepProgram<S>> program) {
        StepProgram<S> actor = new StepProgram<>(name);
        program.accept(actor);
        actors.add(actor);
        return this;
    }

    /**
     * Says what makes two states equal, so that what follows is explored once.
     *
     * @param fingerprint maps a state to a value with {@code equals}; must contain everything on
     *     which later steps and conditions depend, the actors' local variables included; where each
     *     actor stands is added
     * @return this
     */
    public StepModel<S> fingerprint(Function<? super S, ?> fingerprint) {
        this.fingerprint = Objects.requireNonNull(fingerprint, "fingerprint");
        return this;
    }

    /**
     * Shows the state after each step of a failing schedule.
     *
     * @param shown describes a state in a few words
     * @return this
     */
    public StepModel<S> showing(Function<? super S, String> shown) {
        this.shown = Objects.requireNonNull(shown, "shown");
        return this;
    }

    /**
     * Adds an invariant of every state.
     *
     * @param name what is violated when it is false
     * @param condition the invariant; must not change the state
     * @return this
     */
    public StepModel<S> always(String name, Predicate<? super S> condition) {
        always.add(new Condition<>(name, condition));
        return this;
    }

    /**
     * Adds an invariant of every state in which nobody can move any more.
     *
     * @param name what is violated when it is false
     * @param condition the invariant; must not change the state
     * @return this
     */
    public StepModel<S> inTheEnd(String name, Predicate<? super S> condition) {
        inTheEnd.add(new Condition<>(name, condition));
        return this;
    }

    /**
     * Explores every interleaving, up to two million states.
     *
     * @return what was found
     */
    public StepReport explore() {
        return explore(DEFAULT_STATES_MAX);
    }

    /**
     * Explores every interleaving.
     *
     * @param statesMax how many states to visit at most; at the bound the report is not complete
     * @return what was found
     * @throws IllegalStateException if two states of one fingerprint differ in who can move
     */
    public StepReport explore(int statesMax) {
        StepGraph graph = new StepGraph();
        String failure = visit(graph, StepGraph.NONE, 0);
        ArrayDeque<Integer> frontier = new ArrayDeque<>(List.of(0));
        while (failure == null && !frontier.isEmpty() && graph.size() <= statesMax) {
            int node = frontier.removeFirst();
            for (int actor = 0; actor < actors.size() && failure == null; actor++) {
                if (graph.isPossible(node, actor)) {
                    int known = graph.size();
                    failure = visit(graph, node, actor);
                    if (graph.size() > known) {
                        frontier.addLast(known);
                    }
                }
            }
        }
        int failed = graph.size() - 1;
        if (failure == null && frontier.isEmpty() && graph.firstWithoutEnd() != StepGraph.NONE) {
            failed = graph.firstWithoutEnd();
            failure = "from here on it goes on for ever";
        }
        boolean complete = failure == null && frontier.isEmpty();
        List<String> story = failure == null ? List.of() : tell(graph.scheduleTo(failed));
        return new StepReport(question, graph.size(), graph.steps(),
                complete ? graph.countSchedules() : null, complete, failure, story);
    }

    /**
     * Replays the schedule to a node and one more step, and enters the state that this leads to.
     * Returns what that state violates; it is then the newest node.
     */
    private @Nullable String visit(StepGraph graph, int from, int actor) {
        Run run = new Run();
        String failure = null;
        if (from != StepGraph.NONE) {
            for (int each : graph.scheduleTo(from)) {
                run.execute(each);
            }
            failure = run.tryExecute(actor);
        }
        int possible = failure == null ? run.possible() : 0;
        if (failure == null) {
            failure = run.violated(possible);
        }
        Object key = failure == null && fingerprint != null
                ? List.of(fingerprint.apply(run.state), run.standing())
                : new Object();
        if (!graph.enter(key, from, actor, possible)) {
            throw new IllegalStateException("the fingerprint " + key + " of \"" + question
                    + "\" leaves out something on which a step depends");
        }
        return failure;
    }

    private List<String> tell(int[] schedule) {
        List<String> story = new ArrayList<>();
        Run run = new Run();
        int width = actors.stream().mapToInt(actor -> actor.actor().length()).max().orElse(0);
        for (int i = 0; i < schedule.length; i++) {
            StepProgram<S> actor = actors.get(schedule[i]);
            String step = actor.name(run.at[schedule[i]]);
            String thrown = run.tryExecute(schedule[i]);
            String after = thrown != null ? "   -> " + thrown
                    : shown == null ? "" : "   [" + shown.apply(run.state) + "]";
            story.add(String.format(
                    "%3d  %-" + width + "s  %s%s", i + 1, actor.actor(), step, after));
        }
        return story;
    }

    /** One execution, on a state of its own. */
    private final class Run {
        final S state = start.get();
        final int[] at = new int[actors.size()];

        void execute(int actor) {
            at[actor] = actors.get(actor).execute(at[actor], state);
        }

        /** Executes a step that may fail. Returns how. */
        @Nullable String tryExecute(int actor) {
            try {
                execute(actor);
                return null;
            } catch (RuntimeException | AssertionError e) {
                return actors.get(actor).actor() + ": " + e;
            }
        }

        /** The set of actors that can move, one bit each. */
        int possible() {
            int possible = 0;
            for (int i = 0; i < at.length; i++) {
                possible |= actors.get(i).isPossible(at[i], state) ? 1 << i : 0;
            }
            return possible;
        }

        @Nullable String violated(int possible) {
            String violated = firstFalse(always);
            if (violated == null && possible == 0) {
                violated = stuck();
            }
            return violated == null && possible == 0 ? firstFalse(inTheEnd) : violated;
        }

        List<Integer> standing() {
            List<Integer> standing = new ArrayList<>();
            for (int each : at) {
                standing.add(each);
            }
            return standing;
        }

        private @Nullable String stuck() {
            for (int i = 0; i < at.length; i++) {
                StepProgram<S> actor = actors.get(i);
                if (at[i] < actor.length() && !actor.isServing()) {
                    return actor.actor() + " waits for ever at \"" + actor.name(at[i]) + "\"";
                }
            }
            return null;
        }

        private @Nullable String firstFalse(List<Condition<S>> conditions) {
            for (Condition<S> each : conditions) {
                if (!each.holds().test(state)) {
                    return each.name();
                }
            }
            return null;
        }
    }

    /** A named condition on the state. */
    private record Condition<S>(String name, Predicate<? super S> holds) {
    }
}
