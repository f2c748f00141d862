package dev.quiesce.testkit;

import dev.quiesce.aio.AioContext;
import dev.quiesce.aio.Lease;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A list of steps that one thread takes, one after the other, with anything in between: an
 * embedder, a guest, a reader. See {@link Simulation#actor(String)}.
 */
public final class Actor extends Agent {
    private final Deque<Step> steps = new ArrayDeque<>();
    private final BooleanSupplier mayMove;

    Actor(String name, @Nullable AioContext home, BooleanSupplier mayMove) {
        super(name, home);
        this.mayMove = mayMove;
    }

    /**
     * Adds a step.
     *
     * @param what what the actor does, as the story tells it: "resets the disk"
     * @param step does it
     * @return this actor
     */
    public Actor does(String what, Runnable step) {
        return doesWhen(what, () -> true, step);
    }

    /**
     * Adds a step that the actor takes only once a condition holds; it waits without blocking.
     *
     * @param what what the actor does
     * @param ready the condition; cheap, without side effects
     * @param step does it
     * @return this actor
     */
    public Actor doesWhen(String what, BooleanSupplier ready, Runnable step) {
        steps.add(new Step(what, ready, step, false));
        return this;
    }

    /**
     * Adds the same step several times.
     *
     * @param times how often, 0 or more
     * @param what what the actor does
     * @param step does it
     * @return this actor
     * @throws IllegalArgumentException if the number is negative
     */
    public Actor repeats(int times, String what, Runnable step) {
        if (times < 0) {
            throw new IllegalArgumentException(
                    name() + " cannot take a step " + times + " times: " + what);
        }
        for (int i = 0; i < times; i++) {
            does(what, step);
        }
        return this;
    }

    /**
     * Adds a last step that the actor takes again and again, whenever a condition holds. A run may
     * end while it waits for that.
     *
     * @param what what the actor does
     * @param ready the condition; cheap, without side effects; in the end it no longer holds
     * @param step does it
     * @return this actor
     */
    public Actor servesWhen(String what, BooleanSupplier ready, Runnable step) {
        steps.add(new Step(what, ready, step, true));
        return this;
    }

    /** {@return whether the last step has been taken} */
    public boolean isFinished() {
        return steps.isEmpty();
    }

    @Override
    boolean isDue() {
        Step next = steps.peek();
        return next != null && !isGone() && mayMove.getAsBoolean() && next.ready.getAsBoolean();
    }

    @Override
    @Nullable String unfinished() {
        Step next = steps.peek();
        return next == null || next.endless || isGone() ? null : name() + " never " + next.what;
    }

    @Override
    void step(Scheduler scheduler) {
        Step next = steps.element();
        if (!next.endless) {
            steps.remove();
        }
        scheduler.tell(next.what);
        AioContext at = home();
        if (at == null) {
            next.action.run();
            return;
        }
        try (Lease lease = at.acquire()) {
            assert lease != null;
            next.action.run();
        }
    }

    private record Step(String what, BooleanSupplier ready, Runnable action, boolean endless) {
    }
}
