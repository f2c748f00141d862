package dev.quiesce.testkit;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What became of one run of a {@link Scenario}: its schedule, its story, and whether it failed. */
public final class RunReport {
    /** So many choices tell a cut run from others; it may have made very many. */
    private static final int CHOICES_TOLD = 100;

    private final long seed;
    private final Scheduler.Path path;
    private final Extent extent;
    private final Scheduler.@Nullable Failure failure;
    private final List<String> story;

    RunReport(long seed, Scheduler.Path path, Extent extent,
            Scheduler.@Nullable Failure failure, List<String> story) {
        this.seed = seed;
        this.path = path;
        this.extent = extent;
        this.failure = failure;
        this.story = story;
    }

    /** {@return the seed of {@link Simulation#random()}, and of the choices unless replayed} */
    public long seed() {
        return seed;
    }

    /** {@return the choices made, for {@link Simulation#replay}} */
    public List<Integer> choices() {
        return IntStream.of(path.chosen()).boxed().toList();
    }

    /** {@return how many steps were taken} */
    public int steps() {
        return extent.steps();
    }

    /** {@return how often somebody was left who could have gone on} */
    public int preemptions() {
        return path.preemptions();
    }

    /** {@return a number that differs, very probably, between any two different schedules} */
    public long fingerprint() {
        return path.fingerprint();
    }

    /**
     * {@return whether the run was ended because it took too many steps} What was to hold in the
     * end was not looked at: it may be a livelock, or the bound may be too low.
     */
    public boolean isCut() {
        return extent.cut();
    }

    /** {@return whether something went wrong; a run that was cut has not failed, nor passed} */
    public boolean isFailed() {
        return failure != null;
    }

    /**
     * What sort of failure it is, the same for all that are alike.
     *
     * @return the kind
     * @throws IllegalStateException if the run did not fail
     */
    public String kind() {
        return failure().kind();
    }

    /**
     * What went wrong this time.
     *
     * @return one or more lines
     * @throws IllegalStateException if the run did not fail
     */
    public String detail() {
        return failure().detail();
    }

    /** {@return what was thrown, or null if nothing was} */
    public @Nullable Throwable cause() {
        return failure == null ? null : failure.cause();
    }

    /** {@return who did what, one line each; empty unless the run was told to tell} */
    public List<String> story() {
        return story;
    }

    /**
     * Throws if the run failed or was cut, with the story as the message.
     *
     * @return this report
     */
    public RunReport orThrow() {
        if (isFailed() || isCut()) {
            throw new AssertionError(toString(), cause());
        }
        return this;
    }

    /** This, with what is to be said instead of a story. */
    RunReport withoutStory(String why) {
        return new RunReport(seed, path, extent, failure, List.of(why));
    }

    Scheduler.Path path() {
        return path;
    }

    /** The story, numbered, and how it ended. */
    @Override
    public String toString() {
        String lines = IntStream.range(0, story.size())
                .mapToObj(i -> String.format("%4d  %s%n", i + 1, story.get(i)))
                .collect(Collectors.joining());
        if (failure == null) {
            return lines + "      " + (isCut() ? "cut after " : "passed after ") + steps()
                    + " steps, seed " + seed + (isCut() ? ", choices that begin with "
                    + choices().subList(0, Math.min(CHOICES_TOLD, path.length())) : "");
        }
        return lines + "  =>  " + failure.kind() + ": " + failure.detail() + String.format("%n")
                + "      after " + steps() + " steps, " + preemptions() + " preemptions; seed "
                + seed + ", choices " + choices();
    }

    private Scheduler.Failure failure() {
        if (failure == null) {
            throw new IllegalStateException("the run did not fail");
        }
        return failure;
    }

    /** How far a run came: the steps taken, and whether there were too many of them. */
    record Extent(int steps, boolean cut) {}
}
