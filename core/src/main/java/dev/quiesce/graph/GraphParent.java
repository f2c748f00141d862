package dev.quiesce.graph;

import dev.quiesce.aio.AioContext;
import dev.quiesce.drain.Drainable;
import org.jspecify.annotations.Nullable;

/**
 * A user of a node that is no node itself: a block backend.
 *
 * <p>All methods are control. Draining travels through it: when the node below is quiesced, so is
 * the user (DRAIN-7), with the hooks inherited from {@link Drainable}. None of the methods may
 * poll, submit, or change the graph (GR-5, CTX-13).
 */
public interface GraphParent extends Drainable {
    /**
     * The user's own context. Control.
     *
     * @return the context, which equals that of the node below it except inside a change
     */
    AioContext context();

    /**
     * Asks whether the user goes along to another context. Nothing is modified (CTX-4). Control.
     *
     * @param target where the component is to go
     * @param initiator whether this user asked for the change itself, which overrides its
     *     unwillingness to be moved by others (BB-47, BB-48)
     * @return null to agree, else the reason for refusing
     */
    @Nullable String refuseMove(AioContext target, boolean initiator);

    /**
     * Stores the new context. Control; inside the settled section, after every node has moved
     * (CTX-10).
     *
     * @param target the new context
     */
    void moveTo(AioContext target);

    /**
     * Announces the new context, when every user of the component has stored it. Control; inside
     * the section.
     *
     * @param target the new context
     */
    void moved(AioContext target);

    /**
     * Announces that something below has changed: length and limits may differ now. Control; inside
     * the section, or, after a truncate, whenever main runs.
     */
    void rootChanged();
}
