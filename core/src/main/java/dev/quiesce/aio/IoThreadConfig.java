package dev.quiesce.aio;

import java.util.Objects;
import java.util.concurrent.ThreadFactory;

/**
 * What an {@link IoThread} is made of.
 *
 * @param name the name of its context
 * @param factory makes its thread
 * @param seams the seams of its context
 * @param inlineWorkersAllowed whether blocking work may be done on the loop's own thread
 */
public record IoThreadConfig(
        String name, ThreadFactory factory, LoopSeams seams, boolean inlineWorkersAllowed) {
    /**
     * Checks the values.
     *
     * @param name the name of its context
     * @param factory makes its thread
     * @param seams the seams of its context
     * @param inlineWorkersAllowed whether blocking work may be done on the loop's own thread
     * @throws IllegalArgumentException if the name is blank, or the workers of the seams are
     *     {@link Workers#inline} without permission
     */
    public IoThreadConfig {
        Objects.requireNonNull(factory, "factory");
        Objects.requireNonNull(seams, "seams");
        if (name.isBlank()) {
            throw new IllegalArgumentException("an IoThread needs a name, not '" + name + "'");
        }
        if (seams.workers() instanceof WorkItem.Inline && !inlineWorkersAllowed) {
            throw new IllegalArgumentException("IoThread " + name
                    + " would do blocking work on its own loop, which was not allowed");
        }
    }
}
