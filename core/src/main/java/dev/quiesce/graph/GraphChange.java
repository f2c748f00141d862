package dev.quiesce.graph;

import dev.quiesce.drain.Drainable;
import java.util.Collection;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One change of a graph. It is made in steps that are the same for every change: plan, drain what
 * the plan names, wait once, plan again, and when that names nothing new, do what takes time inside
 * the section, if anything does, then commit without polling, and end the section.
 *
 * <p>All methods are control and must neither poll nor start another change. While the wait polls,
 * other changes may be made; that is why {@link #plan()} is called again after every wait, and why
 * the commit may rely on what the last plan saw.
 */
public interface GraphChange {
    /**
     * Names the change in messages.
     *
     * @return such as {@code BlockBackend.insert(disk0)}
     */
    String describe();

    /**
     * Checks and asks, modifies nothing, and says what has to be drained. Called before the section
     * and after each wait in it.
     *
     * @return what must be quiesced and settled when {@link #commit} runs; empty if nothing must
     * @throws BlockLayerException if somebody refuses; nothing has moved
     */
    Collection<? extends Drainable> plan();

    /**
     * Begins work that belongs inside the section and may take a while, at a worker for instance.
     * Called at most once, when everything named by the last plan is settled. The plan is made once
     * more when it is done, then comes the commit.
     *
     * @return completes in the main context when the work is done; if exceptionally, nothing is
     *     committed and the change fails with that; null if there is no such work
     */
    default @Nullable CompletionStage<Void> work() {
        return null;
    }

    /**
     * Makes the change. Everything named by the last plan is settled.
     *
     * @param commit the only handle by which edges and contexts are changed; valid until this
     *     method returns
     */
    void commit(GraphCommit commit);
}
