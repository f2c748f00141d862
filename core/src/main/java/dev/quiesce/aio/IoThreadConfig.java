package dev.quiesce.aio;

import java.util.Objects;
import java.util.concurrent.ThreadFactory;

/**
 * What an {@link IoThread} is made of.
 *
 * @param name the name of its context, and its id
 * @param factory makes its thread, and those of its own pool if it has one
 * @param seams the seams of its context
 * @param work where work that blocks is done
 * @param properties what may be changed while it runs
 */
public record IoThreadConfig(String name, ThreadFactory factory, LoopSeams seams, Work work,
        IoThread.Properties properties) {
    /** Where an IoThread has work done that blocks. */
    public enum Work {
        /** By threads of its own, made when they are needed, ended with it (AIO-69). */
        OWN_POOL,
        /** By the workers of the seams, which others may share; they are not inline. */
        SHARED,
        /** By the workers of the seams, though they may be the loop itself, which then stalls. */
        ALSO_INLINE
    }

    /**
     * Checks the values.
     *
     * @param name the name of its context, and its id
     * @param factory makes its thread, and those of its own pool if it has one
     * @param seams the seams of its context
     * @param work where work that blocks is done
     * @param properties what may be changed while it runs
     * @throws IllegalArgumentException if the name is blank, or the workers of the seams are
     *     {@link Workers#inline} without permission
     */
    public IoThreadConfig {
        Objects.requireNonNull(factory, "factory");
        Objects.requireNonNull(seams, "seams");
        Objects.requireNonNull(work, "work");
        Objects.requireNonNull(properties, "properties");
        if (name.isBlank()) {
            throw new IllegalArgumentException("an IoThread needs a name, not '" + name + "'");
        }
        if (seams.workers() instanceof WorkItem.Inline && work == Work.SHARED) {
            throw new IllegalArgumentException("IoThread " + name
                    + " would do blocking work on its own loop, which was not allowed");
        }
    }

    /**
     * An IoThread with the default properties, whose blocking work is done by the workers of the
     * seams.
     *
     * @param name the name of its context, and its id
     * @param factory makes its thread
     * @param seams the seams of its context
     * @param inlineWorkersAllowed whether blocking work may be done on the loop's own thread
     * @throws IllegalArgumentException if the name is blank, or the workers of the seams are
     *     {@link Workers#inline} without permission
     */
    public IoThreadConfig(
            String name, ThreadFactory factory, LoopSeams seams, boolean inlineWorkersAllowed) {
        this(name, factory, seams, inlineWorkersAllowed ? Work.ALSO_INLINE : Work.SHARED,
                IoThread.Properties.defaults());
    }

    /**
     * An IoThread with the default properties and a pool of its own. Thread: any.
     *
     * @param name the name of its context, and its id
     * @param factory makes its thread, and those of its pool
     * @param seams the seams of its context; their workers are not used
     * @return the configuration
     * @throws IllegalArgumentException if the name is blank
     */
    public static IoThreadConfig withOwnPool(String name, ThreadFactory factory, LoopSeams seams) {
        return new IoThreadConfig(
                name, factory, seams, Work.OWN_POOL, IoThread.Properties.defaults());
    }

    /**
     * This configuration with other properties. Thread: any.
     *
     * @param other the properties to begin with
     * @return a copy
     */
    public IoThreadConfig withProperties(IoThread.Properties other) {
        return new IoThreadConfig(name, factory, seams, work, other);
    }
}
