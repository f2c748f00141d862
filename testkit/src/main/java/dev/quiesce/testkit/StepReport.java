package dev.quiesce.testkit;

import java.math.BigInteger;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the exploration of a {@link StepModel} found. Immutable.
 *
 * @param question what was asked
 * @param states how many different states were visited
 * @param steps how many steps lead from one of them to another
 * @param schedules how many complete interleavings those states stand for; null if there are
 *     endless ones, because an actor can loop, or if the exploration ended early
 * @param complete whether everything was explored; false if a failure or the limit ended it
 * @param failure what was violated, or null
 * @param story the shortest schedule that leads to the failure, one line for each step; empty if
 *     there is none
 */
public record StepReport(
        String question,
        int states,
        long steps,
        @Nullable BigInteger schedules,
        boolean complete,
        @Nullable String failure,
        List<String> story) {

    /**
     * Copies the story.
     *
     * @param question what was asked
     * @param states how many different states were visited
     * @param steps how many steps lead from one of them to another
     * @param schedules how many complete interleavings those states stand for, or null
     * @param complete whether everything was explored
     * @param failure what was violated, or null
     * @param story the shortest schedule that leads to the failure
     */
    public StepReport {
        story = List.copyOf(story);
    }

    /**
     * Tells whether every interleaving was explored and none failed.
     *
     * @return whether the model is proved
     */
    public boolean isProved() {
        return complete && failure == null;
    }

    /**
     * Tells whether an interleaving fails.
     *
     * @return whether the model is refuted
     */
    public boolean isRefuted() {
        return failure != null;
    }

    /**
     * Tells the result in one paragraph: what was asked, how much was explored, and the failing
     * schedule.
     *
     * @return several lines
     */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder(question).append('\n');
        out.append(states).append(" states, ").append(steps).append(" steps");
        if (schedules != null) {
            out.append(", standing for ").append(schedules).append(" schedules");
        }
        if (failure != null) {
            out.append("\nFAILS: ").append(failure);
            for (String line : story) {
                out.append('\n').append(line);
            }
        } else {
            out.append(complete
                    ? "\nholds in all of them"
                    : "\nNOT COMPLETE: the limit was reached");
        }
        return out.toString();
    }
}
