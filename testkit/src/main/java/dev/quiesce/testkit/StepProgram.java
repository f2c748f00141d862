package dev.quiesce.testkit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one actor of a {@link StepModel} does: named steps, executed in order unless a step says
 * otherwise.
 *
 * <p>Each step is atomic: between two steps any other actor may run, within one nobody. So a step
 * should contain exactly one access to shared memory, or one critical section of a lock.
 *
 * <p>Confined to the thread that builds it. Names of steps are unique within the program; they are
 * what a failing schedule is told with, and what jumps refer to.
 *
 * @param <S> the state that all actors share
 */
public final class StepProgram<S> {
    /** The name to jump to for ending the actor. */
    public static final String END = "end";

    private final String actor;
    private final List<Step<S>> steps = new ArrayList<>();
    private final Map<String, Integer> indexes = new HashMap<>();
    private boolean serves;

    StepProgram(String actor) {
        this.actor = actor;
    }

    /**
     * Adds a step that is always possible.
     *
     * @param name names it
     * @param action what it does; an exception or failed assertion is a failure of the model
     * @return this
     */
    public StepProgram<S> step(String name, Consumer<? super S> action) {
        return stepWhen(name, state -> true, action);
    }

    /**
     * Adds a step that is possible only in certain states. In the others the actor waits, as for a
     * lock, a wake-up or a message.
     *
     * @param name names it
     * @param possible tells whether the step may run; must not change the state
     * @param action what it does
     * @return this
     */
    public StepProgram<S> stepWhen(
            String name, Predicate<? super S> possible, Consumer<? super S> action) {
        return branchWhen(name, possible, state -> {
            action.accept(state);
            return null;
        });
    }

    /**
     * Adds a step that decides what comes next.
     *
     * @param name names it
     * @param action what it does; returns the name of the next step, {@link #END}, or null for the
     *     one that was added after this one
     * @return this
     */
    public StepProgram<S> branch(String name, Function<? super S, @Nullable String> action) {
        return branchWhen(name, state -> true, action);
    }

    /**
     * Adds a step that is possible only in certain states and decides what comes next.
     *
     * @param name names it
     * @param possible tells whether the step may run; must not change the state
     * @param action what it does; returns the name of the next step, {@link #END}, or null for the
     *     one that was added after this one
     * @return this
     */
    public StepProgram<S> branchWhen(
            String name,
            Predicate<? super S> possible,
            Function<? super S, @Nullable String> action) {
        Objects.requireNonNull(possible, "possible");
        Objects.requireNonNull(action, "action");
        if (name.equals(END) || indexes.putIfAbsent(name, steps.size()) != null) {
            throw new IllegalArgumentException(actor + " has a step \"" + name + "\" already");
        }
        steps.add(new Step<>(name, possible, action));
        return this;
    }

    /**
     * Declares that this actor only serves others: a schedule is complete when everybody else has
     * ended and this one can do no more, wherever it stands.
     *
     * @return this
     */
    public StepProgram<S> serves() {
        serves = true;
        return this;
    }

    String actor() {
        return actor;
    }

    boolean isServing() {
        return serves;
    }

    int length() {
        return steps.size();
    }

    String name(int at) {
        return at < steps.size() ? steps.get(at).name() : END;
    }

    boolean isPossible(int at, S state) {
        return at < steps.size() && steps.get(at).possible().test(state);
    }

    /** Executes the step at {@code at}. Returns where the program goes on. */
    int execute(int at, S state) {
        String next = steps.get(at).action().apply(state);
        if (next == null) {
            return at + 1;
        }
        if (next.equals(END)) {
            return steps.size();
        }
        Integer index = indexes.get(next);
        if (index == null) {
            throw new IllegalArgumentException(actor + " has no step \"" + next + "\"");
        }
        return index;
    }

    /** One atomic step. */
    private record Step<S>(
            String name,
            Predicate<? super S> possible,
            Function<? super S, @Nullable String> action) {
    }
}
